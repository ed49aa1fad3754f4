// A layer of weights. Included by a generated model.h.

#ifndef WD_DENSE_H
#define WD_DENSE_H

#include "wd_loop.h"

// Define NAME(x, y): y[o] = activation(NAME_biases[o] + sum over i of NAME_weights[o][i] * x[i]).
#define WD_DENSE(name, n_in, n_out, activation) \
    static inline void name(const float *x, float *y) { \
        const float *weight = name##_weights; \
        WD_FOR(n_out, int32_t o = 0; o < (n_out); o++) { \
            float sum = name##_biases[o]; \
            WD_FOR(n_in, int32_t i = 0; i < (n_in); i++) { \
                sum += weight[i] * x[i]; \
            } \
            weight += (n_in); \
            y[o] = activation(sum); \
        } \
    }

#endif
