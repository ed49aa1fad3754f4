// A baseline: what is normal, learnt where the node stands, out of windows of features.
//
// The first half of the windows gives each feature a centre, the median of the first 15, and its usual
// reach below and above: the third lowest and third highest value. The score of a window is the mean
// fourth power of its features' distances from the centre in units of that reach, each at most 16.
// The second half is scored only. The threshold is the k-th lowest of its n scores,
// k = n + 1 - floor(false_alarms * (n + 1)), so that a further window of the same kind is above it
// with a probability of at most false_alarms: split conformal prediction. A window of the second half
// whose distance is more than eight times the median's is an accident and replaced by the next one,
// up to one in twenty.
//
// Everything lies in memory of the caller, at a multiple of 4 bytes, little endian:
//
//   header      wd_baseline_header, 28 bytes
//   centre      f32 for each feature
//   low, high   f32 for each feature: 1 / reach below and above the centre
//   checksum    u32, CRC-32 of all bytes before
//
// and, while learning, f32 values that nobody else needs. What is above is the file that is kept.

#ifndef WD_BASELINE_H
#define WD_BASELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WD_BASELINE_MAGIC "WDB"
#define WD_BASELINE_VERSION 1

#define WD_BASELINE_MAX_FEATURES 1024
#define WD_BASELINE_MIN_WINDOWS 32
#define WD_BASELINE_MAX_WINDOWS 20000
#define WD_BASELINE_FIRST 15 // windows whose median is the centre
#define WD_BASELINE_TRIMMED 2 // lowest and highest values of a feature that its reach leaves out
#define WD_BASELINE_MOST_REACHES 16 // a feature's distance counts as this at most
#define WD_BASELINE_ACCIDENT 8 // times the median distance
#define WD_BASELINE_ACCIDENTS 20 // one window in so many may be one

#define WD_BASELINE_ERRORS(X) \
    X(OK, "no error") \
    X(ALIGNMENT, "the baseline does not begin at a multiple of 4 bytes") \
    X(TRUNCATED, "the stored baseline is cut short") \
    X(MAGIC, "the bytes are not a stored baseline") \
    X(VERSION, "the stored baseline is of an unknown version") \
    X(LENGTH, "the stored baseline has the wrong length") \
    X(CHECKSUM, "the stored baseline is damaged: its checksum differs") \
    X(OTHER, "the stored baseline is of other features or settings") \
    X(CONTENT, "the stored baseline holds impossible values") \
    X(FEATURES, "n_features must be 1 to 1024") \
    X(WINDOWS, "windows must be 32 to 20000") \
    X(RATE, "windows must be at least 2 / false_alarms, and false_alarms above 0 and below 0.5") \
    X(ROW, "x has the wrong length; it must hold n_features") \
    X(NUMBER, "x holds NaN or, for learning, infinity") \
    X(LEARNING, "the baseline is not learnt yet; see ready")

#define WD_BASELINE_ERROR_MEMBER(name, text) WD_BASELINE_ERROR_##name,
typedef enum { WD_BASELINE_ERRORS(WD_BASELINE_ERROR_MEMBER) WD_BASELINE_N_ERRORS } wd_baseline_error;
#undef WD_BASELINE_ERROR_MEMBER

#define WD_BASELINE_OK WD_BASELINE_ERROR_OK

// The bytes are used in place, whatever type they had before.
#ifdef __GNUC__
#define WD_BASELINE_IN_PLACE __attribute__((may_alias))
#else
#define WD_BASELINE_IN_PLACE
#endif

typedef struct WD_BASELINE_IN_PLACE {
    char magic[3];
    uint8_t version;
    uint16_t n_features;
    uint16_t accidents; // windows that were learnt from and then left out
    uint32_t windows;
    uint32_t seen; // windows that count so far; all of them once the baseline is learnt
    uint32_t key; // says which features these are
    float false_alarms;
    float threshold;
} wd_baseline_header;

typedef float WD_BASELINE_IN_PLACE wd_baseline_float;
typedef uint32_t WD_BASELINE_IN_PLACE wd_baseline_word;

// What a baseline is for.
typedef struct {
    uint32_t n_features;
    uint32_t windows; // to learn from
    float false_alarms; // the largest share of normal windows that may be called anomalies
    uint32_t key; // any number; a stored baseline with another one is not taken
} wd_baseline_settings;

// One English sentence without a full stop; never NULL.
const char *wd_baseline_error_text(wd_baseline_error error);

wd_baseline_error wd_baseline_check_settings(const wd_baseline_settings *settings);

// Size of what is kept, and of all that learning takes, in bytes. The settings must be checked.
size_t wd_baseline_kept_bytes(const wd_baseline_settings *settings);
size_t wd_baseline_learning_bytes(const wd_baseline_settings *settings);

// Begin to learn in memory of wd_baseline_learning_bytes().
wd_baseline_error wd_baseline_begin(const wd_baseline_settings *settings, uint8_t *memory, size_t length);

// Check what was kept in full: all bytes, and that it was learnt with these settings.
wd_baseline_error wd_baseline_check(const wd_baseline_settings *settings, const uint8_t *memory, size_t length);

// The functions below take memory that begin() or check() accepted, whole, or once the baseline is
// learnt the kept part of it; they look at its header again, so that other bytes raise an error or give
// another answer, but are never read or written outside of.

// Learn from a window; *needed becomes how many more it takes, 0 once the baseline is learnt.
wd_baseline_error wd_baseline_learn(uint8_t *memory, size_t length, const float *x, size_t n, uint32_t *needed);

// *score becomes the distance of a window in units of the threshold's; *is_anomaly: it is above 1.
wd_baseline_error wd_baseline_score(const uint8_t *memory, size_t length, const float *x, size_t n, float *score, bool *is_anomaly);

#endif
