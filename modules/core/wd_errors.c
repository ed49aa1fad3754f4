#include "wd_errors.h"

const char *wd_error_text(wd_error error) {
    switch (error) {
#define WD_ERROR_CASE(name, text) \
    case WD_ERROR_##name: \
        return text;
        WD_ERRORS(WD_ERROR_CASE)
#undef WD_ERROR_CASE
        default:
            return "unknown error";
    }
}
