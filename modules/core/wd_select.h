// Order statistics of WD_LANES windows without sorting everything.

#ifndef WD_SELECT_H
#define WD_SELECT_H

#include <stdint.h>

#include "wd_lanes.h"

#define WD_SELECT_BUCKETS 128

// One window's samples, sorted into buckets; within a bucket only as far as was asked for.
typedef struct {
    float *x;
    float low, factor; // a sample's bucket is (x - low) * factor
    bool is_sorted; // all of x, and there are no buckets
    uint32_t n;
    uint32_t sorted; // the bucket sorted last
    uint16_t end[WD_SELECT_BUCKETS]; // where in x each bucket ends
} wd_select;

// Prepare to select from each lane of n samples, n from 2 to 65535.
//
// low, high: the smallest and the largest sample; mean: finite only where every sample is; scratch: n
// values, which s uses from then on.
void wd_select_open(wd_select s[WD_LANES], const wd_lane *x, uint32_t n, wd_lane low, wd_lane high,
    wd_lane mean, wd_lane *scratch);

// The value at rank + part of one window's sorted samples, linear between neighbours; rank from 0 to
// n - 1, part from 0 to below 1.
float wd_select_between(wd_select *s, uint32_t rank, float part);

#endif
