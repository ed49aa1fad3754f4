#define MICROPY_HW_BOARD_NAME               "Seeed Studio XIAO ESP32S3"
#define MICROPY_PY_NETWORK_HOSTNAME_DEFAULT "xiao-esp32s3"

#define MICROPY_HW_I2C0_SCL                 (6)
#define MICROPY_HW_I2C0_SDA                 (5)

#define MICROPY_HW_SPI1_SCK                 (7)
#define MICROPY_HW_SPI1_MOSI                (9)
#define MICROPY_HW_SPI1_MISO                (8)

// MicroPython's own default for SPI(2) is GPIO35 to 37, where the octal PSRAM is; these are free.
#define MICROPY_HW_SPI2_SCK                 (2)
#define MICROPY_HW_SPI2_MOSI                (3)
#define MICROPY_HW_SPI2_MISO                (4)

#include "../shared/wedau_board.h"
