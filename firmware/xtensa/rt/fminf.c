// The smaller of two; a NaN counts as missing.
#include "wd_float.h"

float fminf(float a, float b);

float fminf(float a, float b) {
    if (a != a) {
        return b;
    }
    if (b != b) {
        return a;
    }
    if (a == b) { // +0 is taken for greater than -0
        return wd_f32(wd_f32_bits(a) | wd_f32_bits(b));
    }
    return a < b ? a : b;
}
