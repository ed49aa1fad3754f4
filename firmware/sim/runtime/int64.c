// 64-bit integer operations that the compiler calls. QEMU's core has no 32x32 to 64 bit multiply.

#include <stddef.h>
#include <stdint.h>

typedef union {
    struct {
        uint32_t low, high;
    };
    uint64_t value;
} words_t;

uint64_t __muldi3(uint64_t a, uint64_t b);
uint64_t __udivdi3(uint64_t a, uint64_t b);
uint64_t __umoddi3(uint64_t a, uint64_t b);
int64_t __divdi3(int64_t a, int64_t b);
int64_t __moddi3(int64_t a, int64_t b);

static uint64_t multiply32(uint32_t a, uint32_t b) {
    uint32_t a0 = a & 0xffff, a1 = a >> 16, b0 = b & 0xffff, b1 = b >> 16;
    uint32_t low = a0 * b0, cross1 = a0 * b1, cross2 = a1 * b0;
    uint32_t middle = (low >> 16) + (cross1 & 0xffff) + (cross2 & 0xffff);
    words_t r;
    r.low = middle << 16 | (low & 0xffff);
    r.high = a1 * b1 + (cross1 >> 16) + (cross2 >> 16) + (middle >> 16);
    return r.value;
}

uint64_t __muldi3(uint64_t a, uint64_t b) {
    words_t x = { .value = a }, y = { .value = b };
    words_t r = { .value = multiply32(x.low, y.low) };
    r.high += x.low * y.high + x.high * y.low;
    return r.value;
}

static int leading_zeros(uint64_t x) {
    words_t w = { .value = x };
    return w.high ? __builtin_clz(w.high) : w.low ? 32 + __builtin_clz(w.low) : 64;
}

static uint64_t divide(uint64_t dividend, uint64_t divisor, uint64_t *remainder) {
    words_t n = { .value = dividend }, d = { .value = divisor };
    if (n.high == 0 && d.high == 0) {
        *remainder = n.low % d.low;
        return n.low / d.low;
    }
    uint64_t quotient = 0;
    if (dividend >= divisor) {
        // Schoolbook, from the first place where the divisor fits.
        for (int shift = leading_zeros(divisor) - leading_zeros(dividend); shift >= 0; --shift) {
            quotient <<= 1;
            if (dividend >> shift >= divisor) {
                dividend -= divisor << shift;
                quotient |= 1;
            }
        }
    }
    *remainder = dividend;
    return quotient;
}

uint64_t __udivdi3(uint64_t a, uint64_t b) {
    uint64_t remainder;
    return divide(a, b, &remainder);
}

uint64_t __umoddi3(uint64_t a, uint64_t b) {
    uint64_t remainder;
    divide(a, b, &remainder);
    return remainder;
}

static uint64_t magnitude(int64_t x) {
    return x < 0 ? -(uint64_t)x : (uint64_t)x;
}

int64_t __divdi3(int64_t a, int64_t b) {
    uint64_t remainder;
    uint64_t quotient = divide(magnitude(a), magnitude(b), &remainder);
    return (int64_t)((a ^ b) < 0 ? -quotient : quotient);
}

int64_t __moddi3(int64_t a, int64_t b) {
    uint64_t remainder;
    divide(magnitude(a), magnitude(b), &remainder);
    return (int64_t)(a < 0 ? -remainder : remainder);
}
