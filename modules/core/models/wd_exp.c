#include "wd_exp.h"

#include "wd_mathf.h"

#define LOWEST -104.0f
#define HIGHEST 88.7228394f // the largest whose exponential is finite

// 2^n for n from -126 to 127.
static float power_of_two(int32_t n) {
    return wd_from_bits((uint32_t)(n + 127) << 23);
}

float wd_exp(float x) {
    if (wd_is_nan(x)) {
        return x;
    }
    if (x > HIGHEST) {
        return wd_from_bits(WD_F32_EXPONENT_ALL);
    }
    if (x < LOWEST) {
        return 0.0f;
    }
    // x = n ln 2 + r with |r| <= ln 2 / 2. Adding and taking away 1.5 * 2^23 rounds; ln 2 is in two
    // parts, the first so short that n times it is exact.
    float n = (x * 1.44269504f + 12582912.0f) - 12582912.0f;
    float r = (x - n * 0.69287109375f) - n * 2.7608682e-4f;
    float rest = 4.1666463e-2f + r * (8.333298e-3f + r * (1.3933688e-3f + r * 1.9899334e-4f));
    float power = 1.0f + (r + r * r * (0.5f + r * (1.6666667e-1f + r * rest)));
    // 2^n in two steps: alone it can be beyond the floats where the product is not.
    int32_t whole = (int32_t)n, half = whole / 2;
    return power * power_of_two(half) * power_of_two(whole - half);
}

float wd_tanh(float x) {
    float a = wd_abs(x);
    if (wd_is_nan(x)) {
        return x;
    }
    if (a < 0.625f) {
        float s = x * x;
        float rest = -5.395889e-2f + s * (2.1765748e-2f + s * (-8.3332285e-3f + s * 2.2803196e-3f));
        return x + x * s * (-3.3333334e-1f + s * (1.3333303e-1f + s * rest));
    }
    float t = a > 10.0f ? 1.0f : 1.0f - 2.0f / (wd_exp(2.0f * a) + 1.0f);
    return x < 0.0f ? -t : t;
}
