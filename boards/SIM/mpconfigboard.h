// The simulated board: an ESP32-S3 without PSRAM and with 8 MB of flash, as far as Python can see.
// The host's runner reads the numbers, so each stays on one line of the form "#define NAME number".

#define MICROPY_HW_BOARD_NAME "Wedau simulated board"
#define MICROPY_HW_MCU_NAME "simulated ESP32-S3"

// Python heap, bytes: what upstream's firmware reports on an ESP32-S3 that uses internal RAM only,
// micropython.mem_info() "GC: total: 64000 (of 65536) ... max new split: 139264": 65536 + 139264.
// (Reported with v1.24 in lvgl_micropython's issue 244; v1.23 gave 127936 + 69632.)
#define SIM_HEAP_BYTES 204800

// File system, bytes: the vfs partition of upstream's 8 MB layout (8 MiB less the first 2 MiB).
#define SIM_FLASH_BYTES 6291456

// C stack of the MicroPython task, bytes: MICROPY_TASK_STACK_SIZE of the esp32 port.
#define SIM_STACK_BYTES 16384
