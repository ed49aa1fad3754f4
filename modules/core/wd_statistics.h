// Statistics of one channel of a window, of WD_LANES windows at once.

#ifndef WD_STATISTICS_H
#define WD_STATISTICS_H

#include <stdint.h>

#include "wd_lanes.h"

// The scratch space of n samples, in wd_lane.
#define WD_STATISTICS_SCRATCH(n) ((uint32_t)(n))

// The arithmetic mean.
static inline wd_lane wd_mean(const wd_lane *x, uint32_t n) {
    wd_lane sum = wd_all(0.0f);
    for (uint32_t i = 0; i < n; i++) {
        sum += x[i];
    }
    return sum / (float)n;
}

// Write the statistics whose bits are set in mask (see WD_STATISTICS), in the order of the bits.
//
// x: n samples, n >= 2; scratch: WD_STATISTICS_SCRATCH(n); out: advances by a float for each bit.
void wd_statistics(const wd_lane *x, uint32_t n, uint32_t mask, wd_lane *scratch, wd_out *out);

// Write quantiles: q lies at place q * (n - 1) of the sorted samples, a float32 product, linear between
// neighbours.
//
// x: n samples, n >= 2; q: n_q little-endian float32, 0 to 1; scratch: WD_STATISTICS_SCRATCH(n);
// out: advances by n_q floats.
void wd_quantiles(const wd_lane *x, uint32_t n, const uint8_t *q, uint32_t n_q, wd_lane *scratch,
    wd_out *out);

#endif
