// MicroPython's hardware layer: console on stdin and stdout, the host's clocks, waiting for events.

#include <string.h>

#include "py/mphal.h"
#include "py/ringbuf.h"
#include "py/runtime.h"
#include "py/stream.h"
#include "host.h"
#include "sim.h"

#define STDIN 0
#define STDOUT 1
#define CTRL_D 4
#define WATCHES_MAX 16
#define LONGEST_WAIT_MS 1000

static uint8_t rx_buf[1024];
static ringbuf_t rx = { rx_buf, sizeof(rx_buf), 0, 0 };
static bool rx_ended;

static host_pollfd_t watches[1 + WATCHES_MAX];
static size_t n_watches;

// Without a page (a run by hand) there is nobody to set the input flag: always ask the host then.
static uint32_t no_page[6] = { [SIM_PAGE_INPUT / 4] = 1 };
static uint8_t *page = (uint8_t *)no_page;
volatile uint32_t *sim_input_flag = &no_page[SIM_PAGE_INPUT / 4];

static volatile uint32_t *page_word(size_t offset) {
    return (volatile uint32_t *)(void *)(page + offset);
}

void sim_map_page(const char *path) {
    size_t len = 0;
    uint8_t *p = host_map_file(path, &len);
    if (p == NULL || len < SIM_PAGE_BYTES) {
        sim_fatal("the shared page cannot be mapped");
    }
    page = p;
    sim_input_flag = page_word(SIM_PAGE_INPUT);
}

void sim_set_booted(void) {
    *page_word(SIM_PAGE_BOOTED) = 1;
}

void sim_set_flash_ops(uint32_t n) {
    *page_word(SIM_PAGE_FLASH_OPS) = n;
}

// The high word may change between two reads. The choice takes the same instructions either way.
uint64_t sim_insns(void) {
    uint32_t high_before = *page_word(SIM_PAGE_INSNS + 4);
    uint32_t low = *page_word(SIM_PAGE_INSNS);
    uint32_t high_after = *page_word(SIM_PAGE_INSNS + 4);
    uint32_t late = (uint32_t)-(int32_t)(low >> 31); // all ones: low was read before a carry, if any
    return (uint64_t)((high_before & late) | (high_after & ~late)) << 32 | low;
}

// While instructions are counted, only Ctrl-C may make the board do something else: other input waits.
void sim_heed_only_interrupts(bool only) {
    sim_input_flag = page_word(only ? SIM_PAGE_INTERRUPT : SIM_PAGE_INPUT);
}

bool sim_stdin_ended(void) {
    return rx_ended;
}

static void rx_put(uint8_t c) {
    if (c == mp_interrupt_char) {
        mp_sched_keyboard_interrupt();
    } else {
        ringbuf_put(&rx, c);
    }
}

static void rx_read(void) {
    uint8_t buf[64];
    if (rx_ended || ringbuf_free(&rx) < sizeof(buf)) {
        return;
    }
    long n = xt_syscall(HOST_READ, STDIN, (long)buf, sizeof(buf), 0, 0, 0);
    rx_ended = n <= 0;
    for (long i = 0; i < n; ++i) {
        rx_put(buf[i]);
    }
}

// Take what is there, without waiting. The virtual machine calls it when the input flag is set.
void sim_take_input(void) {
    host_pollfd_t p = { STDIN, HOST_POLLIN, 0 };
    *page_word(SIM_PAGE_INPUT) = page == (uint8_t *)no_page;
    *page_word(SIM_PAGE_INTERRUPT) = 0;
    while (!rx_ended && ringbuf_free(&rx) >= 64 && host_poll(&p, 1, 0) > 0) {
        rx_read();
    }
}

void sim_watch(int fd, int16_t events) {
    if (n_watches < WATCHES_MAX) {
        watches[1 + n_watches++] = (host_pollfd_t) { fd, events, 0 };
    }
}

// Sleep until there is input, a watched socket is ready or the time is up.
void sim_wait(int timeout_ms) {
    bool room = !rx_ended && ringbuf_free(&rx) >= 64;
    watches[0] = (host_pollfd_t) { room ? STDIN : -1, HOST_POLLIN, 0 };
    size_t n = 1 + n_watches;
    n_watches = 0;
    if (timeout_ms < 0 || timeout_ms > LONGEST_WAIT_MS) {
        timeout_ms = LONGEST_WAIT_MS;
    }
    if (host_poll(watches, n, timeout_ms) > 0 && watches[0].revents != 0) {
        sim_take_input();
    }
    if (rx_ended && ringbuf_avail(&rx) == 0) {
        host_exit(0); // nobody can ever talk to this board again
    }
}

int mp_hal_stdin_rx_chr(void) {
    for (;;) {
        int c = ringbuf_get(&rx);
        if (c >= 0) {
            return c;
        }
        mp_event_wait_indefinite();
    }
}

uintptr_t mp_hal_stdio_poll(uintptr_t flags) {
    uintptr_t ready = flags & MP_STREAM_POLL_WR;
    if (flags & MP_STREAM_POLL_RD) {
        sim_take_input();
        if (ringbuf_avail(&rx) > 0) {
            ready |= MP_STREAM_POLL_RD;
        }
    }
    return ready;
}

mp_uint_t mp_hal_stdout_tx_strn(const char *str, size_t len) {
    size_t left = len;
    while (left > 0) {
        long n = xt_syscall(HOST_WRITE, STDOUT, (long)str, (long)left, 0, 0, 0);
        if (n <= 0) {
            host_exit(0); // the runner is gone
        }
        str += n;
        left -= (size_t)n;
    }
    return len;
}

mp_uint_t mp_hal_ticks_ms(void) {
    return (mp_uint_t)(host_monotonic_us() / 1000);
}

mp_uint_t mp_hal_ticks_us(void) {
    return (mp_uint_t)host_monotonic_us();
}

mp_uint_t mp_hal_ticks_cpu(void) {
    return (mp_uint_t)sim_insns();
}

// Nanoseconds since 2000-01-01, the epoch of the esp32 port.
uint64_t mp_hal_time_ns(void) {
    return host_unix_time_ns() - 946684800ull * 1000000000ull;
}

void mp_hal_delay_ms(mp_uint_t ms) {
    mp_uint_t start = mp_hal_ticks_ms();
    for (;;) {
        mp_uint_t gone = mp_hal_ticks_ms() - start;
        if (gone >= ms) {
            break;
        }
        mp_event_wait_ms(ms - gone);
    }
    mp_handle_pending(true);
}

void mp_hal_delay_us(mp_uint_t us) {
    mp_uint_t start = mp_hal_ticks_us();
    while (mp_hal_ticks_us() - start < us) {
    }
}

void mp_hal_get_random(size_t n, uint8_t *buf) {
    host_random(buf, n);
}

uint32_t sim_random32(void) {
    uint32_t r;
    host_random(&r, sizeof(r));
    return r;
}
