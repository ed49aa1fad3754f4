#include "wd_convert.h"

float __floatdisf(int64_t value);

float __floatdisf(int64_t value) {
    return wd_f32_from_u64(value < 0 ? WD_F32_SIGN : 0, wd_u64_magnitude(value));
}
