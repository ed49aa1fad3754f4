#define MICROPY_HW_BOARD_NAME               "M5Stack AtomS3"
#define MICROPY_PY_NETWORK_HOSTNAME_DEFAULT "atoms3"

#define MICROPY_HW_I2C0_SCL                 (39)
#define MICROPY_HW_I2C0_SDA                 (38)

// The Grove socket.
#define MICROPY_HW_I2C1_SCL                 (1)
#define MICROPY_HW_I2C1_SDA                 (2)

// MicroPython's own defaults for SPI(1) lead nowhere here; these are pins at the bottom.
#define MICROPY_HW_SPI1_SCK                 (7)
#define MICROPY_HW_SPI1_MOSI                (6)
#define MICROPY_HW_SPI1_MISO                (5)

#include "../shared/wedau_board.h"
