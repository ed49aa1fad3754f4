// libFuzzer target: any bytes as a patch, and any bytes as what a patch unpacks to. Whatever they are,
// nothing outside the old file is read, no more than the new file is written, and it makes no
// difference in which pieces the patch arrives.
//
// The first three bytes of an input say how long the old and the new file are, and the pieces.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wd_delta.h"

typedef struct {
    const uint8_t *old;
    uint32_t old_size;
    uint32_t written;
    uint32_t hash;
    wd_delta_io io;
} files;

static void require(int condition) {
    if (!condition) {
        abort();
    }
}

static bool read_old(void *context, uint32_t offset, size_t n) {
    files *f = context;
    require(n > 0 && n <= f->io.old_bytes && offset <= f->old_size && n <= f->old_size - offset);
    memcpy(f->io.old, f->old + offset, n);
    return true;
}

static bool write_new(void *context, size_t n) {
    files *f = context;
    require(n > 0 && n <= f->io.out_bytes);
    for (size_t i = 0; i < n; i++) {
        f->hash = (f->hash ^ f->io.out[i]) * 16777619u;
    }
    f->written += (uint32_t)n;
    return true;
}

// Apply it in pieces of this many bytes; return the hash of what is written.
static uint32_t apply(const uint8_t *patch, size_t size, const uint8_t *old, uint32_t old_size,
    uint32_t new_size, size_t piece, wd_delta_error *error) {
    static const size_t blocks[] = { 1, 7, 64, 300 };
    size_t block = blocks[piece % 4];
    files f = { .old = old, .old_size = old_size };
    f.io = (wd_delta_io) { read_old, write_new, &f, malloc(WD_DELTA_WINDOW_BYTES), malloc(block), block,
        malloc(block + 1), block + 1 };
    wd_delta delta;
    wd_delta_begin(&delta, &f.io, old_size, new_size);
    *error = WD_DELTA_OK;
    for (size_t at = 0; at < size && *error == WD_DELTA_OK; at += piece) {
        size_t n = size - at < piece ? size - at : piece;
        uint8_t *bytes = malloc(n); // of that size, so that ASan sees a step too far
        memcpy(bytes, patch + at, n);
        *error = wd_delta_feed(&delta, bytes, n);
        free(bytes);
    }
    require(*wd_delta_error_text(*error) != 0);
    require(f.written <= new_size);
    if (*error != WD_DELTA_OK) {
        require(!wd_delta_is_done(&delta));
        require(wd_delta_feed(&delta, patch, 1) == WD_DELTA_ERROR_STATE);
    } else if (wd_delta_is_done(&delta)) {
        require(f.written == new_size);
    }
    free(f.io.window);
    free(f.io.old);
    free(f.io.out);
    return wd_delta_is_done(&delta) ? f.hash : 0;
}

static void apply_twice(const uint8_t *patch, size_t size, uint32_t old_size, uint32_t new_size,
    size_t piece) {
    uint8_t *old = malloc(old_size ? old_size : 1);
    wd_delta_error one, other;
    for (uint32_t i = 0; i < old_size; i++) {
        old[i] = (uint8_t)(i * 167 + (i >> 3));
    }
    uint32_t hash = apply(patch, size, old, old_size, new_size, piece, &one);
    require(hash == apply(patch, size, old, old_size, new_size, 4 * size + 1, &other));
    require(one == other);
    free(old);
}

// Put bytes into heatshrink's form, each by itself.
static size_t pack(const uint8_t *bytes, size_t n, uint8_t *out) {
    uint32_t bits = 0;
    unsigned n_bits = 0;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        bits = bits << 9 | 0x100 | bytes[i];
        n_bits += 9;
        while (n_bits >= 8) {
            n_bits -= 8;
            out[at++] = (uint8_t)(bits >> n_bits);
        }
    }
    if (n_bits) {
        out[at++] = (uint8_t)(bits << (8 - n_bits));
    }
    return at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 3) {
        return 0;
    }
    uint32_t old_size = data[0] * 5u, new_size = data[1] & 0x3f;
    size_t piece = 1 + data[2] % 40u;
    apply_twice(data + 3, size - 3, old_size, data[1] * 3u, piece);
    uint8_t *patch = malloc(2 * size + 8);
    memcpy(patch, "\x04\x00\x00", 3); // with the smallest window
    patch[1] = (uint8_t)new_size;
    apply_twice(patch, 3 + pack(data + 3, size - 3, patch + 3), old_size, new_size, piece);
    free(patch);
    return 0;
}
