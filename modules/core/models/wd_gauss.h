// Scores of normal distributions. Included by a generated model.h, which defines WD_N_SCORES,
// WD_N_FEATURES and the tables wd_mean, wd_factor and wd_base first.
//
// score_k = base_k - |factor_k (row - mean_k)|^2 / 2

#ifndef WD_GAUSS_H
#define WD_GAUSS_H

#include "wd_loop.h"

// Independent features: a factor for each.
static inline void wd_gauss_diagonal(const int16_t *row, float *score) {
    const float *mean = wd_mean, *factor = wd_factor;
    WD_FOR(WD_N_SCORES, int32_t k = 0; k < WD_N_SCORES; k++) {
        float sum = 0.0f;
        WD_FOR(WD_N_FEATURES, int32_t i = 0; i < WD_N_FEATURES; i++) {
            float part = ((float)row[i] - mean[i]) * factor[i];
            sum += part * part;
        }
        score[k] = wd_base[k] - 0.5f * sum;
        mean += WD_N_FEATURES;
        factor += WD_N_FEATURES;
    }
}

// Correlated features: the upper triangle of a matrix, row by row.
static inline void wd_gauss_triangle(const int16_t *row, float *score) {
    const float *mean = wd_mean, *factor = wd_factor;
    float away[WD_N_FEATURES];
    WD_FOR(WD_N_SCORES, int32_t k = 0; k < WD_N_SCORES; k++) {
        WD_FOR(WD_N_FEATURES, int32_t i = 0; i < WD_N_FEATURES; i++) {
            away[i] = (float)row[i] - mean[i];
        }
        float sum = 0.0f;
        WD_FOR(WD_N_FEATURES, int32_t i = 0; i < WD_N_FEATURES; i++) {
            float part = 0.0f;
            WD_FOR(WD_N_FEATURES, int32_t j = i; j < WD_N_FEATURES; j++) {
                part += *factor++ * away[j];
            }
            sum += part * part;
        }
        score[k] = wd_base[k] - 0.5f * sum;
        mean += WD_N_FEATURES;
    }
}

#endif
