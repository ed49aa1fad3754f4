// Ed25519 signatures (RFC 8032, without context or prehash): checking them.
//
// The arithmetic on the curve is Monocypher's, which the build brings along (wedau.build.monocypher);
// SHA-512 is wd_sha512.c. What is checked is public: nothing here hides its time.

#ifndef WD_ED25519_H
#define WD_ED25519_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WD_ED25519_KEY 32
#define WD_ED25519_SIGNATURE 64

// Whether this key signed these n bytes. Refused are S that is L or more, and a key or R that is no
// point of the curve or not in its canonical form; the equation is the one with cofactor 8.
bool wd_ed25519_verify(const uint8_t key[WD_ED25519_KEY], const uint8_t signature[WD_ED25519_SIGNATURE],
    const uint8_t *message, size_t n);

#endif
