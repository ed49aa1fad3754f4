#include <stddef.h>
#include <stdint.h>

#include "../../../modules/core/wd_loop.h"

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);

void *memcpy(void *restrict to, const void *restrict from, size_t bytes) {
    unsigned char *p = to;
    const unsigned char *q = from;
    if ((((uintptr_t)p | (uintptr_t)q) & 3) == 0) {
        WD_FOR_SIZE(; bytes >= 4; bytes -= 4, p += 4, q += 4) {
            *(uint32_t *)(void *)p = *(const uint32_t *)(const void *)q;
        }
    }
    WD_FOR_SIZE(; bytes; bytes--) {
        *p++ = *q++;
    }
    return to;
}
