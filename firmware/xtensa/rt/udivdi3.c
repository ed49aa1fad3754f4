#include "wd_int64.h"

uint64_t __udivdi3(uint64_t a, uint64_t b);

uint64_t __udivdi3(uint64_t a, uint64_t b) {
    uint64_t rest;
    uint64_t quotient = wd_u64_divide(a, b, &rest);
    return quotient;
}
