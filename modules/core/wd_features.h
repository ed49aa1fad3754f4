// From a window of samples to a row of features, as a recipe says.

#ifndef WD_FEATURES_H
#define WD_FEATURES_H

#include "wd_recipe.h"

// Compute the features of one window. It cannot fail; what is not a number becomes the quiet NaN
// 0x7fc00000, so that the bits are the same everywhere.
//
// window: length * n_recorded floats, sample by sample (interleaved); work: work_floats floats,
// their content on entry does not matter; out: n_features floats. No two may overlap.
void wd_extract(const wd_recipe *recipe, const float *window, float *work, float *out);

#endif
