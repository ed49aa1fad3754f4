#include "wd_quantize.h"

#include "wd_loop.h"
#include "wd_mathf.h"

// The most values that a caller has; only the bound on instructions depends on it.
#ifndef WD_QUANTIZE_MAX
#define WD_QUANTIZE_MAX 65535
#endif

wd_error wd_quantize(const float *x, const float *scale, size_t n, int16_t *out) {
    wd_error error = WD_OK;
    WD_FOR(WD_QUANTIZE_MAX, size_t i = 0; i < n; i++) {
        out[i] = WD_GRID_NAN;
        if (!(wd_is_finite(scale[i]) && scale[i] > 0.0f)) {
            error = WD_ERROR_SCALE;
        } else if (!wd_is_nan(x[i])) {
            out[i] = (int16_t)wd_round(x[i] / scale[i], WD_GRID_LIMIT);
        } else if (error == WD_OK) {
            error = WD_ERROR_NAN;
        }
    }
    return error;
}
