// float to double, exact
#include "wd_float.h"

double __extendsfdf2(float x);

double __extendsfdf2(float x) {
    uint32_t bits = wd_f32_bits(x);
    uint64_t sign = (uint64_t)(bits & WD_F32_SIGN) << 32;
    bits &= ~WD_F32_SIGN;
    if (bits > WD_F32_INF) {
        return wd_f64(WD_F64_INF | (uint64_t)1 << 51);
    }
    if (bits == WD_F32_INF) {
        return wd_f64(sign | WD_F64_INF);
    }
    if (bits == 0) {
        return wd_f64(sign);
    }
    int exponent;
    uint64_t fraction = wd_f32_unpack(bits, &exponent) & WD_F32_FRACTION;
    return wd_f64(sign | (uint64_t)(uint32_t)(exponent - WD_F32_BIAS + WD_F64_BIAS) << 52 | fraction << 29);
}
