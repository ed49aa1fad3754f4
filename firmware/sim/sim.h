// What the parts of the simulated board's firmware share.
#ifndef WEDAU_SIM_SIM_H
#define WEDAU_SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "simboard.h"

#define SIM_FLASH_BLOCK_BYTES 4096
#define SIM_CUT_NEVER 3

// What the runner gives on the command line as NAME=VALUE, see args.c.
typedef struct {
    const char *flash; // flash file; its length is the size of the flash
    const char *page; // shared page (simboard.h)
    size_t heap_bytes;
    int reset_cause;
    uint8_t unique_id[6];
    uint32_t app; // where the running application lies in the flash; 0: the flash has no partitions
    const char *run; // Python to run in place of main.py; the board ends behind it
    const char *oplog; // every flash operation and read is appended to this file
    uint32_t cut_at; // the flash operation at which power is lost
    uint32_t cut_mode; // SIM_CUT_..., or SIM_CUT_NEVER
} sim_args_t;

extern sim_args_t sim_args;

bool sim_args_parse(int argc, char **argv);

// Stop with a message. Python must not go on after a failure of the virtual machine itself.
void sim_fatal(const char *what) __attribute__((noreturn));

// hal.c: the console, time and events.
bool sim_stdin_ended(void);
void sim_map_page(const char *path);
void sim_set_booted(void);
void sim_set_flash_ops(uint32_t n);
uint64_t sim_insns(void);
void sim_heed_only_interrupts(bool only);
// Wake the next sim_wait() up when fd is ready for the poll(2) events.
void sim_watch(int fd, int16_t events);

// flash.c
void sim_flash_map(const char *path);

// windows.S
void *xt_spill(void);

#endif // WEDAU_SIM_SIM_H
