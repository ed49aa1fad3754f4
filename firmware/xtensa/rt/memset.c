#include <stddef.h>

void *memset(void *to, int value, size_t bytes);

void *memset(void *to, int value, size_t bytes) {
    unsigned char *p = to;
    while (bytes--) {
        *p++ = (unsigned char)value;
    }
    return to;
}
