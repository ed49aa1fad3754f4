#include "wd_delta.h"

#define HEADER 0x04 // type 0, sequential, and compression 4, heatshrink
#define MIN_WINDOW_BITS 4
#define MIN_LOOKAHEAD_BITS 3
#define MAX_SHIFT 27 // of a number's fifth byte; two bits of it are left for us

// What the next byte belongs to; those from DATA_FORMAT on are in the heatshrink stream.
enum { TYPE, NEW_SIZE, WINDOW, DATA_FORMAT, DIFF_SIZE, DIFF, EXTRA_SIZE, EXTRA, MOVE, DONE };

const char *wd_delta_error_text(wd_delta_error error) {
    switch (error) {
#define WD_DELTA_CASE(name, text) \
    case WD_DELTA_ERROR_##name: \
        return text;
        WD_DELTA_ERRORS(WD_DELTA_CASE)
#undef WD_DELTA_CASE
        default:
            return "unknown error";
    }
}

void wd_delta_begin(wd_delta *d, const wd_delta_io *io, uint32_t old_size, uint32_t new_size) {
    *d = (wd_delta) { .io = *io, .old_size = old_size, .new_size = new_size, .step = TYPE };
}

bool wd_delta_is_done(const wd_delta *d) {
    return d->step == DONE && !d->failed;
}

// Take a byte of a number; *is_whole becomes whether it was the last one. Numbers have one form only:
// as short as can be, and no -0.
static wd_delta_error number(wd_delta *d, uint8_t byte, bool *is_whole) {
    bool more = byte & 0x80;
    if (d->shift == 0) {
        d->negative = byte & 0x40;
        d->number = byte & 0x3f;
        d->shift = 6;
    } else {
        uint32_t part = byte & 0x7f;
        if (d->shift > MAX_SHIFT || (part == 0 && !more) || (d->shift == MAX_SHIFT && part > 3)) {
            return WD_DELTA_ERROR_NUMBER;
        }
        d->number |= part << d->shift;
        d->shift += 7;
    }
    *is_whole = !more;
    if (!more) {
        d->shift = 0;
        if (d->negative && d->number == 0) {
            return WD_DELTA_ERROR_NUMBER;
        }
    }
    return WD_DELTA_OK;
}

static wd_delta_error flush(wd_delta *d) {
    size_t n = d->n_out;
    d->n_out = 0;
    return n == 0 || d->io.write(d->io.context, n) ? WD_DELTA_OK : WD_DELTA_ERROR_IO;
}

static wd_delta_error put(wd_delta *d, uint8_t byte) {
    d->io.out[d->n_out++] = byte;
    d->made++;
    d->left--;
    return d->n_out == d->io.out_bytes ? flush(d) : WD_DELTA_OK;
}

// Add the next old byte to this one.
static wd_delta_error add_old(wd_delta *d, uint8_t *byte) {
    if (d->old_next == d->old_end) {
        size_t n = d->left < d->io.old_bytes ? d->left : d->io.old_bytes;
        if (!d->io.read(d->io.context, d->position, n)) {
            return WD_DELTA_ERROR_IO;
        }
        d->position += (uint32_t)n;
        d->old_next = 0;
        d->old_end = n;
    }
    *byte = (uint8_t)(*byte + d->io.old[d->old_next++]);
    return WD_DELTA_OK;
}

// A part of the new file begins, with as many bytes as the number says.
static wd_delta_error begin_part(wd_delta *d, bool is_diff) {
    uint32_t n = d->number;
    if (d->negative || n > d->new_size - d->made || (is_diff && n > d->old_size - d->position)) {
        return WD_DELTA_ERROR_RANGE;
    }
    d->left = n;
    if (is_diff) {
        d->step = n ? DIFF : EXTRA_SIZE;
    } else {
        d->step = n ? EXTRA : MOVE;
    }
    return WD_DELTA_OK;
}

static wd_delta_error move(wd_delta *d) {
    if (d->negative ? d->number > d->position : d->number > d->old_size - d->position) {
        return WD_DELTA_ERROR_RANGE;
    }
    d->position = d->negative ? d->position - d->number : d->position + d->number;
    d->step = d->made == d->new_size ? DONE : DIFF_SIZE;
    return d->step == DONE ? flush(d) : WD_DELTA_OK;
}

// Use a number that is whole.
static wd_delta_error use_number(wd_delta *d) {
    switch (d->step) {
        case NEW_SIZE:
            d->step = d->new_size ? WINDOW : DONE;
            return d->negative || d->number != d->new_size ? WD_DELTA_ERROR_SIZE : WD_DELTA_OK;
        case DATA_FORMAT:
            d->step = DIFF_SIZE;
            return d->number ? WD_DELTA_ERROR_FORMAT : WD_DELTA_OK;
        case DIFF_SIZE:
            return begin_part(d, true);
        case EXTRA_SIZE:
            return begin_part(d, false);
        default:
            return move(d);
    }
}

