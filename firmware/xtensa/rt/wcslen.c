// clang turns a loop that looks for a zero word into a call of this.
#include <stddef.h>

size_t wcslen(const wchar_t *text);

size_t wcslen(const wchar_t *text) {
    const wchar_t *p = text;
    while (*p != 0) {
        p++;
    }
    return (size_t)(p - text);
}
