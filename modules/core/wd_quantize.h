// The int16 grid that the classifiers compare on.

#ifndef WD_QUANTIZE_H
#define WD_QUANTIZE_H

#include <stddef.h>
#include <stdint.h>

#include "wd_errors.h"

#define WD_GRID_LIMIT 32767

// What a NaN becomes: the one int16 that no number becomes.
#define WD_GRID_NAN (-32768)

// out[i] = x[i] / scale[i], one float32 division, rounded half to even, saturated to +-32767.
//
// x, scale, out: n values each; scale in units per LSB. All of out is written in any case.
//
// WD_ERROR_NAN: an x is NaN, its out is WD_GRID_NAN.
// WD_ERROR_SCALE: a scale is not a finite number > 0, its out is WD_GRID_NAN; reported first.
wd_error wd_quantize(const float *x, const float *scale, size_t n, int16_t *out);

#endif
