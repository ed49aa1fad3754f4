#include "wd_ed25519.h"

#include "wd_sha512.h"

// Whole, so that a compiler can leave out what is not called.
#pragma GCC diagnostic ignored "-Wunused-function"
#include "monocypher.c"

// Whether bytes are the only right form of a point, if they are one: y below p = 2^255 - 19, and no
// sign where x is 0, which it is for y = 1 and y = -1. Monocypher takes the others, too.
static bool is_canonical(const uint8_t point[32]) {
    bool same = true; // bytes 1 to 30 are those of p
    bool none = true; // they are 0
    for (unsigned i = 1; i < 31; i++) {
        same = same && point[i] == 0xff;
        none = none && point[i] == 0;
    }
    bool sign = point[31] & 0x80;
    uint8_t last = point[31] & 0x7f;
    if (same && last == 0x7f) {
        return point[0] < (sign ? 0xec : 0xed); // 0xec is -1
    }
    return !(sign && none && last == 0 && point[0] == 1);
}

bool wd_ed25519_verify(const uint8_t key[WD_ED25519_KEY], const uint8_t signature[WD_ED25519_SIGNATURE],
    const uint8_t *message, size_t n) {
    if (!is_canonical(key) || !is_canonical(signature)) {
        return false;
    }
    uint8_t digest[WD_SHA512_BYTES], scalar[32];
    wd_sha512 hash;
    wd_sha512_begin(&hash);
    wd_sha512_update(&hash, signature, 32);
    wd_sha512_update(&hash, key, WD_ED25519_KEY);
    wd_sha512_update(&hash, message, n);
    wd_sha512_end(&hash, digest);
    crypto_eddsa_reduce(scalar, digest);
    return crypto_eddsa_check_equation(signature, key, scalar) == 0;
}
