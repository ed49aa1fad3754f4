// int to double, exact
#include "wd_float.h"

double __floatsidf(int value);

double __floatsidf(int value) {
    if (value == 0) {
        return wd_f64(0);
    }
    uint64_t sign = value < 0 ? WD_F64_SIGN : 0;
    uint32_t magnitude = value < 0 ? 0 - (uint32_t)value : (uint32_t)value;
    int top = 31 - __builtin_clz(magnitude);
    uint64_t fraction = ((uint64_t)magnitude << (52 - top)) & WD_F64_FRACTION;
    return wd_f64(sign | (uint64_t)(uint32_t)(top + WD_F64_BIAS) << 52 | fraction);
}
