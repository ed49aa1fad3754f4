#define MICROPY_HW_BOARD_NAME               "Arduino Nano ESP32"
#define MICROPY_PY_NETWORK_HOSTNAME_DEFAULT "nano-esp32"

#define MICROPY_HW_I2C0_SCL                 (12)
#define MICROPY_HW_I2C0_SDA                 (11)

#define MICROPY_HW_I2C1_SCL                 (9)
#define MICROPY_HW_I2C1_SDA                 (8)

#define MICROPY_HW_SPI1_SCK                 (48)
#define MICROPY_HW_SPI1_MOSI                (38)
#define MICROPY_HW_SPI1_MISO                (47)

// MicroPython's own default for SPI(2) is GPIO35 to 37, where the octal PSRAM is; these are free.
#define MICROPY_HW_SPI2_SCK                 (18)
#define MICROPY_HW_SPI2_MOSI                (10)
#define MICROPY_HW_SPI2_MISO                (17)

#include "../shared/wedau_board.h"
