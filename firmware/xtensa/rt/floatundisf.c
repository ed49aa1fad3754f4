#include "wd_convert.h"

float __floatundisf(uint64_t value);

float __floatundisf(uint64_t value) {
    return wd_f32_from_u64(0, value);
}
