#include "wd_mathf.h"

typedef union {
    float f;
    uint32_t u;
} bits_t;

#define EXPONENT_ALL 0x7f800000u
#define FRACTION 0x007fffffu
#define HIDDEN_BIT 0x00800000u
#define SIGN 0x80000000u
#define QUIET_NAN 0x7fc00000u

static uint32_t to_bits(float x) {
    bits_t b;
    b.f = x;
    return b.u;
}

static float from_bits(uint32_t u) {
    bits_t b;
    b.u = u;
    return b.f;
}

bool wd_is_nan(float x) {
    return (to_bits(x) & ~SIGN) > EXPONENT_ALL;
}

bool wd_is_finite(float x) {
    return (to_bits(x) & EXPONENT_ALL) != EXPONENT_ALL;
}

float wd_abs(float x) {
    return from_bits(to_bits(x) & ~SIGN);
}

float wd_canonical(float x) {
    return wd_is_nan(x) ? from_bits(QUIET_NAN) : x;
}

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
    uint32_t u = to_bits(x);
    if ((u & ~SIGN) == 0 || u == EXPONENT_ALL) {
        return x;
    }
    if (u > EXPONENT_ALL) {
        return from_bits(QUIET_NAN);
    }
    int32_t exponent = (int32_t)(u >> 23);
    uint32_t m = u & FRACTION;
    if (exponent == 0) {
        exponent = 1;
        while ((m & HIDDEN_BIT) == 0) {
            m <<= 1;
            exponent--;
        }
    }
    m |= HIDDEN_BIT;
    exponent -= 127;
    if (exponent & 1) {
        m <<= 1;
        exponent--;
    }
    uint32_t root = root_bits(m << 1);
    uint32_t rounded = (root >> 1) + (root & 1);
    return from_bits(rounded + ((uint32_t)(exponent / 2 + 126) << 23));
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

int32_t wd_round(float x, int32_t limit) {
    float bound = (float)limit;
    if (x >= bound) {
        return limit;
    }
    if (x <= -bound) {
        return -limit;
    }
    int32_t whole = (int32_t)x; // towards zero, and it fits
    float rest = x - (float)whole; // exact
    if (rest > 0.5f || (rest >= 0.5f && (whole & 1))) {
        whole++;
    } else if (rest < -0.5f || (rest <= -0.5f && (whole & 1))) {
        whole--;
    }
    return whole;
}
