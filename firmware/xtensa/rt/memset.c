#include <stddef.h>

#include "../../../modules/core/wd_loop.h"

void *memset(void *to, int value, size_t bytes);

void *memset(void *to, int value, size_t bytes) {
    unsigned char *p = to;
    WD_FOR_SIZE(; bytes; bytes--) {
        *p++ = (unsigned char)value;
    }
    return to;
}
