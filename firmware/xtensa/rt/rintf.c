// Nearest whole number, halves to even.
#include "wd_float.h"

float rintf(float x);

float rintf(float x) {
    uint32_t bits = wd_f32_bits(x);
    uint32_t sign = bits & WD_F32_SIGN;
    if ((bits & ~WD_F32_SIGN) >= wd_f32_bits(0x1p23f)) { // whole, infinite or NaN
        return x;
    }
    // Adding 2^23 pushes the fraction out of the significand, and the addition rounds.
    float shifted = wd_f32(bits & ~WD_F32_SIGN) + 0x1p23f;
    return wd_f32(wd_f32_bits(shifted - 0x1p23f) | sign);
}
