// Nearest whole number, halves away from zero.
#include "wd_float.h"

float roundf(float x);

float roundf(float x) {
    uint32_t bits = wd_f32_bits(x);
    uint32_t sign = bits & WD_F32_SIGN;
    int exponent = (int)((bits & WD_F32_INF) >> 23) - WD_F32_BIAS;
    if (exponent >= 23) { // whole, infinite or NaN
        return x;
    }
    if (exponent < 0) {
        return wd_f32(exponent == -1 ? sign | WD_F32_ONE : sign);
    }
    uint32_t below_one = WD_F32_FRACTION >> exponent;
    if ((bits & below_one) == 0) {
        return x;
    }
    bits += WD_F32_HIDDEN >> (exponent + 1);
    return wd_f32(bits & ~below_one);
}
