// Floating point operations that the compiler calls: the core has no float division and no doubles.
//
// All are correctly rounded (to nearest, ties to even), subnormals included.

#include <stdint.h>

typedef union {
    float f;
    uint32_t bits;
} float_bits_t;

typedef union {
    double d;
    uint64_t bits;
} double_bits_t;

#define FLOAT_SIGN 0x80000000u
#define FLOAT_INFINITY 0x7f800000u
#define FLOAT_NAN 0x7fc00000u
#define FLOAT_IMPLICIT 0x00800000u
#define FLOAT_MANTISSA 0x007fffffu
#define DOUBLE_MANTISSA 0x000fffffffffffffull

float __divsf3(float a, float b);
float __truncdfsf2(double x);
double __extendsfdf2(float x);
double __floatsidf(int x);
double __floatunsidf(unsigned x);
float fabsf(float x);
float copysignf(float x, float y);
float nanf(const char *tag);

static float from_bits(uint32_t bits) {
    float_bits_t u = { .bits = bits };
    return u.f;
}

static uint32_t to_bits(float f) {
    float_bits_t u = { .f = f };
    return u.bits;
}

static double double_from_bits(uint64_t bits) {
    double_bits_t u = { .bits = bits };
    return u.d;
}

// Split a finite, non-zero float: mantissa with the leading one at bit 23, and its exponent.
static uint32_t mantissa_of(uint32_t bits, int *exponent) {
    uint32_t mantissa = bits & FLOAT_MANTISSA;
    *exponent = (int)(bits >> 23 & 255);
    if (*exponent != 0) {
        return mantissa | FLOAT_IMPLICIT;
    }
    int shift = __builtin_clz(mantissa) - 8;
    *exponent = 1 - shift;
    return mantissa << shift;
}

// Put a float together from 26 bits: a leading one, 23 bits, a rounding bit and a sticky bit.
static float round_to_float(uint32_t sign, int exponent, uint32_t q) {
    if (exponent <= 0) {
        int shift = 1 - exponent > 27 ? 27 : 1 - exponent;
        uint32_t lost = q & ((1u << shift) - 1);
        q = q >> shift | (lost != 0);
        exponent = 1;
    }
    uint32_t bits = q >> 2;
    uint32_t rest = q & 3;
    bits += rest == 3 || (rest == 2 && (bits & 1));
    // The leading one of a normal number, and a carry out of the mantissa, count the exponent up.
    bits += (uint32_t)(exponent - 1) << 23;
    return from_bits(sign | (exponent >= 255 || bits >= FLOAT_INFINITY ? FLOAT_INFINITY : bits));
}

static float divide_special(uint32_t a, uint32_t b, uint32_t sign) {
    if (a > FLOAT_INFINITY || b > FLOAT_INFINITY || a == b) {
        return from_bits(FLOAT_NAN); // a NaN, 0/0 or inf/inf
    }
    return from_bits(a == FLOAT_INFINITY || b == 0 ? sign | FLOAT_INFINITY : sign);
}

float __divsf3(float dividend, float divisor) {
    uint32_t a = to_bits(dividend) & ~FLOAT_SIGN;
    uint32_t b = to_bits(divisor) & ~FLOAT_SIGN;
    uint32_t sign = (to_bits(dividend) ^ to_bits(divisor)) & FLOAT_SIGN;
    if (a == 0 || b == 0 || a >= FLOAT_INFINITY || b >= FLOAT_INFINITY) {
        return divide_special(a, b, sign);
    }
    int exponent_a, exponent_b;
    uint32_t m = mantissa_of(a, &exponent_a);
    uint32_t n = mantissa_of(b, &exponent_b);
    int exponent = exponent_a - exponent_b + 127;
    if (m < n) {
        m <<= 1;
        --exponent;
    }
    // m/n is in [1, 2): the leading one, then 25 bits, five at a time (the remainder has 24 bits).
    uint32_t q = 1, remainder = m - n;
    for (int i = 0; i < 5; ++i) {
        remainder <<= 5;
        uint32_t digit = remainder / n;
        remainder -= digit * n;
        q = q << 5 | digit;
    }
    return round_to_float(sign, exponent, q | (remainder != 0));
}

float __truncdfsf2(double x) {
    double_bits_t u = { .d = x };
    uint32_t sign = (uint32_t)(u.bits >> 32) & FLOAT_SIGN;
    int exponent = (int)(u.bits >> 52 & 2047);
    uint64_t mantissa = u.bits & DOUBLE_MANTISSA;
    if (exponent == 2047) {
        return from_bits(sign | (mantissa ? FLOAT_NAN : FLOAT_INFINITY));
    }
    exponent += 127 - 1023;
    if (exponent < -30) {
        return from_bits(sign);
    }
    mantissa |= DOUBLE_MANTISSA + 1;
    uint32_t q = (uint32_t)(mantissa >> 27);
    return round_to_float(sign, exponent, q | ((mantissa & 0x7ffffff) != 0));
}

double __extendsfdf2(float x) {
    uint32_t bits = to_bits(x);
    uint64_t sign = (uint64_t)(bits & FLOAT_SIGN) << 32;
    bits &= ~FLOAT_SIGN;
    if (bits == 0) {
        return double_from_bits(sign);
    }
    if (bits >= FLOAT_INFINITY) {
        return double_from_bits(sign | 0x7ff0000000000000ull | (uint64_t)(bits & FLOAT_MANTISSA) << 29);
    }
    int exponent;
    uint64_t mantissa = mantissa_of(bits, &exponent) & FLOAT_MANTISSA;
    return double_from_bits(sign | (uint64_t)(exponent + 1023 - 127) << 52 | mantissa << 29);
}

static double from_magnitude(uint64_t sign, uint32_t magnitude) {
    if (magnitude == 0) {
        return double_from_bits(0);
    }
    int zeros = __builtin_clz(magnitude);
    uint64_t mantissa = (uint64_t)magnitude << (zeros + 21) & DOUBLE_MANTISSA;
    return double_from_bits(sign | (uint64_t)(1023 + 31 - zeros) << 52 | mantissa);
}

double __floatsidf(int x) {
    return x < 0 ? from_magnitude(1ull << 63, -(uint32_t)x) : from_magnitude(0, (uint32_t)x);
}

double __floatunsidf(unsigned x) {
    return from_magnitude(0, x);
}

float fabsf(float x) {
    return from_bits(to_bits(x) & ~FLOAT_SIGN);
}

float copysignf(float x, float y) {
    return from_bits((to_bits(x) & ~FLOAT_SIGN) | (to_bits(y) & FLOAT_SIGN));
}

float nanf(const char *tag) {
    (void)tag;
    return from_bits(FLOAT_NAN);
}
