// A layer of weights. Included by a generated model.h.

#ifndef WD_DENSE_H
#define WD_DENSE_H

#include "wd_loop.h"

// Define NAME(x, y): y[o] = activation(NAME_biases[o] + sum over i of NAME_weights[o][i] * x[i]).
// Four products a pass; they are added one after the other, as without.
#define WD_DENSE(name, n_in, n_out, activation) \
    static inline void name(const float *x, float *y) { \
        const float *weight = name##_weights; \
        WD_FOR(n_out, int32_t o = 0; o < (n_out); o++) { \
            float sum = name##_biases[o]; \
            const float *at = x; \
            WD_FOR(WD_FOURS(n_in), int32_t i = (n_in) / 4; i > 0; i--) { \
                sum += weight[0] * at[0]; \
                sum += weight[1] * at[1]; \
                sum += weight[2] * at[2]; \
                sum += weight[3] * at[3]; \
                weight += 4; \
                at += 4; \
            } \
            WD_FOR(WD_REST(n_in), int32_t i = (n_in) % 4; i > 0; i--) { \
                sum += *weight++ * *at++; \
            } \
            y[o] = activation(sum); \
        } \
    }

#endif
