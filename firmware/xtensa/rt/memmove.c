#include <stddef.h>
#include <stdint.h>

#include "../../../modules/core/wd_loop.h"

void *memmove(void *to, const void *from, size_t bytes);

void *memmove(void *to, const void *from, size_t bytes) {
    unsigned char *p = to;
    const unsigned char *q = from;
    if ((uintptr_t)p <= (uintptr_t)q) {
        WD_FOR_SIZE(; bytes; bytes--) {
            *p++ = *q++;
        }
    } else {
        WD_FOR_SIZE(; bytes--;) {
            p[bytes] = q[bytes];
        }
    }
    return to;
}
