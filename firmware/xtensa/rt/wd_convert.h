// Between 64-bit integers and floats, for the run-time helpers.
#ifndef WEDAU_XTENSA_RT_CONVERT_H
#define WEDAU_XTENSA_RT_CONVERT_H

#include "wd_float.h"
#include "wd_int64.h"

static inline float wd_f32_from_u64(uint32_t sign, uint64_t magnitude) {
    if (magnitude == 0) {
        return 0.0f;
    }
    uint32_t high = (uint32_t)(magnitude >> 32);
    int top = high ? 63 - __builtin_clz(high) : 31 - __builtin_clz((uint32_t)magnitude);
    uint32_t significand; // its hidden bit at 25
    if (top <= 25) {
        significand = (uint32_t)magnitude << (25 - top);
    } else {
        uint64_t lost = magnitude & (((uint64_t)1 << (top - 25)) - 1);
        significand = (uint32_t)(magnitude >> (top - 25)) | (lost != 0);
    }
    return wd_f32_round(sign, top + WD_F32_BIAS, significand);
}

// Towards zero; what does not fit saturates at limit, NaN is 0.
static inline uint64_t wd_u64_from_f32(uint32_t bits, uint64_t limit) {
    bits &= ~WD_F32_SIGN;
    int exponent = (int)(bits >> 23) - WD_F32_BIAS;
    if (bits > WD_F32_INF || exponent < 0) {
        return 0;
    }
    if (exponent >= 64) {
        return limit;
    }
    uint64_t significand = (bits & WD_F32_FRACTION) | WD_F32_HIDDEN;
    uint64_t value = exponent >= 23 ? significand << (exponent - 23) : significand >> (23 - exponent);
    return value > limit ? limit : value;
}

#endif // WEDAU_XTENSA_RT_CONVERT_H
