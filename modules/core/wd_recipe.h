// The feature recipe: bytes that say how a window of samples becomes a row of features.
//
// Little endian. Header: "WDR", version (1), number of recorded channels (u8), number of steps
// (u8), samples in a window (u16). Then the steps: kind (u8), size of the payload (u8), payload.
// A channel index counts the recorded channels, then those that steps have derived.
//
//   MAGNITUDE    u8 a, u8 b, u8 c: derives the channel sqrt(a^2 + b^2 + c^2). Recorded channels
//                only; stands before all steps of another kind.
//   STATISTICS   u32 mask: bit i asks for statistic i of WD_STATISTICS, for every channel.
//   BANDS        u8 flags (bit 0: Hann window), u8 n, u16 edges[n]: the amplitude in the n - 1
//                bands of bins edges[i] to edges[i+1] - 1, for every channel.
//   CORRELATION  pairs of u8: the correlation of two channels.
//
// The features come in the order of the steps; within a step channel by channel, within a
// channel in the order of the mask's bits or of the bands.

#ifndef WD_RECIPE_H
#define WD_RECIPE_H

#include <stddef.h>
#include <stdint.h>

#include "wd_errors.h"

#define WD_RECIPE_MAGIC "WDR"
#define WD_RECIPE_VERSION 1
#define WD_RECIPE_HEADER_BYTES 8
#define WD_BANDS_HANN 1

#define WD_MAX_CHANNELS 16 // recorded and derived
#define WD_MAX_STEPS 16
#define WD_MIN_LENGTH 4 // samples in a window
#define WD_MAX_LENGTH 8192

// Numbers that the host needs, by name.
#define WD_LIMITS(X) \
    X(RECIPE_VERSION, WD_RECIPE_VERSION) \
    X(BANDS_HANN, WD_BANDS_HANN) \
    X(MAX_CHANNELS, WD_MAX_CHANNELS) \
    X(MAX_STEPS, WD_MAX_STEPS) \
    X(MIN_LENGTH, WD_MIN_LENGTH) \
    X(MAX_LENGTH, WD_MAX_LENGTH)

// Kinds of steps, from 1 on.
#define WD_STEPS(X) \
    X(MAGNITUDE) \
    X(STATISTICS) \
    X(BANDS) \
    X(CORRELATION)

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
    uint32_t n_features;
    uint32_t work_floats; // size of wd_extract()'s work space
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

#endif
