// The feature recipe: bytes that say how a window of samples becomes a row of features.
//
// Little endian. Header: "WDR", version (1), number of recorded channels (u8), number of steps
// (u8), samples in a window (u16). Then the steps: kind (u8), size of the payload (u8), payload.
// A channel index counts the recorded channels, then those that steps have derived, in the order of
// the steps. First stand the filters, then the steps that derive channels, then those that compute
// features; HOP may stand anywhere.
//
//   HOP          u32: samples from one window's start to the next one's, from 1 on. Without it the
//                next window starts where one ends.
//   FILTER       u16 mask, u8 n, u8 0, then n times f32 b0, b1, b2, a1, a2: passes the recorded
//                channels of the mask's bits through n second-order sections, one after the other,
//                each stable: |a2| < 1 and |a1| < 1 + a2. See wd_filter.h.
//   MAGNITUDE    u8 a, u8 b, u8 c: derives the channel sqrt(a^2 + b^2 + c^2). Recorded channels only.
//   DIFFERENCE   u8 a: derives the channel d[i] = a[i] - a[i - 1], and d[0] = d[1]; of any channel
//                before it.
//   STATISTICS   u32 mask: bit i asks for statistic i of WD_STATISTICS, for every channel.
//   BANDS        u8 flags (bit 0: Hann window), u8 n, u16 edges[n]: the amplitude in the n - 1
//                bands of bins edges[i] to edges[i+1] - 1, for every channel.
//   CORRELATION  pairs of u8: the correlation of two channels.
//   MEL          u8 flags (bit 0: Hann window), u8 n, u16 0, f32 floor, f32 edges[n] in bins, rising:
//                the logarithm of the energy in n - 2 triangles; triangle i rises from edges[i] to
//                edges[i+1], falls to edges[i+2], and has a bin inside. For every channel.
//   QUANTILES    f32 each, 0 to 1: these quantiles, for every channel.
//
// The features come in the order of the steps; within a step channel by channel, within a
// channel in the order of the mask's bits or of the bands.

#ifndef WD_RECIPE_H
#define WD_RECIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wd_errors.h"

#define WD_RECIPE_MAGIC "WDR"
#define WD_RECIPE_VERSION 1
#define WD_RECIPE_HEADER_BYTES 8
#define WD_BANDS_HANN 1

#define WD_MAX_CHANNELS 16 // recorded and derived
#define WD_MAX_STEPS 32
#define WD_MAX_SECTIONS 12 // of a filter step
#define WD_MAX_MEL_EDGES 61
#define WD_MAX_QUANTILES 63
#define WD_MIN_LENGTH 4 // samples in a window
#define WD_MAX_LENGTH 8192

// Numbers that the host needs, by name.
#define WD_LIMITS(X) \
    X(RECIPE_VERSION, WD_RECIPE_VERSION) \
    X(BANDS_HANN, WD_BANDS_HANN) \
    X(MAX_CHANNELS, WD_MAX_CHANNELS) \
    X(MAX_STEPS, WD_MAX_STEPS) \
    X(MIN_LENGTH, WD_MIN_LENGTH) \
    X(MAX_LENGTH, WD_MAX_LENGTH) \
    X(MAX_SECTIONS, WD_MAX_SECTIONS) \
    X(MAX_MEL_EDGES, WD_MAX_MEL_EDGES) \
    X(MAX_QUANTILES, WD_MAX_QUANTILES)

// Kinds of steps, from 1 on.
#define WD_STEPS(X) \
    X(MAGNITUDE) \
    X(STATISTICS) \
    X(BANDS) \
    X(CORRELATION) \
    X(HOP) \
    X(FILTER) \
    X(DIFFERENCE) \
    X(MEL) \
    X(QUANTILES)

#define WD_STEP_MEMBER(name) WD_STEP_##name,
typedef enum { WD_STEP_NONE, WD_STEPS(WD_STEP_MEMBER) WD_STEP_END } wd_step_kind;
#undef WD_STEP_MEMBER

// Statistics in the order of the mask's bits: constant, name, and unit: "u" is the channel's own,
// "1" none. Formulas: docs/reference/features.md.
#define WD_STATISTICS(X) \
    X(MEAN, "mean", "u") \
    X(STD, "std", "u") \
    X(MIN, "min", "u") \
    X(MAX, "max", "u") \
    X(RMS, "rms", "u") \
    X(PEAK_TO_PEAK, "peak_to_peak", "u") \
    X(ZERO_CROSSINGS, "zero_crossings", "1") \
    X(MEAN_ABS_DIFF, "mean_abs_diff", "u") \
    X(MEDIAN, "median", "u") \
    X(IQR, "iqr", "u") \
    X(SKEWNESS, "skewness", "1") \
    X(KURTOSIS, "kurtosis", "1")

#define WD_STATISTIC_MEMBER(name, text, unit) WD_STATISTIC_##name,
typedef enum { WD_STATISTICS(WD_STATISTIC_MEMBER) WD_N_STATISTICS } wd_statistic;
#undef WD_STATISTIC_MEMBER

// A recipe that wd_recipe_parse() has checked. It points into the bytes, which must stay.
typedef struct {
    const uint8_t *steps;
    uint8_t n_steps;
    uint8_t n_recorded; // channels in a window
    uint8_t n_channels; // with the derived ones
    uint16_t length; // samples in a window
    uint16_t fft_length; // the power of two from length up
    uint32_t hop; // samples from one window's start to the next one's
    uint32_t n_features;
    uint32_t n_coefficients; // floats of wd_filter_prepare(); 0 if there is no filter
    uint32_t state_floats; // size of wd_filter()'s state
    uint32_t table_floats; // size of wd_extract()'s tables
    uint32_t work_lanes; // size of its work space
    bool hann; // whether the tables hold a Hann window
} wd_recipe;

typedef struct {
    wd_step_kind kind;
    uint8_t size;
    const uint8_t *payload;
} wd_step;

// Check n bytes completely and fill in the recipe; on an error its content is undefined.
wd_error wd_recipe_parse(const uint8_t *bytes, size_t n, wd_recipe *recipe);

// Read the step at p and return where the next one starts.
const uint8_t *wd_step_next(const uint8_t *p, wd_step *step);

// Little-endian numbers out of a payload.
uint16_t wd_read_u16(const uint8_t *p);
uint32_t wd_read_u32(const uint8_t *p);
float wd_read_f32(const uint8_t *p);

#endif
