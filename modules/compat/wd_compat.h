// What the modules named emlearn_* compute and the rest of the core does not: neighbours, linear
// regression, a complex Fourier transform, second-order sections and a linear map, all on arrays of
// the caller's.
//
// Nothing here allocates or checks lengths; wedau_compat.c does.

#ifndef WD_COMPAT_H
#define WD_COMPAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wd_mathf.h"

#define WD_NEIGHBORS_MAX_ITEMS 32767
#define WD_NEIGHBORS_MAX_FEATURES 32767
#define WD_NEIGHBORS_MAX_LABEL 32767
#define WD_LINREG_MAX_FEATURES 65535
#define WD_COMPLEX_FFT_MAX 65536
#define WD_SECTION_COEFFICIENTS 6 // b0 b1 b2 a0 a1 a2, a0 is 1
#define WD_SECTION_STATES 2

// Rows with labels, and what the last wd_neighbors_rank() found.
typedef struct {
    uint32_t max_items;
    uint32_t n_features;
    uint32_t k;
    uint32_t n_items;
    uint32_t n_ranked; // items that squares and order hold
    int16_t *rows; // max_items * n_features
    int16_t *labels; // max_items
    uint64_t *squares; // max_items: squared distances, nearest first
    uint16_t *order; // max_items: the items that they belong to
} wd_neighbors;

// Rank all items by their squared distance from x, exactly; of items equally far, the earlier first.
void wd_neighbors_rank(wd_neighbors *self, const int16_t *x);

// The label that most of the k nearest have; of several, the lowest. n_ranked >= k.
int32_t wd_neighbors_vote(const wd_neighbors *self);

// The square root, rounded down.
uint32_t wd_integer_sqrt(uint64_t x);

// A linear model that is trained by gradient descent, with both penalties of the elastic net.
typedef struct {
    uint32_t n_features;
    float alpha;
    float l1_ratio;
    float learning_rate;
    float bias;
    float *weights; // n_features
    float *gradients; // n_features, for the time of a step
} wd_linreg;

float wd_linreg_predict(const wd_linreg *self, const float *x);

// The mean of the squared errors over n rows, n >= 1.
float wd_linreg_mse(const wd_linreg *self, const float *rows, const float *y, uint32_t n);

// One step down the gradient over n rows, n >= 1.
//
// Source: proximal gradient descent with soft thresholding; Beck and Teboulle 2009, section 1.
void wd_linreg_step(wd_linreg *self, const float *rows, const float *y, uint32_t n);

// Fill the tables with n / 2 sines and cosines of 2 pi k / n. n: a power of two, 2 to 65536.
void wd_complex_fft_tables(uint32_t n, float *sines, float *cosines);

// Transform n complex values in place: X[k] = sum_i x[i] exp(-2 pi j i k / n).
void wd_complex_fft(uint32_t n, const float *sines, const float *cosines, float *re, float *im);

// Filter n values in place through sections one after the other; states: 2 floats a section, 0 at
// the start.
//
// Source: transposed direct form II, as scipy.signal.sosfilt.
void wd_sections(size_t n_sections, const float *coefficients, float *states, float *values, size_t n);

typedef struct {
    float in_min;
    float in_max; // not in_min
    float out_min;
    float out_max;
} wd_linear;

// y with in_min to in_max stretched onto out_min to out_max, and held within these. x: not NaN.
float wd_linear_map(const wd_linear *map, float x);

// y towards zero to the next integer, held within int16. y: not NaN.
int16_t wd_to_int16(float y);

#endif