static wd_delta_error take_number(wd_delta *d, uint8_t byte) {
    bool is_whole = false;
    wd_delta_error error = number(d, byte, &is_whole);
    return error == WD_DELTA_OK && is_whole ? use_number(d) : error;
}

static wd_delta_error take_diff(wd_delta *d, uint8_t byte) {
    wd_delta_error error = add_old(d, &byte);
    if (error == WD_DELTA_OK) {
        error = put(d, byte);
    }
    if (d->left == 0) {
        d->step = EXTRA_SIZE;
    }
    return error;
}

static wd_delta_error take_extra(wd_delta *d, uint8_t byte) {
    wd_delta_error error = put(d, byte);
    if (d->left == 0) {
        d->step = MOVE;
    }
    return error;
}

// Take a byte that came out of the heatshrink stream.
static wd_delta_error unpacked(wd_delta *d, uint8_t byte) {
    d->io.window[d->head++ & ((1u << d->window_bits) - 1)] = byte;
    switch (d->step) {
        case DIFF:
            return take_diff(d, byte);
        case EXTRA:
            return take_extra(d, byte);
        case DONE:
            return WD_DELTA_ERROR_TRAILING;
        default:
            return take_number(d, byte);
    }
}

static uint32_t take_bits(wd_delta *d, unsigned n) {
    d->n_bits = (uint8_t)(d->n_bits - n);
    return d->bits >> d->n_bits & ((1u << n) - 1);
}

static wd_delta_error repeat(wd_delta *d) {
    uint32_t back = take_bits(d, d->window_bits) + 1;
    uint32_t n = take_bits(d, d->lookahead_bits) + 1;
    uint32_t mask = (1u << d->window_bits) - 1;
    wd_delta_error error = WD_DELTA_OK;
    while (n-- && error == WD_DELTA_OK) {
        error = unpacked(d, d->io.window[(d->head - back) & mask]);
    }
    return error;
}

// Decode what is whole among the bits; at most 23 bits of a symbol that is not stay.
static wd_delta_error unpack(wd_delta *d) {
    wd_delta_error error = WD_DELTA_OK;
    while (error == WD_DELTA_OK && d->step != DONE && d->n_bits > 0) {
        bool is_literal = d->bits >> (d->n_bits - 1) & 1;
        unsigned needed = is_literal ? 9 : 1u + d->window_bits + d->lookahead_bits;
        if (d->n_bits < needed) {
            return WD_DELTA_OK;
        }
        d->n_bits--;
        error = is_literal ? unpacked(d, (uint8_t)take_bits(d, 8)) : repeat(d);
    }
    if (error == WD_DELTA_OK && d->step == DONE && (d->n_bits >= 8 || take_bits(d, d->n_bits))) {
        return WD_DELTA_ERROR_TRAILING;
    }
    return error;
}

static wd_delta_error take_window(wd_delta *d, uint8_t byte) {
    d->window_bits = (uint8_t)((byte >> 4) + MIN_WINDOW_BITS);
    d->lookahead_bits = (uint8_t)((byte & 15) + MIN_LOOKAHEAD_BITS);
    d->step = DATA_FORMAT;
    if (d->window_bits > WD_DELTA_MAX_WINDOW_BITS || d->lookahead_bits >= d->window_bits) {
        return WD_DELTA_ERROR_WINDOW;
    }
    for (size_t i = 0; i < (size_t)1 << d->window_bits; i++) {
        d->io.window[i] = 0; // what heatshrink takes for granted before the beginning
    }
    return WD_DELTA_OK;
}

// Take a byte of the patch.
static wd_delta_error take(wd_delta *d, uint8_t byte) {
    switch (d->step) {
        case TYPE:
            d->step = NEW_SIZE;
            return byte == HEADER ? WD_DELTA_OK : WD_DELTA_ERROR_FORMAT;
        case NEW_SIZE:
            return take_number(d, byte);
        case WINDOW:
            return take_window(d, byte);
        case DONE:
            return WD_DELTA_ERROR_TRAILING;
        default:
            d->bits = d->bits << 8 | byte;
            d->n_bits = (uint8_t)(d->n_bits + 8);
            return unpack(d);
    }
}

wd_delta_error wd_delta_feed(wd_delta *d, const uint8_t *bytes, size_t n) {
    if (d->failed) {
        return WD_DELTA_ERROR_STATE;
    }
    d->failed = true; // a callback that does not return, or that comes back here, leaves it so
    for (size_t i = 0; i < n; i++) {
        wd_delta_error error = take(d, bytes[i]);
        if (error != WD_DELTA_OK) {
            return error;
        }
    }
    d->failed = false;
    return WD_DELTA_OK;
}
