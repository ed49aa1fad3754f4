#include <stddef.h>

size_t strlen(const char *text);

size_t strlen(const char *text) {
    const char *p = text;
    while (*p != '\0') {
        p++;
    }
    return (size_t)(p - text);
}
