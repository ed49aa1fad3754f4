// Filters before the features: second-order sections that run over all samples as they come, never
// started anew for a window.

#ifndef WD_FILTER_H
#define WD_FILTER_H

#include "wd_recipe.h"

// Copy the coefficients out of a recipe; out: n_coefficients floats.
void wd_filter_prepare(const wd_recipe *recipe, float *out);

// Forget all samples; the next one is the first. state: state_floats floats.
void wd_filter_start(const wd_recipe *recipe, float *state);

// Filter a sample of n_recorded floats in place; a recipe without a filter leaves it as it is.
//
// Each section computes y = b0 x + s1, s1 = b1 x - a1 y + s2, s2 = b2 x - a2 y. It begins as if the
// first sample had been there forever, so that a constant such as gravity is no step. A state below
// 1e-30 becomes 0. Where an output is infinite or NaN, all filters begin anew with the next sample.
//
// Source: transposed direct form II, as scipy.signal.sosfilt.
void wd_filter(const wd_recipe *recipe, const float *coefficients, float *state, float *sample);

#endif
