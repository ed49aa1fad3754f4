// Fourier transform of real float32 samples, in place, with tables from the caller.
//
// Why not eml_fft.h: it fills its tables with libm's cosf and double arithmetic, which differ
// between host and board, and it transforms complex data, twice the work.

#ifndef WD_FFT_H
#define WD_FFT_H

#include <stdint.h>

#include "wd_lanes.h"

// Floats of tables for a transform of n samples.
#define WD_FFT_TABLE_FLOATS(n) (n)

// Fill the tables. n: a power of two, 4 to 65536; table: n floats.
void wd_fft_table(uint32_t n, float *table);

// Transform n real samples in place.
//
// x: n values, in: samples; out: the spectrum X[k] = sum_i x[i] exp(-2 pi j i k / n) for
// k = 0..n/2, packed as x[0] = X[0], x[1] = X[n/2] (both real), then x[2k] = Re X[k],
// x[2k+1] = Im X[k] for k = 1..n/2-1.
//
// Source: radix-2 decimation in time over n/2 complex values, then the split of a real
// transform (Press et al., Numerical Recipes, section "FFT of Real Functions").
void wd_fft_real(uint32_t n, const float *table, wd_lane *x);

#endif
