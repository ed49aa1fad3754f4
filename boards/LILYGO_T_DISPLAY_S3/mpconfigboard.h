#define MICROPY_HW_BOARD_NAME               "LilyGO T-Display-S3"
#define MICROPY_PY_NETWORK_HOSTNAME_DEFAULT "t-display-s3"

#define MICROPY_HW_I2C0_SCL                 (17)
#define MICROPY_HW_I2C0_SDA                 (18)

#define MICROPY_HW_SPI1_SCK                 (12)
#define MICROPY_HW_SPI1_MOSI                (11)
#define MICROPY_HW_SPI1_MISO                (13)

// MicroPython's own default for SPI(2) is GPIO35 to 37, where the octal PSRAM is; these are free.
#define MICROPY_HW_SPI2_SCK                 (1)
#define MICROPY_HW_SPI2_MOSI                (2)
#define MICROPY_HW_SPI2_MISO                (3)

#include "../shared/wedau_board.h"
