// Statistics of one channel of a window.

#ifndef WD_STATISTICS_H
#define WD_STATISTICS_H

#include <stdint.h>

// The arithmetic mean.
float wd_mean(const float *x, uint32_t n);

// Write the statistics whose bits are set in mask (see WD_STATISTICS), in the order of the bits.
//
// x: n samples, n >= 2; scratch: n floats; out: a float for each bit. Returns out's end.
float *wd_statistics(const float *x, uint32_t n, uint32_t mask, float *scratch, float *out);

// Pearson's correlation of two channels of n samples; 0 where one of them is constant.
float wd_correlation(const float *a, const float *b, uint32_t n);

#endif
