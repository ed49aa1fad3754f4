// What all our boards have in common; included at the end of each mpconfigboard.h.

#define MICROPY_HW_MCU_NAME                 "ESP32S3"

// The REPL is on USB, and on UART0 (GPIO43, GPIO44), which USB would switch off.
#define MICROPY_HW_ENABLE_UART_REPL         (1)

// A computer tells the boards apart by the name of the USB device.
#define MICROPY_HW_USB_MANUFACTURER_STRING  "Wedau"
#define MICROPY_HW_USB_PRODUCT_FS_STRING    MICROPY_HW_BOARD_NAME
