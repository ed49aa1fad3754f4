// Sums of the leaves of trees. Included by a generated model.h, which defines WD_N_SCORES first.

#ifndef WD_SUMS_H
#define WD_SUMS_H

#include <stdint.h>

#include "wd_loop.h"

// Add what a leaf holds to all scores.
static inline void wd_add(const int32_t *leaf, int32_t *score) {
    WD_FOR(WD_N_SCORES, int32_t i = 0; i < WD_N_SCORES; i++) {
        score[i] += leaf[i];
    }
}

// The scores as floats: times a power of two.
static inline void wd_real(const int32_t *score, float unit, float *out) {
    WD_FOR(WD_N_SCORES, int32_t i = 0; i < WD_N_SCORES; i++) {
        out[i] = (float)score[i] * unit;
    }
}

#endif
