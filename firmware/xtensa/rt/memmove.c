#include <stddef.h>
#include <stdint.h>

void *memmove(void *to, const void *from, size_t bytes);

void *memmove(void *to, const void *from, size_t bytes) {
    unsigned char *p = to;
    const unsigned char *q = from;
    if ((uintptr_t)p <= (uintptr_t)q) {
        while (bytes--) {
            *p++ = *q++;
        }
    } else {
        while (bytes--) {
            p[bytes] = q[bytes];
        }
    }
    return to;
}
