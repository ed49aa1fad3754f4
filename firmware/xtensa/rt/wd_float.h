// The bits of floats, for the run-time helpers.
#ifndef WEDAU_XTENSA_RT_FLOAT_H
#define WEDAU_XTENSA_RT_FLOAT_H

#include <stdint.h>

#define WD_F32_SIGN (0x80000000u)
#define WD_F32_INF (0x7f800000u)
#define WD_F32_NAN (0x7fc00000u)
#define WD_F32_FRACTION (0x007fffffu)
#define WD_F32_HIDDEN (0x00800000u)
#define WD_F32_ONE (0x3f800000u)
#define WD_F32_BIAS (127)

#define WD_F64_SIGN (0x8000000000000000u)
#define WD_F64_INF (0x7ff0000000000000u)
#define WD_F64_FRACTION (0x000fffffffffffffu)
#define WD_F64_HIDDEN (0x0010000000000000u)
#define WD_F64_BIAS (1023)

static inline uint32_t wd_f32_bits(float value) {
    union {
        float value;
        uint32_t bits;
    } u = {value};
    return u.bits;
}

static inline float wd_f32(uint32_t bits) {
    union {
        uint32_t bits;
        float value;
    } u = {bits};
    return u.value;
}

static inline uint64_t wd_f64_bits(double value) {
    union {
        double value;
        uint64_t bits;
    } u = {value};
    return u.bits;
}

static inline double wd_f64(uint64_t bits) {
    union {
        uint64_t bits;
        double value;
    } u = {bits};
    return u.value;
}

// Significand with its hidden bit at 23, and the exponent that goes with it, of a finite non-zero float.
static inline uint32_t wd_f32_unpack(uint32_t bits, int *exponent) {
    uint32_t fraction = bits & WD_F32_FRACTION;
    *exponent = (int)((bits & WD_F32_INF) >> 23);
    if (*exponent != 0) {
        return fraction | WD_F32_HIDDEN;
    }
    int shift = __builtin_clz(fraction) - 8;
    *exponent = 1 - shift;
    return fraction << shift;
}

// Round a significand with its hidden bit at 25 (two extra bits, the last one sticky) and pack it.
static inline float wd_f32_round(uint32_t sign, int exponent, uint32_t significand) {
    if (exponent >= 255) {
        return wd_f32(sign | WD_F32_INF);
    }
    if (exponent <= 0) { // subnormal: shift right, keep what falls off in the sticky bit
        int shift = exponent > -26 ? 1 - exponent : 27;
        uint32_t lost = significand & ((1u << shift) - 1);
        significand = significand >> shift | (lost != 0);
        exponent = 1;
    }
    uint32_t kept = significand >> 2;
    uint32_t extra = significand & 3;
    if (extra > 2 || (extra == 2 && (kept & 1))) {
        kept += 1;
    }
    // The hidden bit, and a carry out of the fraction, add themselves to the exponent.
    return wd_f32(sign | (kept + ((uint32_t)(exponent - 1) << 23)));
}

#endif // WEDAU_XTENSA_RT_FLOAT_H
