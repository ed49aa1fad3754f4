// See appimage.h. Source: ESP-IDF 5.5, components/bootloader_support/src/esp_image_format.c. Its twin on
// the host, which also writes images, is tools/wedau/sim/app_image.py.

#include <string.h>

#include "lib/crypto-algorithms/sha256.h"
#include "appimage.h"
#include "flash.h"
#include "simboard.h"

#define IMAGE_MAGIC 0xe9
#define SEGMENTS_MAX 16
#define CHECKSUM_START 0xef
#define HASH_BYTES 32

typedef struct {
    uint8_t magic;
    uint8_t n_segments;
    uint8_t spi[2];
    uint32_t entry;
    uint8_t pins[4];
    uint16_t chip_id;
    uint8_t revisions[9];
    uint8_t has_hash;
} image_header_t;
_Static_assert(sizeof(image_header_t) == 24, "as in the flash");

typedef struct {
    uint32_t load_address;
    uint32_t len;
} segment_header_t;

typedef struct {
    size_t len; // up to the end of the last segment
    uint8_t checksum;
    bool has_hash;
    const uint8_t *script;
    size_t script_len;
} image_t;

static uint8_t checksum_of(const uint8_t *data, size_t len) {
    uint8_t sum = 0;
    for (size_t i = 0; i < len; ++i) {
        sum ^= data[i];
    }
    return sum;
}

// Follow the segments; false if they do not lie in the room.
static bool walk(const uint8_t *image, size_t room, bool sum, image_t *out) {
    image_header_t header;
    if (room < sizeof(header)) {
        return false;
    }
    memcpy(&header, image, sizeof(header));
    if (header.magic != IMAGE_MAGIC || header.chip_id != SIM_IMAGE_CHIP_ID || header.n_segments > SEGMENTS_MAX) {
        return false;
    }
    *out = (image_t) { .len = sizeof(header), .checksum = CHECKSUM_START, .has_hash = header.has_hash != 0 };
    for (size_t i = 0; i < header.n_segments; ++i) {
        segment_header_t segment;
        if (room - out->len < sizeof(segment)) {
            return false;
        }
        memcpy(&segment, image + out->len, sizeof(segment));
        out->len += sizeof(segment);
        if (segment.len % 4 != 0 || segment.len > room - out->len) {
            return false;
        }
        if (segment.load_address == SIM_IMAGE_SCRIPT) {
            out->script = image + out->len;
            out->script_len = segment.len;
        }
        out->checksum ^= sum ? checksum_of(image + out->len, segment.len) : 0;
        out->len += segment.len;
    }
    return true;
}

bool sim_image_verify(uint32_t address, size_t room) {
    const uint8_t *start = sim_flash_read(address, room);
    image_t image;
    if (!walk(start, room, true, &image)) {
        return false;
    }
    size_t len = (image.len + 1 + 15) & ~(size_t)15; // the checksum is the last byte of 16
    if (len > room || start[len - 1] != image.checksum) {
        return false;
    }
    if (!image.has_hash) {
        return true;
    }
    if (room - len < HASH_BYTES) {
        return false;
    }
    CRYAL_SHA256_CTX sha;
    uint8_t hash[HASH_BYTES];
    sha256_init(&sha);
    sha256_update(&sha, start, len);
    sha256_final(&sha, hash);
    return memcmp(hash, start + len, HASH_BYTES) == 0;
}

const char *sim_image_script(uint32_t address, size_t room, size_t *len) {
    image_t image;
    if (!walk(sim_flash_read(address, room), room, false, &image) || image.script == NULL) {
        return NULL;
    }
    *len = image.script_len;
    return (const char *)image.script;
}
