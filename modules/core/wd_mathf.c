#include "wd_mathf.h"

// The square root of a significand by shift and subtract: 24 bits of the root and one more to
// round by. A root is never half way between two floats, so that bit decides.
static uint32_t root_bits(uint32_t m) {
    uint32_t root = 0, sum = 0;
    for (uint32_t bit = 0x01000000u; bit != 0; bit >>= 1) {
        uint32_t trial = sum + bit;
        if (trial <= m) {
            sum = trial + bit;
            m -= trial;
            root += bit;
        }
        m += m;
    }
    return root;
}

float wd_sqrt(float x) {
    uint32_t u = wd_to_bits(x);
    if ((u & ~WD_F32_SIGN) == 0 || u == WD_F32_EXPONENT_ALL) {
        return x;
    }
    if (u > WD_F32_EXPONENT_ALL) {
        return wd_from_bits(WD_F32_QUIET_NAN);
    }
    int32_t exponent = (int32_t)(u >> 23);
    uint32_t m = u & WD_F32_FRACTION;
    if (exponent == 0) {
        exponent = 1;
        while ((m & WD_F32_HIDDEN_BIT) == 0) {
            m <<= 1;
            exponent--;
        }
    }
    m |= WD_F32_HIDDEN_BIT;
    exponent -= 127;
    if (exponent & 1) {
        m <<= 1;
        exponent--;
    }
    uint32_t root = root_bits(m << 1);
    uint32_t rounded = (root >> 1) + (root & 1);
    return wd_from_bits(rounded + ((uint32_t)(exponent / 2 + 126) << 23));
}

// Taylor polynomials; the angle is within +-pi/4, where the next term is below 2^-27.
static float sine_of(float a) {
    float s = a * a;
    return a + a * s * (-1.6666667e-1f + s * (8.3333333e-3f + s * (-1.9841270e-4f + s * 2.7557319e-6f)));
}

static float cosine_of(float a) {
    float s = a * a;
    return 1.0f - s * (0.5f - s * (4.1666667e-2f + s * (-1.3888889e-3f + s * 2.4801587e-5f)));
}

void wd_turn(uint32_t i, uint32_t n, float *sine, float *cosine) {
    uint32_t quarter = (8 * i + n) / (2 * n); // the nearest quarter turn, exactly
    int32_t rest = (int32_t)(4 * i) - (int32_t)(quarter * n);
    float angle = 1.5707964f * ((float)rest / (float)n);
    float s = sine_of(angle), c = cosine_of(angle);
    switch (quarter & 3) {
        case 0:
            *sine = s;
            *cosine = c;
            break;
        case 1:
            *sine = c;
            *cosine = -s;
            break;
        case 2:
            *sine = -s;
            *cosine = -c;
            break;
        default:
            *sine = -c;
            *cosine = s;
            break;
    }
}
