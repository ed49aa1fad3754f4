// The default pins of every ESP32-S3-DevKitC-1, whatever its module.

#define MICROPY_HW_I2C0_SCL                 (9)
#define MICROPY_HW_I2C0_SDA                 (8)

// MicroPython's own default for SPI(2) is GPIO35 to 37, where an octal PSRAM is; these are free.
#define MICROPY_HW_SPI2_SCK                 (16)
#define MICROPY_HW_SPI2_MOSI                (15)
#define MICROPY_HW_SPI2_MISO                (17)
