// See partitions.h. Source: ESP-IDF 5.5, components/esp_partition and components/app_update.

#include <string.h>

#include "py/mphal.h"
#include "appimage.h"
#include "flash.h"
#include "host.h"
#include "partitions.h"
#include "sim.h"

#define TABLE_ADDRESS 0x8000
#define ENTRY_BYTES 32
#define ENTRIES_MAX 95
#define ENTRY_MAGIC 0x50aa
#define FLAG_READONLY 2

#define SUBTYPE_FACTORY 0x00
#define SUBTYPE_OTA_0 0x10
#define SUBTYPE_OTA_END 0x20
#define SUBTYPE_TEST 0x20
#define SUBTYPE_OTADATA 0x00

#define OTA_STATE_NEW 0
#define OTA_STATE_VALID 2
#define OTA_STATE_INVALID 3
#define OTA_STATE_ABORTED 4

typedef struct {
    uint16_t magic;
    uint8_t type;
    uint8_t subtype;
    uint32_t offset;
    uint32_t size;
    char label[16];
    uint32_t flags;
} table_entry_t;
_Static_assert(sizeof(table_entry_t) == ENTRY_BYTES, "as in the flash");

typedef struct {
    uint32_t seq;
    uint8_t label[20];
    uint32_t state;
    uint32_t crc;
} ota_entry_t;
_Static_assert(sizeof(ota_entry_t) == 32, "as in the flash");

static sim_partition_t partitions[ENTRIES_MAX];
static size_t n_partitions;

static void add_partition(const table_entry_t *entry) {
    size_t bytes = sim_flash_bytes();
    if (entry->offset % SIM_FLASH_BLOCK_BYTES != 0 || entry->size % SIM_FLASH_BLOCK_BYTES != 0
        || entry->offset > bytes || entry->size > bytes - entry->offset) {
        sim_fatal("a partition does not lie in the flash");
    }
    sim_partition_t *part = &partitions[n_partitions++];
    part->type = entry->type;
    part->subtype = entry->subtype;
    part->readonly = (entry->flags & FLAG_READONLY) != 0;
    part->address = entry->offset;
    part->size = entry->size;
    memcpy(part->label, entry->label, sizeof(entry->label)); // the last byte stays 0
}

// The runner's boot loader has verified the checksum.
void sim_partitions_load(void) {
    if (sim_flash_bytes() < TABLE_ADDRESS + (ENTRIES_MAX + 1) * ENTRY_BYTES) {
        sim_fatal("the flash is too small for partitions");
    }
    for (size_t i = 0; i < ENTRIES_MAX; ++i) {
        table_entry_t entry;
        memcpy(&entry, sim_flash_read(TABLE_ADDRESS + i * ENTRY_BYTES, sizeof(entry)), sizeof(entry));
        if (entry.magic != ENTRY_MAGIC) {
            break;
        }
        add_partition(&entry);
    }
    if (sim_ota_running() == NULL) {
        sim_fatal("the running application is in no partition");
    }
}

const sim_partition_t *sim_partition_next(const sim_partition_t *after, unsigned type, unsigned subtype, const char *label) {
    if (type == PARTITION_ANY && subtype != PARTITION_ANY) {
        return NULL;
    }
    const sim_partition_t *end = partitions + n_partitions;
    for (const sim_partition_t *p = after == NULL ? partitions : after + 1; p < end; ++p) {
        if ((type == PARTITION_ANY || type == p->type) && (subtype == PARTITION_ANY || subtype == p->subtype)
            && (label == NULL || strcmp(label, p->label) == 0)) {
            return p;
        }
    }
    return NULL;
}

static const sim_partition_t *find(unsigned type, unsigned subtype) {
    return sim_partition_next(NULL, type, subtype, NULL);
}

static esp_err_t check_range(const sim_partition_t *part, uint32_t offset, size_t len) {
    if (offset > part->size) {
        return ESP_ERR_INVALID_ARG;
    }
    return len > part->size - offset ? ESP_ERR_INVALID_SIZE : ESP_OK;
}

