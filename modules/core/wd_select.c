#include "wd_select.h"

// Shell's sort, gaps halving: no recursion, no further memory.
static void sort(float *x, uint32_t n) {
    for (uint32_t gap = n / 2; gap > 0; gap /= 2) {
        for (uint32_t i = gap; i < n; i++) {
            float v = x[i];
            uint32_t j = i;
            for (; j >= gap && x[j - gap] > v; j -= gap) {
                x[j] = x[j - gap];
            }
            x[j] = v;
        }
    }
}

// Rounding keeps the order, so no sample lies in a bucket below that of a smaller one.
static inline uint32_t bucket_of(const wd_select *s, float x) {
    return (uint32_t)(int32_t)((x - s->low) * s->factor);
}

// Returns whether every sample is finite. Where all are the same they fall into the first bucket.
static bool begin(wd_select *s, uint32_t n, float low, float high, float mean, float *scratch) {
    float range = high - low;
    s->x = scratch;
    s->low = low;
    s->factor = range > 1e-30f ? ((float)WD_SELECT_BUCKETS - 0.5f) / range : 0.0f;
    s->n = n;
    s->is_sorted = false;
    s->sorted = WD_SELECT_BUCKETS;
    for (uint32_t b = 0; b < WD_SELECT_BUCKETS; b++) {
        s->end[b] = 0;
    }
    return wd_is_finite(mean) && wd_is_finite(range);
}

// From the number of samples in each bucket to where it starts.
static void add_up(wd_select *s) {
    uint32_t sum = 0;
    for (uint32_t b = 0; b < WD_SELECT_BUCKETS; b++) {
        uint32_t count = s->end[b];
        s->end[b] = (uint16_t)sum;
        sum += count;
    }
}

// Copy the samples into their buckets; where each starts becomes where it ends.
static void distribute(wd_select s[WD_LANES], const float *x, uint32_t n) {
    for (uint32_t i = 0; i < n; i++, x += WD_LANES) {
        for (uint32_t lane = 0; lane < WD_LANES; lane++) {
            uint32_t b = bucket_of(&s[lane], x[lane]);
            s[lane].x[s[lane].end[b]++] = x[lane];
        }
    }
}

static void count(wd_select s[WD_LANES], const float *x, uint32_t n) {
    for (uint32_t i = 0; i < n; i++, x += WD_LANES) {
        for (uint32_t lane = 0; lane < WD_LANES; lane++) {
            s[lane].end[bucket_of(&s[lane], x[lane])]++;
        }
    }
}

// In the order of the samples, so that even windows with NaN give the same bits everywhere.
static void sort_all(wd_select *s, const float *x) {
    for (uint32_t i = 0; i < s->n; i++) {
        s->x[i] = x[i * WD_LANES];
    }
    sort(s->x, s->n);
    s->is_sorted = true;
}

void wd_select_open(wd_select s[WD_LANES], const wd_lane *x, uint32_t n, wd_lane low, wd_lane high,
    wd_lane mean, wd_lane *scratch) {
    bool finite = true;
    for (uint32_t lane = 0; lane < WD_LANES; lane++) {
        finite &= begin(&s[lane], n, wd_floats(&low)[lane], wd_floats(&high)[lane],
            wd_floats(&mean)[lane], (float *)scratch + lane * n);
    }
    if (finite) {
        count(s, wd_floats(x), n);
        for (uint32_t lane = 0; lane < WD_LANES; lane++) {
            add_up(&s[lane]);
        }
        distribute(s, wd_floats(x), n);
        return;
    }
    for (uint32_t lane = 0; lane < WD_LANES; lane++) {
        sort_all(&s[lane], wd_floats(x) + lane);
    }
}

static float at(wd_select *s, uint32_t rank) {
    if (!s->is_sorted) {
        uint32_t b = bucket_of(s, s->x[rank]);
        if (b != s->sorted) {
            uint32_t start = b > 0 ? s->end[b - 1] : 0;
            sort(s->x + start, s->end[b] - start);
            s->sorted = b;
        }
    }
    return s->x[rank];
}

float wd_select_between(wd_select *s, uint32_t rank, float part) {
    float a = at(s, rank);
    if (rank + 1 >= s->n) {
        return a;
    }
    return a + (at(s, rank + 1) - a) * part;
}
