// The flash's partitions, and what ESP-IDF does with them: esp_partition, esp_ota_ops, esp_image_format.
// The names and the error codes are those of ESP-IDF's functions.
#ifndef WEDAU_SIM_PARTITIONS_H
#define WEDAU_SIM_PARTITIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    ESP_OK = 0,
    ESP_FAIL = -1,
    ESP_ERR_INVALID_ARG = 0x102,
    ESP_ERR_INVALID_SIZE = 0x104,
    ESP_ERR_NOT_FOUND = 0x105,
    ESP_ERR_NOT_ALLOWED = 0x10d,
    ESP_ERR_OTA_VALIDATE_FAILED = 0x1503,
} esp_err_t;

#define PARTITION_TYPE_APP 0x00
#define PARTITION_TYPE_DATA 0x01
#define PARTITION_ANY 0xff

typedef struct {
    uint8_t type;
    uint8_t subtype;
    bool readonly;
    uint32_t address;
    uint32_t size;
    char label[17];
} sim_partition_t;

// Read the table from the flash, which has been mapped.
void sim_partitions_load(void);

// The first partition behind `after` (NULL: of all) that fits; a label of NULL fits any. NULL: none.
const sim_partition_t *sim_partition_next(const sim_partition_t *after, unsigned type, unsigned subtype, const char *label);

esp_err_t sim_partition_read(const sim_partition_t *part, uint32_t offset, void *to, size_t len);
esp_err_t sim_partition_write(const sim_partition_t *part, uint32_t offset, const void *from, size_t len);
esp_err_t sim_partition_erase(const sim_partition_t *part, uint32_t offset, size_t len);

const sim_partition_t *sim_ota_boot(void);
const sim_partition_t *sim_ota_running(void);
const sim_partition_t *sim_ota_next_update(const sim_partition_t *from);
esp_err_t sim_ota_set_boot(const sim_partition_t *part);
esp_err_t sim_ota_mark_valid(void);

// The script that the running application carries, or NULL.
const char *sim_app_script(size_t *len);

#endif // WEDAU_SIM_PARTITIONS_H
