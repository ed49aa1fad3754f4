// What the firmware, the counting plugin and the host's runner agree on.
//
// The runner (wedau.sim) reads the numbers from this file, so each stays on one line of the form
// "#define NAME number".
#ifndef WEDAU_SIMBOARD_H
#define WEDAU_SIMBOARD_H

// The shared page: one file that the plugin, the firmware and the runner map. Offsets in bytes.
#define SIM_PAGE_BYTES 4096
// uint64, written by the plugin: instructions executed since boot.
#define SIM_PAGE_INSNS 0
// uint32: the runner sets it after writing input to stdin, the firmware clears it before reading.
#define SIM_PAGE_INPUT 8
// uint32, written by the firmware: 1 once the file system is mounted and Python is about to start.
#define SIM_PAGE_BOOTED 12

// uint32: as SIM_PAGE_INPUT, but only when the input holds Ctrl-C.
#define SIM_PAGE_INTERRUPT 16

// uint32, written by the firmware: flash operations since boot.
#define SIM_PAGE_FLASH_OPS 20

// Exit codes. SIM_EXIT_REBOOT plus a reset cause (1 to 5) asks the runner to boot the board again.
#define SIM_EXIT_REBOOT 64
#define SIM_EXIT_FATAL 70
#define SIM_EXIT_USAGE 71
#define SIM_EXIT_POWER_LOSS 72
#define SIM_EXIT_EXCEPTION 73

// Reset causes, the numbers of the esp32 port.
#define SIM_RESET_POWER_ON 1
#define SIM_RESET_HARD 2
#define SIM_RESET_DEEPSLEEP 4
#define SIM_RESET_SOFT 5

// A record of the operation log: uint32 kind, address, length; behind it what is programmed. A read is
// logged, too, but is no operation. The cut modes: power goes before the operation, in its middle, or
// behind it.
#define SIM_OP_ERASE 0
#define SIM_OP_PROGRAM 1
#define SIM_OP_READ 2
#define SIM_CUT_BEFORE 0
#define SIM_CUT_HALF 1
#define SIM_CUT_AFTER 2

// An application's image has the form of ESP-IDF's, for a chip of its own. The load addresses say what
// a segment holds; on a chip such small ones are not loaded.
#define SIM_IMAGE_CHIP_ID 21335
#define SIM_IMAGE_DESCRIPTION 0
#define SIM_IMAGE_ELF 16
#define SIM_IMAGE_SCRIPT 32

#endif // WEDAU_SIMBOARD_H
