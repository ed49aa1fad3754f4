// 64-bit integers from 32-bit words, for the run-time helpers.
#ifndef WEDAU_XTENSA_RT_INT64_H
#define WEDAU_XTENSA_RT_INT64_H

#include <stdint.h>

#include "../../../modules/core/wd_loop.h"

typedef union _wd_u64_t {
    uint64_t all;
    struct {
        uint32_t low;
        uint32_t high;
    } word;
} wd_u64_t;

// a / b by shift and subtract. A divisor of 0 gives all ones and leaves a, and traps nothing.
static inline uint64_t wd_u64_divide(uint64_t a, uint64_t b, uint64_t *rest) {
    if ((uint32_t)(a >> 32) == 0 && (uint32_t)(b >> 32) == 0 && (uint32_t)b != 0) {
        uint32_t quotient = (uint32_t)a / (uint32_t)b;
        *rest = (uint32_t)a - quotient * (uint32_t)b;
        return quotient;
    }
    uint64_t quotient = 0;
    uint64_t left = 0;
    WD_FOR(64, int i = 63; i >= 0; i--) {
        uint32_t carry = (uint32_t)(left >> 63);
        left = left << 1 | ((a >> i) & 1);
        quotient <<= 1;
        if (carry || left >= b) {
            left -= b;
            quotient |= 1;
        }
    }
    *rest = left;
    return quotient;
}

static inline uint64_t wd_u64_magnitude(int64_t value) {
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

#endif // WEDAU_XTENSA_RT_INT64_H
