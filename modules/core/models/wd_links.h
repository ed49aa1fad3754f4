// From scores to outputs: probabilities, the largest. Included by a generated model.h, which defines
// WD_N_SCORES first.

#ifndef WD_LINKS_H
#define WD_LINKS_H

#include <stdint.h>

#include "wd_exp.h"
#include "wd_loop.h"
#include "wd_mathf.h"

// Index of the largest score; of several, the lowest.
static inline int32_t wd_largest(const float *score) {
    int32_t best = 0;
    WD_FOR(WD_N_SCORES, int32_t i = 1; i < WD_N_SCORES; i++) {
        if (score[i] > score[best]) {
            best = i;
        }
    }
    return best;
}

static inline int32_t wd_largest_sum(const int32_t *score) {
    int32_t best = 0;
    WD_FOR(WD_N_SCORES, int32_t i = 1; i < WD_N_SCORES; i++) {
        if (score[i] > score[best]) {
            best = i;
        }
    }
    return best;
}

static inline float wd_logistic(float x) {
    float raised = wd_exp(-wd_abs(x));
    return (x < 0.0f ? raised : 1.0f) / (1.0f + raised);
}

// The probabilities of two classes from the score of the second.
static inline void wd_two(float score, float *out) {
    out[1] = wd_logistic(score);
    out[0] = wd_logistic(-score);
}

// exp(score) over its sum. score and out may be the same.
static inline void wd_softmax(const float *score, float *out) {
    float top = score[wd_largest(score)], sum = 0.0f;
    WD_FOR(WD_N_SCORES, int32_t i = 0; i < WD_N_SCORES; i++) {
        out[i] = wd_exp(score[i] - top);
        sum += out[i];
    }
    WD_FOR(WD_N_SCORES, int32_t i = 0; i < WD_N_SCORES; i++) {
        out[i] /= sum;
    }
}

// One against the rest: each score's logistic over the sum of all. score and out may be the same.
static inline void wd_rest(const float *score, float *out) {
    float sum = 0.0f;
    WD_FOR(WD_N_SCORES, int32_t i = 0; i < WD_N_SCORES; i++) {
        out[i] = wd_logistic(score[i]);
        sum += out[i];
    }
    WD_FOR(WD_N_SCORES, int32_t i = 0; i < WD_N_SCORES; i++) {
        out[i] /= sum;
    }
}

// The logarithm of the sum of exp(score).
static inline float wd_log_sum(const float *score) {
    float top = score[wd_largest(score)], sum = 0.0f;
    WD_FOR(WD_N_SCORES, int32_t i = 0; i < WD_N_SCORES; i++) {
        sum += wd_exp(score[i] - top);
    }
    return top + wd_log(sum);
}

static inline float wd_relu(float x) {
    return x > 0.0f ? x : 0.0f;
}

static inline float wd_identity(float x) {
    return x;
}

#endif
