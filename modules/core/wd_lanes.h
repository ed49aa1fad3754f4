// Several windows side by side: the host gives each calculation WD_LANES windows at once, which its
// CPU takes in one instruction; the board gives it one. Each lane is calculated by itself, in the
// same order and with the same roundings, so the bits do not depend on how many there are.

#ifndef WD_LANES_H
#define WD_LANES_H

#include "wd_mathf.h"

#if !defined(WD_LANES) || !defined(__GNUC__)
#undef WD_LANES
#define WD_LANES 1
#endif

#if WD_LANES == 1

typedef float wd_lane;
typedef int wd_mask; // what comparing two wd_lane gives

static inline wd_lane wd_pick(wd_mask mask, wd_lane yes, wd_lane no) {
    return mask ? yes : no;
}

static inline wd_lane wd_all(float x) {
    return x;
}

#else

// Of floats, so it may lie where floats may.
typedef float wd_lane __attribute__((vector_size(4 * WD_LANES), aligned(4), may_alias));
typedef int32_t wd_mask __attribute__((vector_size(4 * WD_LANES), aligned(4), may_alias));

static inline wd_lane wd_pick(wd_mask mask, wd_lane yes, wd_lane no) {
    return (wd_lane)((mask & (wd_mask)yes) | (~mask & (wd_mask)no));
}

static inline wd_lane wd_all(float x) {
    wd_lane all;
    for (int i = 0; i < WD_LANES; i++) {
        all[i] = x;
    }
    return all;
}

#endif

// The lanes as floats: x[i] of lane l is at i * WD_LANES + l.
static inline const float *wd_floats(const wd_lane *x) {
    return (const float *)x;
}

static inline wd_lane wd_lane_abs(wd_lane x) {
#if WD_LANES == 1
    return wd_abs(x);
#else
    wd_mask sign = (wd_mask)wd_all(-0.0f);
    return (wd_lane)((wd_mask)x & ~sign);
#endif
}

static inline wd_lane wd_lane_sqrt(wd_lane x) {
    float *each = (float *)&x;
    for (int i = 0; i < WD_LANES; i++) {
        each[i] = wd_sqrt(each[i]);
    }
    return x;
}

// Where the features of each lane go.
typedef struct {
    float *to[WD_LANES];
} wd_out;

// Write a feature of each lane; what is not a number becomes the one NaN.
static inline void wd_put(wd_out *out, wd_lane value) {
    const float *each = wd_floats(&value);
    for (int i = 0; i < WD_LANES; i++) {
        *out->to[i]++ = wd_canonical(each[i]);
    }
}

#endif
