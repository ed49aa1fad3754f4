// Float32 arithmetic that gives the same bits on every machine.
//
// Nothing but IEEE 754 binary32 + - * / is used, each rounded by itself. There is no libm in here.
// Every C file that calculates includes this header, which forbids fused multiply-add.

#ifndef WD_MATHF_H
#define WD_MATHF_H

#include <float.h>
#include <stdbool.h>
#include <stdint.h>

#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD != 0
#error "float must be evaluated as float: with gcc for 32-bit x86 use -msse2 -mfpmath=sse"
#endif
#ifdef __FAST_MATH__
#error "compile without -ffast-math"
#endif

// gcc fuses by default, clang within an expression, where the CPU can; the ESP32-S3 can. gcc 12's
// vectorizer fuses in spite of fp-contract=off (vfmsubadd in wd_fft.c at -O3 -mfma).
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off", "no-tree-vectorize", "no-tree-slp-vectorize")
#elif defined(_MSC_VER)
#pragma fp_contract(off)
#endif

#define WD_F32_SIGN 0x80000000u
#define WD_F32_EXPONENT_ALL 0x7f800000u
#define WD_F32_FRACTION 0x007fffffu
#define WD_F32_HIDDEN_BIT 0x00800000u
#define WD_F32_QUIET_NAN 0x7fc00000u

typedef union {
    float f;
    uint32_t u;
} wd_f32_bits;

static inline uint32_t wd_to_bits(float x) {
    wd_f32_bits b;
    b.f = x;
    return b.u;
}

static inline float wd_from_bits(uint32_t u) {
    wd_f32_bits b;
    b.u = u;
    return b.f;
}

static inline bool wd_is_nan(float x) {
    return (wd_to_bits(x) & ~WD_F32_SIGN) > WD_F32_EXPONENT_ALL;
}

static inline bool wd_is_finite(float x) {
    return (wd_to_bits(x) & WD_F32_EXPONENT_ALL) != WD_F32_EXPONENT_ALL;
}

// The value with its sign bit cleared.
static inline float wd_abs(float x) {
    return wd_from_bits(wd_to_bits(x) & ~WD_F32_SIGN);
}

// x, or the one quiet NaN 0x7fc00000 if x is any NaN: CPUs differ in the NaN that they make.
static inline float wd_canonical(float x) {
    return wd_is_nan(x) ? wd_from_bits(WD_F32_QUIET_NAN) : x;
}

// Square root, correctly rounded (half to even), subnormals included. NaN or x < 0 gives NaN;
// -0 gives -0.
float wd_sqrt(float x);

// Natural logarithm, within 2 units of the last place, subnormals included. 0 gives -infinity, NaN
// or x < 0 gives NaN.
float wd_log(float x);

// Sine and cosine of 2 pi i / n, n from 1 to 2^24, i < n; within 2^-23 of the true values.
void wd_turn(uint32_t i, uint32_t n, float *sine, float *cosine);

// Round half to even and saturate to +-limit (limit up to 2^22). x must not be NaN.
int32_t wd_round(float x, int32_t limit);

#endif