// CONFIG_SPI_FLASH_DANGEROUS_WRITE_ABORTS: the chip panics and starts anew.
static void refuse_running(const sim_partition_t *part) {
    if (part->type == PARTITION_TYPE_APP && part == sim_ota_running()) {
        mp_hal_stdout_tx_str("\r\nabort(): a write to the partition of the running application\r\n");
        host_exit(SIM_EXIT_REBOOT + SIM_RESET_HARD);
    }
}

esp_err_t sim_partition_read(const sim_partition_t *part, uint32_t offset, void *to, size_t len) {
    esp_err_t err = check_range(part, offset, len);
    if (err == ESP_OK) {
        memcpy(to, sim_flash_read(part->address + offset, len), len);
    }
    return err;
}

esp_err_t sim_partition_write(const sim_partition_t *part, uint32_t offset, const void *from, size_t len) {
    esp_err_t err = part->readonly ? ESP_ERR_NOT_ALLOWED : check_range(part, offset, len);
    if (err == ESP_OK) {
        refuse_running(part);
        sim_flash_program(part->address + offset, from, len);
    }
    return err;
}

esp_err_t sim_partition_erase(const sim_partition_t *part, uint32_t offset, size_t len) {
    esp_err_t err = part->readonly ? ESP_ERR_NOT_ALLOWED : check_range(part, offset, len);
    if (err == ESP_OK && len % SIM_FLASH_BLOCK_BYTES != 0) {
        err = ESP_ERR_INVALID_SIZE;
    }
    if (err == ESP_OK && offset % SIM_FLASH_BLOCK_BYTES != 0) {
        err = ESP_ERR_INVALID_ARG;
    }
    if (err == ESP_OK) {
        refuse_running(part);
        sim_flash_erase(part->address + offset, len);
    }
    return err;
}

// zlib's CRC-32 of the sequence number, begun with all ones: esp_rom_crc32_le(UINT32_MAX, seq, 4).
static uint32_t ota_crc(uint32_t seq) {
    uint32_t crc = 0;
    for (int i = 0; i < 32; ++i) {
        uint32_t bit = (crc ^ seq >> i) & 1;
        crc = crc >> 1 ^ (bit ? 0xedb88320u : 0);
    }
    return ~crc;
}

static bool ota_usable(const ota_entry_t *entry) {
    return entry->seq != UINT32_MAX && entry->state != OTA_STATE_INVALID && entry->state != OTA_STATE_ABORTED;
}

// Which of the two entries counts; -1: none.
static int ota_active(const ota_entry_t *entries) {
    bool valid[2];
    for (int i = 0; i < 2; ++i) {
        valid[i] = ota_usable(&entries[i]) && entries[i].crc == ota_crc(entries[i].seq);
    }
    if (valid[0] && valid[1]) {
        return entries[0].seq >= entries[1].seq ? 0 : 1;
    }
    return valid[0] ? 0 : valid[1] ? 1 : -1;
}

static const sim_partition_t *read_otadata(ota_entry_t *entries) {
    const sim_partition_t *part = find(PARTITION_TYPE_DATA, SUBTYPE_OTADATA);
    if (part == NULL || part->size < 2 * SIM_FLASH_BLOCK_BYTES) {
        return NULL;
    }
    for (uint32_t i = 0; i < 2; ++i) {
        sim_partition_read(part, i * SIM_FLASH_BLOCK_BYTES, &entries[i], sizeof(entries[i]));
    }
    return part;
}

static esp_err_t write_otadata(const sim_partition_t *part, uint32_t sector, ota_entry_t *entry) {
    entry->crc = ota_crc(entry->seq);
    esp_err_t err = sim_partition_erase(part, sector * SIM_FLASH_BLOCK_BYTES, SIM_FLASH_BLOCK_BYTES);
    if (err == ESP_OK) {
        err = sim_partition_write(part, sector * SIM_FLASH_BLOCK_BYTES, entry, sizeof(*entry));
    }
    return err;
}

