// 64-bit product from 16-bit pieces: the core that is compiled for has no 32x32 to 64 multiplication.
#include "wd_int64.h"

uint64_t __muldi3(uint64_t a, uint64_t b);

static uint64_t multiply_words(uint32_t a, uint32_t b) {
    uint32_t al = a & 0xffff, ah = a >> 16;
    uint32_t bl = b & 0xffff, bh = b >> 16;
    uint32_t low = al * bl;
    uint32_t middle = ah * bl + (low >> 16); // cannot overflow: (2^16 - 1)^2 + 2^16 - 1 < 2^32
    uint32_t other = al * bh + (middle & 0xffff);
    wd_u64_t product;
    product.word.low = other << 16 | (low & 0xffff);
    product.word.high = ah * bh + (middle >> 16) + (other >> 16);
    return product.all;
}

uint64_t __muldi3(uint64_t a, uint64_t b) {
    wd_u64_t product = {multiply_words((uint32_t)a, (uint32_t)b)};
    product.word.high += (uint32_t)a * (uint32_t)(b >> 32) + (uint32_t)(a >> 32) * (uint32_t)b;
    return product.all;
}
