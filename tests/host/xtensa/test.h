// What the test programs use: the host's pipes.
#include <stddef.h>
#include <stdint.h>

long test_syscall(long number, long a, long b, long c);

static inline int test_read(void *to, size_t bytes) {
    size_t got = 0;
    while (got < bytes) {
        long n = test_syscall(12, 0, (long)to + (long)got, (long)(bytes - got));
        if (n <= 0) {
            return 0;
        }
        got += (size_t)n;
    }
    return 1;
}

static inline void test_write(const void *from, size_t bytes) {
    for (size_t done = 0; done < bytes;) {
        long n = test_syscall(13, 1, (long)from + (long)done, (long)(bytes - done));
        if (n <= 0) {
            return;
        }
        done += (size_t)n;
    }
}

// One result, read by Python as a little-endian word.
static inline void test_put(uint32_t word) {
    test_write(&word, sizeof(word));
}

static inline uint32_t test_bits(float value) {
    uint32_t bits;
    __builtin_memcpy(&bits, &value, sizeof(bits));
    return bits;
}
