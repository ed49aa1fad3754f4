// float / float
#include "../../../modules/core/wd_loop.h"
#include "wd_float.h"

float __divsf3(float dividend, float divisor);

// 25 more bits of a / b with a < 2 b, both with their hidden bit at 23; the last bit is sticky.
static uint32_t divide(uint32_t a, uint32_t b) {
    uint32_t quotient = 1;
    uint32_t rest = a - b;
    WD_FOR(5, int i = 0; i < 5; i++) {
        rest <<= 5; // rest < b < 2^24
        uint32_t digit = rest / b;
        rest -= digit * b;
        quotient = quotient << 5 | digit;
    }
    return quotient | (rest != 0);
}

float __divsf3(float dividend, float divisor) {
    uint32_t a = wd_f32_bits(dividend);
    uint32_t b = wd_f32_bits(divisor);
    uint32_t sign = (a ^ b) & WD_F32_SIGN;
    a &= ~WD_F32_SIGN;
    b &= ~WD_F32_SIGN;
    if (a > WD_F32_INF || b > WD_F32_INF || (a == b && (a == 0 || a == WD_F32_INF))) {
        return wd_f32(WD_F32_NAN);
    }
    if (a == WD_F32_INF || b == 0) {
        return wd_f32(sign | WD_F32_INF);
    }
    if (a == 0 || b == WD_F32_INF) {
        return wd_f32(sign);
    }
    int exponent_a, exponent_b;
    uint32_t significand_a = wd_f32_unpack(a, &exponent_a);
    uint32_t significand_b = wd_f32_unpack(b, &exponent_b);
    int exponent = exponent_a - exponent_b + WD_F32_BIAS;
    if (significand_a < significand_b) {
        significand_a <<= 1;
        exponent -= 1;
    }
    return wd_f32_round(sign, exponent, divide(significand_a, significand_b));
}
