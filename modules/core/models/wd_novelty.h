// Whether a row is like those that a classifier was trained on. Included by a generated model.h, which
// defines WD_N_KNOWN (classes), WD_CONFIDENCE, WD_NOVELTY and the tables first. Integers but for one
// comparison, so that board and host agree.

#ifndef WD_NOVELTY_H
#define WD_NOVELTY_H

#include <stdbool.h>
#include <stdint.h>

#include "wd_loop.h"

#define WD_NOVELTY_SHIFT 12 // weights are 2^16 / spread, so distances are in sixteenths of a spread
#define WD_NOVELTY_MOST 255 // of one feature

static inline bool wd_is_outside(const int16_t *row) {
    bool outside = false;
    WD_FOR(WD_N_FEATURES, int32_t i = 0; i < WD_N_FEATURES; i++) {
        outside |= row[i] < wd_low[i] || row[i] > wd_high[i];
    }
    return outside;
}

// The sum of the features' distances from the class's median, in sixteenths of its spread.
static inline uint32_t wd_novelty(const int16_t *row, int32_t class) {
    const int16_t *median = wd_median + class * WD_N_FEATURES;
    const uint16_t *weight = wd_weight + class * WD_N_FEATURES;
    uint32_t sum = 0;
    WD_FOR(WD_N_FEATURES, int32_t i = 0; i < WD_N_FEATURES; i++) {
        int32_t d = row[i] - median[i];
        uint32_t z = ((uint32_t)(d < 0 ? -d : d) * weight[i]) >> WD_NOVELTY_SHIFT;
        sum += z < WD_NOVELTY_MOST ? z : WD_NOVELTY_MOST;
    }
    return sum;
}

// Index of the largest share; of several, the lowest.
static inline int32_t wd_largest_share(const float *share) {
    int32_t best = 0;
    WD_FOR(WD_N_KNOWN, int32_t i = 1; i < WD_N_KNOWN; i++) {
        if (share[i] > share[best]) {
            best = i;
        }
    }
    return best;
}

// class: what the classifier decided; share: the output that belongs to it.
static inline bool wd_is_unknown(const int16_t *row, int32_t class, float share) {
    return share < WD_CONFIDENCE || wd_is_outside(row) || wd_novelty(row, class) > WD_NOVELTY;
}

#endif
