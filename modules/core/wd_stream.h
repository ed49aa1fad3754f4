// From samples as they come to windows: filters, cuts windows, extracts.

#ifndef WD_STREAM_H
#define WD_STREAM_H

#include "wd_recipe.h"

// All memory is the caller's.
typedef struct {
    const wd_recipe *recipe;
    float *state; // of the filters
    float *coefficients;
    float *tables;
    float *work;
    float *window; // samples that have been through the filters
    uint32_t filled; // samples in the window
    uint32_t skip; // samples still to leave out, where the hop is longer than a window
} wd_stream;

// The floats of memory that a stream needs.
size_t wd_stream_floats(const wd_recipe *recipe);

// Begin. memory: wd_stream_floats() floats; it and the recipe must stay.
void wd_stream_open(wd_stream *stream, const wd_recipe *recipe, float *memory);

// Forget all samples: the next one is the first of a recording.
void wd_stream_reset(wd_stream *stream);

// Take a sample of n_recorded floats, which are overwritten. Returns whether it completes a window.
bool wd_stream_push(wd_stream *stream, float *sample);

// Compute the features of the window that the last sample completed; out: n_features floats.
void wd_stream_extract(const wd_stream *stream, float *out);

#endif
