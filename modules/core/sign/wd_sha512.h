// SHA-512 (FIPS 180-4), in pieces of any length.

#ifndef WD_SHA512_H
#define WD_SHA512_H

#include <stddef.h>
#include <stdint.h>

#define WD_SHA512_BYTES 64
#define WD_SHA512_BLOCK 128

typedef struct {
    uint64_t state[8];
    uint64_t length; // bytes so far
    uint8_t block[WD_SHA512_BLOCK];
} wd_sha512;

void wd_sha512_begin(wd_sha512 *hash);

// Take n bytes more; all pieces together at most 2^61 bytes.
void wd_sha512_update(wd_sha512 *hash, const uint8_t *data, size_t n);

// The hash of all pieces; afterwards the next one needs wd_sha512_begin().
void wd_sha512_end(wd_sha512 *hash, uint8_t out[WD_SHA512_BYTES]);

#endif
