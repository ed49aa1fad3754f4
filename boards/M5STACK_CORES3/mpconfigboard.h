#define MICROPY_HW_BOARD_NAME               "M5Stack CoreS3"
#define MICROPY_PY_NETWORK_HOSTNAME_DEFAULT "cores3"

#define MICROPY_HW_I2C0_SCL                 (11)
#define MICROPY_HW_I2C0_SDA                 (12)

// The Grove socket, port A.
#define MICROPY_HW_I2C1_SCL                 (1)
#define MICROPY_HW_I2C1_SDA                 (2)

#define MICROPY_HW_SPI1_SCK                 (36)
#define MICROPY_HW_SPI1_MOSI                (37)
#define MICROPY_HW_SPI1_MISO                (35)

// MicroPython's own default for SPI(2) is where SPI(1) is here; these are ports B and C.
#define MICROPY_HW_SPI2_SCK                 (17)
#define MICROPY_HW_SPI2_MOSI                (9)
#define MICROPY_HW_SPI2_MISO                (8)

#include "../shared/wedau_board.h"
