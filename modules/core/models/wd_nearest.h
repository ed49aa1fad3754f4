// The k nearest of the rows in a table. Included by a generated model.h, which defines WD_N_ROWS,
// WD_N_NEAREST, WD_N_FEATURES and the tables wd_rows and wd_weight first.

#ifndef WD_NEAREST_H
#define WD_NEAREST_H

#include "wd_loop.h"
#include "wd_mathf.h"

// Add what feature i of those that x, near and weight point to adds to the squared distance.
#define WD_ADD_AWAY(i) \
    do { \
        float away = (float)(x[i] - near[i]); \
        sum += WD_WEIGHT(i) * (away * away); \
    } while (0)

// Give the nearest rows' indices and squared distances, nearest first; of rows equally far the
// earlier one is the nearer. A row that is no nearer after some features is given up: what the
// others add is not below 0.
static inline void wd_nearest(const int16_t *row, uint16_t *index, float *square) {
    const int16_t *known = wd_rows;
    WD_FOR(WD_N_NEAREST, int32_t k = 0; k < WD_N_NEAREST; k++) {
        square[k] = FLT_MAX;
        index[k] = 0;
    }
    WD_FOR(WD_N_ROWS, int32_t r = 0; r < WD_N_ROWS; r++) {
        const int16_t *x = row, *near = known;
        const float *weight = wd_weight;
        float sum = 0.0f, limit = square[WD_N_NEAREST - 1];
        WD_FOR(WD_FOURS(WD_N_FEATURES), int32_t i = WD_N_FEATURES / 4; i > 0 && sum < limit; i--) {
            WD_ADD_AWAY(0);
            WD_ADD_AWAY(1);
            WD_ADD_AWAY(2);
            WD_ADD_AWAY(3);
            x += 4;
            near += 4;
            weight += 4;
        }
        WD_FOR(WD_REST(WD_N_FEATURES), int32_t i = WD_N_FEATURES % 4; i > 0 && sum < limit; i--) {
            WD_ADD_AWAY(0);
            x++;
            near++;
            weight++;
        }
        known += WD_N_FEATURES;
        if (!(sum < limit)) {
            continue;
        }
        int32_t at = WD_N_NEAREST - 1;
        WD_FOR(WD_N_NEAREST, ; at > 0 && sum < square[at - 1];) {
            square[at] = square[at - 1];
            index[at] = index[at - 1];
            at--;
        }
        square[at] = sum;
        index[at] = (uint16_t)r;
    }
}

// What each of them counts: the same, or the inverse of its distance; their sum is 1. If some are
// equal to the row, they alone count.
static inline void wd_nearest_shares(const float *square, bool by_distance, float *share) {
    bool same = square[0] == 0.0f;
    float sum = 0.0f;
    WD_FOR(WD_N_NEAREST, int32_t k = 0; k < WD_N_NEAREST; k++) {
        if (!by_distance) {
            share[k] = 1.0f;
        } else if (same) {
            share[k] = square[k] == 0.0f ? 1.0f : 0.0f;
        } else {
            share[k] = 1.0f / wd_sqrt(square[k]);
        }
        sum += share[k];
    }
    WD_FOR(WD_N_NEAREST, int32_t k = 0; k < WD_N_NEAREST; k++) {
        share[k] /= sum;
    }
}

#endif
