// Smallest whole number that is not below x.
#include "wd_float.h"

float ceilf(float x);

float ceilf(float x) {
    uint32_t bits = wd_f32_bits(x);
    uint32_t sign = bits & WD_F32_SIGN;
    int exponent = (int)((bits & WD_F32_INF) >> 23) - WD_F32_BIAS;
    int negative = sign != 0;
    if (exponent >= 23) { // whole, infinite or NaN
        return x;
    }
    if (exponent < 0) {
        return wd_f32(bits == 0 || negative ? sign : WD_F32_ONE);
    }
    uint32_t below_one = WD_F32_FRACTION >> exponent;
    if ((bits & below_one) == 0) {
        return x;
    }
    if (!negative) {
        bits += below_one;
    }
    return wd_f32(bits & ~below_one);
}
