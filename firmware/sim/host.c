// System calls of the host, see host.h.

#include "host.h"

#define OPEN_WRITE 1
#define OPEN_READ_WRITE 2
#define OPEN_APPEND 02000
#define SEEK_TO_END 2
#define PROT_READ_WRITE 3
#define PROT_READ_WRITE_EXEC 7
#define MAP_SHARED 0x01
#define MAP_PRIVATE 0x02
#define MAP_FIXED 0x10
#define MAP_ANONYMOUS 0x800
#define CLOCK_REALTIME 0
#define CLOCK_MONOTONIC 1

void host_exit(int code) {
    for (;;) {
        xt_syscall(HOST_EXIT_GROUP, code, 0, 0, 0, 0, 0);
    }
}

int host_poll(host_pollfd_t *fds, size_t n, int timeout_ms) {
    return (int)xt_syscall(HOST_POLL, (long)fds, (long)n, timeout_ms, 0, 0, 0);
}

void host_random(void *buf, size_t len) {
    uint8_t *p = buf;
    while (len > 0) {
        long n = xt_syscall(HOST_GETRANDOM, (long)p, (long)len, 0, 0, 0, 0);
        if (n > 0) {
            p += n;
            len -= (size_t)n;
        }
    }
}

static uint64_t clock_ns(int clock) {
    uint32_t timespec[2] = { 0, 0 };
    xt_syscall(HOST_CLOCK_GETTIME, clock, (long)timespec, 0, 0, 0, 0);
    return (uint64_t)timespec[0] * 1000000000u + timespec[1];
}

uint64_t host_monotonic_us(void) {
    return clock_ns(CLOCK_MONOTONIC) / 1000;
}

uint64_t host_unix_time_ns(void) {
    return clock_ns(CLOCK_REALTIME);
}

static void *map(uintptr_t address, size_t len, int protection, int flags, long fd) {
    unsigned long p = (unsigned long)xt_syscall(HOST_MMAP2, (long)address, (long)len, protection,
        flags, fd, 0);
    return p > 0xfffff000ul ? NULL : (void *)p;
}

void *host_map_file(const char *path, size_t *len) {
    long fd = xt_syscall(HOST_OPEN, (long)path, OPEN_READ_WRITE, 0, 0, 0, 0);
    if (fd < 0) {
        return NULL;
    }
    long end = xt_syscall(HOST_LSEEK, fd, 0, SEEK_TO_END, 0, 0, 0);
    void *p = end > 0 ? map(0, (size_t)end, PROT_READ_WRITE, MAP_SHARED, fd) : NULL;
    xt_syscall(HOST_CLOSE, fd, 0, 0, 0, 0, 0);
    *len = (size_t)end;
    return p;
}

int host_open_log(const char *path) {
    return (int)xt_syscall(HOST_OPEN, (long)path, OPEN_WRITE | OPEN_APPEND, 0, 0, 0, 0);
}

bool host_write(int fd, const void *buf, size_t len) {
    const uint8_t *p = buf;
    while (len > 0) {
        long n = xt_syscall(HOST_WRITE, fd, (long)p, (long)len, 0, 0, 0);
        if (n <= 0) {
            return false;
        }
        p += n;
        len -= (size_t)n;
    }
    return true;
}

void *host_map_memory(uintptr_t address, size_t len) {
    return map(address, len, PROT_READ_WRITE_EXEC, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1);
}
