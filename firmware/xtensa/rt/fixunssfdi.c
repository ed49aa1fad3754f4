#include "wd_convert.h"

uint64_t __fixunssfdi(float x);

uint64_t __fixunssfdi(float x) {
    uint32_t bits = wd_f32_bits(x);
    return bits & WD_F32_SIGN ? 0 : wd_u64_from_f32(bits, UINT64_MAX);
}
