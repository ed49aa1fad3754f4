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

// Exit codes. SIM_EXIT_REBOOT plus a reset cause (1 to 5) asks the runner to boot the board again.
#define SIM_EXIT_REBOOT 64
#define SIM_EXIT_FATAL 70
#define SIM_EXIT_USAGE 71

// Reset causes, the numbers of the esp32 port.
#define SIM_RESET_POWER_ON 1
#define SIM_RESET_HARD 2
#define SIM_RESET_DEEPSLEEP 4
#define SIM_RESET_SOFT 5

#endif // WEDAU_SIMBOARD_H
