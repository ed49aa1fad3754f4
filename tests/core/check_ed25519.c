// Checks the signatures in a file: for each its key, signature, length of message (u32) and message.
// Prints 1 for each that holds and 0 for each that does not.

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wd_ed25519.h"
#include "wd_sha512.h"

static void require(int condition) {
    if (!condition) {
        abort();
    }
}

static uint8_t *take(FILE *file, size_t n) {
    uint8_t *bytes = malloc(n ? n : 1); // of that size, so that ASan sees a step too far
    require(bytes != NULL && fread(bytes, 1, n, file) == n);
    return bytes;
}

// The hash of the file in pieces of all lengths, to compare with another's.
static void print_hash(const char *path) {
    uint8_t piece[300], digest[WD_SHA512_BYTES];
    wd_sha512 hash;
    wd_sha512_begin(&hash);
    FILE *file = fopen(path, "rb");
    require(file != NULL);
    size_t want = 0, got;
    do {
        got = fread(piece, 1, want, file);
        wd_sha512_update(&hash, piece, got);
        want = (want + 1) % sizeof(piece);
    } while (!feof(file));
    fclose(file);
    wd_sha512_end(&hash, digest);
    for (size_t i = 0; i < sizeof(digest); i++) {
        printf("%02x", digest[i]);
    }
    printf("\n");
}

int main(int argc, char **argv) {
    require(argc == 2);
    print_hash(argv[1]);
    FILE *file = fopen(argv[1], "rb");
    require(file != NULL);
    for (int next = fgetc(file); next != EOF; next = fgetc(file)) {
        ungetc(next, file);
        uint8_t *key = take(file, WD_ED25519_KEY), *signature = take(file, WD_ED25519_SIGNATURE);
        uint32_t length;
        require(fread(&length, sizeof(length), 1, file) == 1);
        uint8_t *message = take(file, length);
        printf("%d", wd_ed25519_verify(key, signature, message, length));
        free(message);
        free(signature);
        free(key);
    }
    printf("\n");
    fclose(file);
    return 0;
}
