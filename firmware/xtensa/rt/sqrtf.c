// Square root of a float, correctly rounded.
#include "../../../modules/core/wd_loop.h"
#include "wd_float.h"

float sqrtf(float x);

float sqrtf(float x) {
    uint32_t bits = wd_f32_bits(x);
    if (bits == WD_F32_SIGN || bits == 0 || bits == WD_F32_INF) {
        return x;
    }
    if (bits > WD_F32_INF) { // negative or NaN
        return wd_f32(WD_F32_NAN);
    }
    int exponent;
    uint32_t rest = wd_f32_unpack(bits, &exponent);
    exponent -= WD_F32_BIAS;
    if (exponent & 1) { // make it even
        rest <<= 1;
        exponent -= 1;
    }
    // One bit of the root at a time, 24 and two extra. rest stays below 2^28.
    rest <<= 1;
    uint32_t root = 0;
    uint32_t sum = 0;
    WD_FOR(25, uint32_t bit = 1u << 24; bit != 0; bit >>= 1) {
        uint32_t trial = sum + bit;
        if (trial <= rest) {
            sum = trial + bit;
            rest -= trial;
            root += bit;
        }
        rest <<= 1;
    }
    uint32_t significand = root << 1 | (rest != 0);
    return wd_f32_round(0, exponent / 2 + WD_F32_BIAS, significand);
}
