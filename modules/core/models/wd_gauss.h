// Scores of normal distributions. Included by a generated model.h, which defines WD_N_SCORES,
// WD_N_FEATURES and the tables wd_mean, wd_factor and wd_base first.
//
// score_k = base_k - |factor_k (row - mean_k)|^2 / 2

#ifndef WD_GAUSS_H
#define WD_GAUSS_H

#include "wd_loop.h"

// The square of a feature's distance, in units of its deviation.
__attribute__((always_inline)) static inline float wd_gauss_part(int16_t x, float mean, float factor) {
    float part = ((float)x - mean) * factor;
    return part * part;
}

// Independent features: a factor for each.
static inline void wd_gauss_diagonal(const int16_t *row, float *score) {
    const float *mean = wd_mean, *factor = wd_factor;
    WD_FOR(WD_N_SCORES, int32_t k = 0; k < WD_N_SCORES; k++) {
        const int16_t *x = row;
        float sum = 0.0f;
        WD_FOR(WD_FOURS(WD_N_FEATURES), int32_t i = WD_N_FEATURES / 4; i > 0; i--) {
            sum += wd_gauss_part(x[0], mean[0], factor[0]);
            sum += wd_gauss_part(x[1], mean[1], factor[1]);
            sum += wd_gauss_part(x[2], mean[2], factor[2]);
            sum += wd_gauss_part(x[3], mean[3], factor[3]);
            x += 4;
            mean += 4;
            factor += 4;
        }
        WD_FOR(WD_REST(WD_N_FEATURES), int32_t i = WD_N_FEATURES % 4; i > 0; i--) {
            sum += wd_gauss_part(*x++, *mean++, *factor++);
        }
        score[k] = wd_base[k] - 0.5f * sum;
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
