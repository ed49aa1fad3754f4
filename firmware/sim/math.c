// What MicroPython's libm leaves to the compiler's library, beside firmware/xtensa/rt.

#include "wd_float.h"

double __floatsidf(int x);
double __floatunsidf(unsigned x);
float fabsf(float x);
float copysignf(float x, float y);
float nanf(const char *tag);

static double from_magnitude(uint64_t sign, uint32_t magnitude) {
    if (magnitude == 0) {
        return wd_f64(sign);
    }
    int zeros = __builtin_clz(magnitude);
    uint64_t fraction = (uint64_t)magnitude << (zeros + 21) & WD_F64_FRACTION;
    return wd_f64(sign | (uint64_t)(WD_F64_BIAS + 31 - zeros) << 52 | fraction);
}

double __floatsidf(int x) {
    return x < 0 ? from_magnitude(WD_F64_SIGN, -(uint32_t)x) : from_magnitude(0, (uint32_t)x);
}

double __floatunsidf(unsigned x) {
    return from_magnitude(0, x);
}

float fabsf(float x) {
    return wd_f32(wd_f32_bits(x) & ~WD_F32_SIGN);
}

float copysignf(float x, float y) {
    return wd_f32((wd_f32_bits(x) & ~WD_F32_SIGN) | (wd_f32_bits(y) & WD_F32_SIGN));
}

float nanf(const char *tag) {
    (void)tag;
    return wd_f32(WD_F32_NAN);
}
