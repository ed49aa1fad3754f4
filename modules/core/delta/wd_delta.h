// Patches of detools 0.53, of type sequential with compression heatshrink, applied while they arrive.
//
// A patch, after docs/reference of detools: a byte 0x04, the size of the new file, a byte with the sizes
// of heatshrink's window and lookahead, and a heatshrink stream of: 0 (no data format), then until the
// new file is complete: size and bytes of a difference, added to as many old bytes; size and bytes of
// what is new; how far the position in the old file moves, besides. Numbers are signed: a byte with 6
// bits, its bit 6 the sign and bit 7 saying that more follow, then bytes with 7 bits each.
//
// Nothing is written outside the caller's memory and nothing read outside the old file, whatever the
// patch says. The result still has to be checked by its hash: a patch has no checksum of its own.

#ifndef WD_DELTA_H
#define WD_DELTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WD_DELTA_MAX_WINDOW_BITS 12
#define WD_DELTA_WINDOW_BYTES (1 << WD_DELTA_MAX_WINDOW_BITS)
#define WD_DELTA_MAX_FILE_BYTES 0x1fffffff // old and new

// Numbers that the host needs, by name.
#define WD_DELTA_LIMITS(X) \
    X(DELTA_MAX_WINDOW_BITS, WD_DELTA_MAX_WINDOW_BITS) \
    X(DELTA_MAX_FILE_BYTES, WD_DELTA_MAX_FILE_BYTES)

#define WD_DELTA_ERRORS(X) \
    X(FORMAT, "not a patch of type sequential with heatshrink") \
    X(WINDOW, "the patch needs a larger window, or its lookahead is not below its window") \
    X(NUMBER, "a number in the patch is not one") \
    X(SIZE, "the patch makes a file of another size") \
    X(RANGE, "the patch reaches outside the old or the new file") \
    X(TRAILING, "something follows the patch") \
    X(IO, "the old file cannot be read or the new one not written") \
    X(STATE, "the patch has failed before")

typedef enum {
    WD_DELTA_OK,
#define WD_DELTA_ENUM(name, text) WD_DELTA_ERROR_##name,
    WD_DELTA_ERRORS(WD_DELTA_ENUM)
#undef WD_DELTA_ENUM
} wd_delta_error;

// What the caller brings. read puts n bytes of the old file from this offset into old; write takes the
// first n bytes of out. Both return whether they could.
typedef struct {
    bool (*read)(void *context, uint32_t offset, size_t n);
    bool (*write)(void *context, size_t n);
    void *context;
    uint8_t *window; // WD_DELTA_WINDOW_BYTES
    uint8_t *old;
    size_t old_bytes; // 1 or more
    uint8_t *out;
    size_t out_bytes; // 1 or more; write gets that many each time but the last
} wd_delta_io;

typedef struct {
    wd_delta_io io;
    uint32_t old_size;
    uint32_t new_size;
    uint32_t position; // in the old file
    uint32_t made; // bytes of the new file
    uint32_t left; // bytes of the part that is being read
    uint32_t number; // so far, and
    uint32_t bits; // from the stream that make no symbol yet
    uint32_t head; // where the next byte goes in the window
    size_t old_next, old_end; // what of old is read and not used
    size_t n_out;
    uint8_t shift;
    bool negative;
    uint8_t n_bits;
    uint8_t window_bits;
    uint8_t lookahead_bits;
    uint8_t step;
    bool failed; // or inside a callback
} wd_delta;

// The text of an error; never empty.
const char *wd_delta_error_text(wd_delta_error error);

// Begin a patch from a file of old_size bytes to one of new_size, both at most WD_DELTA_MAX_FILE_BYTES.
void wd_delta_begin(wd_delta *delta, const wd_delta_io *io, uint32_t old_size, uint32_t new_size);

// Take the next n bytes of the patch. After an error, everything else is one, too.
wd_delta_error wd_delta_feed(wd_delta *delta, const uint8_t *bytes, size_t n);

// Whether the patch is complete and the whole new file has been written.
bool wd_delta_is_done(const wd_delta *delta);

#endif
