// From a window of samples to a row of features, as a recipe says.

#ifndef WD_FEATURES_H
#define WD_FEATURES_H

#include "wd_lanes.h"
#include "wd_recipe.h"

// Fill the tables that all windows of a recipe share; tables: table_floats floats.
void wd_features_prepare(const wd_recipe *recipe, float *tables);

// Compute the features of WD_LANES windows. It cannot fail; what is not a number becomes the quiet
// NaN 0x7fc00000, so that the bits are the same everywhere. Filters have been here before.
//
// window: length * n_recorded floats each, sample by sample (interleaved); tables: prepared; work:
// work_lanes values, their content on entry does not matter; out: n_features floats each. Windows may
// be the same or overlap; nothing else may.
void wd_extract(const wd_recipe *recipe, const float *const window[WD_LANES], const float *tables,
    wd_lane *work, wd_out out);

#endif