static uint32_t count_slots(void) {
    uint32_t n = 0;
    while (n < SUBTYPE_OTA_END - SUBTYPE_OTA_0 && find(PARTITION_TYPE_APP, SUBTYPE_OTA_0 + n) != NULL) {
        ++n;
    }
    return n;
}

static const sim_partition_t *default_boot(void) {
    const sim_partition_t *part = find(PARTITION_TYPE_APP, SUBTYPE_FACTORY);
    for (unsigned i = SUBTYPE_OTA_0; part == NULL && i <= SUBTYPE_TEST; ++i) {
        part = find(PARTITION_TYPE_APP, i);
    }
    return part;
}

const sim_partition_t *sim_ota_boot(void) {
    ota_entry_t entries[2];
    if (read_otadata(entries) == NULL) {
        return NULL;
    }
    uint32_t slots = count_slots();
    int active = ota_active(entries);
    if (slots == 0 || active < 0) {
        return default_boot();
    }
    return find(PARTITION_TYPE_APP, SUBTYPE_OTA_0 + (entries[active].seq - 1) % slots);
}

const sim_partition_t *sim_ota_running(void) {
    for (size_t i = 0; i < n_partitions; ++i) {
        if (partitions[i].type == PARTITION_TYPE_APP && partitions[i].address == sim_args.app) {
            return &partitions[i];
        }
    }
    return NULL;
}

const sim_partition_t *sim_ota_next_update(const sim_partition_t *from) {
    const sim_partition_t *first = NULL;
    bool take_next = false;
    for (unsigned i = SUBTYPE_OTA_0; i < SUBTYPE_OTA_END; ++i) {
        const sim_partition_t *part = find(PARTITION_TYPE_APP, i);
        if (part == NULL) {
            continue;
        }
        if (take_next) {
            return part;
        }
        first = first == NULL ? part : first;
        take_next = part == from;
    }
    return first;
}

// The next sequence number, not below `seq`, that stands for the slot.
static uint32_t next_seq(uint32_t seq, uint32_t slot, uint32_t slots) {
    uint32_t base = (slot + 1) % slots;
    return seq <= base ? base : base + (seq - base + slots - 1) / slots * slots;
}

static esp_err_t select_slot(uint32_t slot) {
    ota_entry_t entries[2];
    const sim_partition_t *part = read_otadata(entries);
    if (part == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    uint32_t slots = count_slots();
    if (slot >= slots) {
        return ESP_ERR_INVALID_ARG;
    }
    int active = ota_active(entries);
    uint32_t sector = active == 0 ? 1 : 0;
    entries[sector].seq = active < 0 ? slot + 1 : next_seq(entries[active].seq, slot, slots);
    entries[sector].state = OTA_STATE_NEW;
    return write_otadata(part, sector, &entries[sector]);
}

esp_err_t sim_ota_set_boot(const sim_partition_t *part) {
    if (!sim_image_verify(part->address, part->size)) {
        return ESP_ERR_OTA_VALIDATE_FAILED;
    }
    if (part->type != PARTITION_TYPE_APP) {
        return ESP_ERR_INVALID_ARG;
    }
    if (part->subtype == SUBTYPE_FACTORY) {
        const sim_partition_t *otadata = find(PARTITION_TYPE_DATA, SUBTYPE_OTADATA);
        return otadata == NULL ? ESP_ERR_NOT_FOUND : sim_partition_erase(otadata, 0, otadata->size);
    }
    return select_slot(part->subtype & 0x0f);
}

esp_err_t sim_ota_mark_valid(void) {
    ota_entry_t entries[2];
    const sim_partition_t *part = read_otadata(entries);
    if (part == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    int active = ota_active(entries);
    if (active < 0 || count_slots() == 0) {
        return ESP_FAIL;
    }
    if (entries[active].state == OTA_STATE_VALID) {
        return ESP_OK;
    }
    entries[active].state = OTA_STATE_VALID;
    return write_otadata(part, (uint32_t)active, &entries[active]);
}

const char *sim_app_script(size_t *len) {
    const sim_partition_t *part = sim_ota_running();
    return part == NULL ? NULL : sim_image_script(part->address, part->size, len);
}
