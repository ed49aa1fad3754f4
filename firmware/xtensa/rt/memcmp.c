#include <stddef.h>

#include "../../../modules/core/wd_loop.h"

int memcmp(const void *a, const void *b, size_t bytes);

int memcmp(const void *a, const void *b, size_t bytes) {
    const unsigned char *p = a;
    const unsigned char *q = b;
    WD_FOR_SIZE(; bytes; bytes--, p++, q++) {
        if (*p != *q) {
            return *p < *q ? -1 : 1;
        }
    }
    return 0;
}
