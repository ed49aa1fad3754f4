// MicroPython on the simulated board: boot, REPL, soft reset, garbage collection, fatal errors.

#include <string.h>

#include "py/cstack.h"
#include "py/gc.h"
#include "py/mphal.h"
#include "py/mpprint.h"
#include "py/runtime.h"
#include "shared/readline/readline.h"
#include "shared/runtime/pyexec.h"
#include "host.h"
#include "partitions.h"
#include "sim.h"

// Fixed, so that counts do not depend on where the host happens to have room.
#define HEAP_ADDRESS 0x30000000

// More than the frame of a function that calls no other.
#define FRAME_BYTES 256

int errno;
extern char sim_stack_top[];

void sim_fatal(const char *what) {
    mp_hal_stdout_tx_str("\r\nFATAL: ");
    mp_hal_stdout_tx_str(what);
    mp_hal_stdout_tx_str("\r\n");
    host_exit(SIM_EXIT_FATAL);
}

void nlr_jump_fail(void *val) {
    mp_hal_stdout_tx_str("\r\n");
    mp_obj_print_exception(&mp_plat_print, MP_OBJ_FROM_PTR(val));
    sim_fatal("exception outside of any handler");
}

void __assert_func(const char *file, int line, const char *function, const char *condition) {
    mp_printf(&mp_plat_print, "\r\n%s:%d %s", file, line, function);
    sim_fatal(condition);
}

void gc_collect(void) {
    char *bottom = xt_spill();
    gc_collect_start();
    gc_collect_root((void **)(void *)bottom, (size_t)(sim_stack_top - bottom) / sizeof(void *));
    gc_collect_end();
}

static void boot_file_system(void) {
    if (sim_args.flash != NULL) {
        pyexec_frozen_module("_boot.py", false);
    }
    gc_collect();
    sim_set_booted();
}

static int run_text(const char *text, size_t len) {
    vstr_t source = { .alloc = len, .len = len, .buf = (char *)text, .fixed_buf = true };
    return pyexec_vstr(&source, true);
}

// The Python that the application's image carries, if any.
static int run_app_script(void) {
    size_t len;
    const char *script = sim_args.app == 0 ? NULL : sim_app_script(&len);
    return script == NULL ? 1 : run_text(script, len);
}

// Run the host's file in place of main.py, and end.
static void run_host_file(void) {
    size_t len;
    const char *text = host_map_file(sim_args.run, &len);
    if (text == NULL) {
        sim_fatal("the file to run cannot be mapped");
    }
    host_exit(run_text(text, len) == 0 ? SIM_EXIT_EXCEPTION : 0);
}

static void run_user_files(void) {
    int ret = run_app_script();
    if (!(ret & PYEXEC_FORCED_EXIT)) {
        ret = pyexec_file_if_exists("boot.py");
    }
    if (sim_args.run != NULL) {
        run_host_file();
    }
    if (!(ret & PYEXEC_FORCED_EXIT) && pyexec_mode_kind == PYEXEC_MODE_FRIENDLY_REPL && ret != 0) {
        pyexec_file_if_exists("main.py");
    }
}

static void run_repl(void) {
    for (;;) {
        int ret = pyexec_mode_kind == PYEXEC_MODE_RAW_REPL ? pyexec_raw_repl() : pyexec_friendly_repl();
        if (ret != 0) {
            break;
        }
    }
}

static void run_python(char *heap) {
    sim_heed_only_interrupts(false);
    mp_cstack_init_with_top(sim_stack_top, SIM_STACK_BYTES);
    gc_init(heap, heap + sim_args.heap_bytes);
    mp_init();
    mp_obj_list_append(mp_sys_path, MP_OBJ_NEW_QSTR(MP_QSTR__slash_lib));
    readline_init0();
    boot_file_system();
    run_user_files();
    run_repl();
    mp_hal_stdout_tx_str("MPY: soft reboot\r\n");
    gc_sweep_all();
    mp_deinit();
    sim_args.reset_cause = SIM_RESET_SOFT;
}

// Each run starts from the same memory: littlefs' stat, for one, looks at what was on the stack
// before, and its count would depend on what ran before the reset.
static void clear_stack(void) {
    volatile char here = 0;
    volatile uint32_t *bottom = (volatile uint32_t *)(void *)(sim_stack_top - SIM_STACK_BYTES);
    size_t words = ((size_t)((char *)&here - (char *)bottom) - FRAME_BYTES) / sizeof(*bottom);
    for (size_t i = 0; i < words; ++i) {
        bottom[i] = 0;
    }
}

void sim_main(uint32_t *entry_stack) {
    if (!sim_args_parse((int)entry_stack[0], (char **)(entry_stack + 1))) {
        mp_hal_stdout_tx_str("usage: firmware.elf [flash=FILE] [page=FILE] [heap=BYTES] [cause=N] [id=HEX]\r\n"
            "    [app=OFFSET] [run=FILE] [oplog=FILE] [cut=N:MODE]\r\n");
        host_exit(SIM_EXIT_USAGE);
    }
    if (sim_args.page != NULL) {
        sim_map_page(sim_args.page);
    }
    if (sim_args.flash != NULL) {
        sim_flash_map(sim_args.flash);
        if (sim_args.app != 0) {
            sim_partitions_load();
        }
    }
    for (;;) {
        char *heap = host_map_memory(HEAP_ADDRESS, sim_args.heap_bytes);
        if (heap == NULL) {
            sim_fatal("no memory for the heap");
        }
        clear_stack();
        run_python(heap);
    }
}
