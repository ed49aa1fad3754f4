#include "wd_convert.h"

int64_t __fixsfdi(float x);

int64_t __fixsfdi(float x) {
    uint32_t bits = wd_f32_bits(x);
    if (bits & WD_F32_SIGN) {
        return (int64_t)(0 - wd_u64_from_f32(bits, (uint64_t)1 << 63));
    }
    return (int64_t)wd_u64_from_f32(bits, INT64_MAX);
}
