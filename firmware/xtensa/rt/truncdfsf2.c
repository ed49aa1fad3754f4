// double to float
#include "wd_float.h"

float __truncdfsf2(double x);

float __truncdfsf2(double x) {
    uint64_t bits = wd_f64_bits(x);
    uint32_t sign = (uint32_t)(bits >> 32) & WD_F32_SIGN;
    bits &= ~WD_F64_SIGN;
    if (bits > WD_F64_INF) {
        return wd_f32(WD_F32_NAN);
    }
    int exponent = (int)(bits >> 52) - WD_F64_BIAS + WD_F32_BIAS;
    if (exponent <= -26) { // below half of the smallest subnormal, and all of double's subnormals
        return wd_f32(sign);
    }
    uint64_t significand = (bits & WD_F64_FRACTION) | WD_F64_HIDDEN;
    uint32_t lost = (uint32_t)(significand & 0x07ffffffu);
    return wd_f32_round(sign, exponent, (uint32_t)(significand >> 27) | (lost != 0));
}
