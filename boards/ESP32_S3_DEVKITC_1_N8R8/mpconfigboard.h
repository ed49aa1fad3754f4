#define MICROPY_HW_BOARD_NAME               "Espressif ESP32-S3-DevKitC-1-N8R8"
#define MICROPY_PY_NETWORK_HOSTNAME_DEFAULT "devkitc-1-n8r8"

#include "../shared/devkitc_1.h"
#include "../shared/wedau_board.h"
