#include "wd_mathf.h"

#include "wd_loop.h"

// One instruction that rounds correctly, so it gives the same bits.
#if defined(__SSE__) && defined(__clang__)
#define HARDWARE_SQRT(x) __builtin_elementwise_sqrt(x)
#elif defined(__SSE__) && defined(__GNUC__)
typedef float four_floats __attribute__((vector_size(16)));
#define HARDWARE_SQRT(x) __builtin_ia32_sqrtss((four_floats) { x, 0.0f, 0.0f, 0.0f })[0]
#endif

// The square root of a significand by shift and subtract: 24 bits of the root and one more to
// round by. A root is never half way between two floats, so that bit decides.
static uint32_t root_bits(uint32_t m) {
    uint32_t root = 0, sum = 0;
    WD_FOR(25, uint32_t bit = 0x01000000u; bit != 0; bit >>= 1) {
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
#ifdef HARDWARE_SQRT
    if (u - 1 < WD_F32_EXPONENT_ALL) { // above 0, infinity included
        return HARDWARE_SQRT(x);
    }
#endif
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
        WD_FOR(23, ; (m & WD_F32_HIDDEN_BIT) == 0;) { // m is not 0
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

// ln(1 + f) for f from sqrt(1/2) - 1 to sqrt(2) - 1, by the series of the inverse hyperbolic tangent:
// with s = f / (2 + f), |s| < 0.172, the next term is below 2^-29.
static float log_of_1_and(float f) {
    float s = f / (2.0f + f), z = s * s;
    float rest = z * (0.33333333f + z * (0.2f + z * (0.14285714f + z * 0.11111111f)));
    float half = 0.5f * f * f;
    return f - (half - s * (half + (rest + rest))); // 2 s = f - s f, and s f = half - s half
}

float wd_log(float x) {
    uint32_t u = wd_to_bits(x);
    if ((u & ~WD_F32_SIGN) == 0) {
        return wd_from_bits(WD_F32_SIGN | WD_F32_EXPONENT_ALL);
    }
    if (u >= WD_F32_EXPONENT_ALL) { // infinity, NaN, and all with a sign
        return u == WD_F32_EXPONENT_ALL ? x : wd_from_bits(WD_F32_QUIET_NAN);
    }
    int32_t exponent = -127;
    if (u <= WD_F32_FRACTION) {
        u = wd_to_bits(x * 8388608.0f);
        exponent -= 23;
    }
    exponent += (int32_t)(u >> 23);
    u = (u & WD_F32_FRACTION) | 0x3f800000u;
    if (u > 0x3fb504f3u) { // sqrt(2)
        u -= WD_F32_HIDDEN_BIT;
        exponent++;
    }
    float e = (float)exponent; // times ln 2, in two parts, the first of them exact
    return e * 0.693359375f + (e * -2.1219444e-4f + log_of_1_and(wd_from_bits(u) - 1.0f));
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
