#define MICROPY_HW_BOARD_NAME               "Unexpected Maker FeatherS3"
#define MICROPY_PY_NETWORK_HOSTNAME_DEFAULT "feathers3"

#define MICROPY_HW_I2C0_SCL                 (9)
#define MICROPY_HW_I2C0_SDA                 (8)

#define MICROPY_HW_I2C1_SCL                 (15)
#define MICROPY_HW_I2C1_SDA                 (16)

#define MICROPY_HW_SPI1_SCK                 (36)
#define MICROPY_HW_SPI1_MOSI                (35)
#define MICROPY_HW_SPI1_MISO                (37)

#include "../shared/wedau_board.h"
