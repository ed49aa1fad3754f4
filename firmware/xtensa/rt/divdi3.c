#include "wd_int64.h"

int64_t __divdi3(int64_t a, int64_t b);

int64_t __divdi3(int64_t a, int64_t b) {
    uint64_t rest;
    uint64_t quotient = wd_u64_divide(wd_u64_magnitude(a), wd_u64_magnitude(b), &rest);
    return (int64_t)((a < 0) != (b < 0) ? 0 - quotient : quotient);
}
