#include "wd_baseline.h"

#include "wd_crc32.h"
#include "wd_mathf.h"

#define CHECKSUM_BYTES 4
#define SMALLEST_REACH 1e-30f // so that 1 / reach is finite
#define ROUNDING 9.5367431640625e-7f // 2^-20: what is closer to a centre may be rounding
#define SMALLEST_THRESHOLD 1e-20f

typedef char wd_baseline_header_is_28_bytes[sizeof(wd_baseline_header) == 28 ? 1 : -1];

// The parts of the memory.
typedef struct {
    wd_baseline_header *header;
    wd_baseline_float *centre;
    wd_baseline_float *low;
    wd_baseline_float *high;
    wd_baseline_word *checksum;
    wd_baseline_float *columns; // FIRST values of each feature, sorted; NULL if only the kept part is there
    wd_baseline_float *scores; // of the second half, sorted
} parts;

const char *wd_baseline_error_text(wd_baseline_error error) {
    switch (error) {
#define X(name, text) case WD_BASELINE_ERROR_##name: return text;
        WD_BASELINE_ERRORS(X)
#undef X
        default:
            return "unknown error";
    }
}

static uint32_t n_ranged(uint32_t windows) {
    return windows / 2;
}

static uint32_t n_scored(uint32_t windows) {
    return windows - windows / 2;
}

// How many of the n scores may lie above the threshold, or one more where it is equal to one.
static uint32_t n_above(uint32_t windows, float false_alarms) {
    return (uint32_t)(false_alarms * (float)(n_scored(windows) + 1));
}

static wd_baseline_error check_counts(uint32_t n_features, uint32_t windows) {
    if (n_features < 1 || n_features > WD_BASELINE_MAX_FEATURES) {
        return WD_BASELINE_ERROR_FEATURES;
    }
    if (windows < WD_BASELINE_MIN_WINDOWS || windows > WD_BASELINE_MAX_WINDOWS) {
        return WD_BASELINE_ERROR_WINDOWS;
    }
    return WD_BASELINE_OK;
}

static bool is_rate(uint32_t windows, float false_alarms) {
    return false_alarms > 0 && false_alarms < 0.5f && n_above(windows, false_alarms) >= 1;
}

wd_baseline_error wd_baseline_check_settings(const wd_baseline_settings *settings) {
    wd_baseline_error error = check_counts(settings->n_features, settings->windows);
    if (error == WD_BASELINE_OK && !is_rate(settings->windows, settings->false_alarms)) {
        error = WD_BASELINE_ERROR_RATE;
    }
    return error;
}

static size_t kept_bytes(uint32_t n_features) {
    return sizeof(wd_baseline_header) + 3 * sizeof(float) * n_features + CHECKSUM_BYTES;
}

static size_t learning_bytes(uint32_t n_features, uint32_t windows) {
    return kept_bytes(n_features) + sizeof(float) * (WD_BASELINE_FIRST * n_features + n_scored(windows));
}

size_t wd_baseline_kept_bytes(const wd_baseline_settings *settings) {
    return kept_bytes(settings->n_features);
}

size_t wd_baseline_learning_bytes(const wd_baseline_settings *settings) {
    return learning_bytes(settings->n_features, settings->windows);
}

static void lay_out(uint8_t *memory, bool is_whole, parts *p) {
    p->header = (wd_baseline_header *)(void *)memory;
    size_t n = p->header->n_features;
    p->centre = (wd_baseline_float *)(void *)(memory + sizeof(wd_baseline_header));
    p->low = p->centre + n;
    p->high = p->low + n;
    p->checksum = (wd_baseline_word *)(void *)(p->high + n);
    p->columns = is_whole ? (wd_baseline_float *)(void *)(p->checksum + 1) : NULL;
    p->scores = is_whole ? p->columns + WD_BASELINE_FIRST * n : NULL;
}

static bool is_magic(const wd_baseline_header *h) {
    return h->magic[0] == WD_BASELINE_MAGIC[0] && h->magic[1] == WD_BASELINE_MAGIC[1]
           && h->magic[2] == WD_BASELINE_MAGIC[2];
}

// Look at the header, and whether the length is what it says. After that no index leads outside.
static wd_baseline_error open(const uint8_t *memory, size_t length, parts *p) {
    const wd_baseline_header *h = (const void *)memory;
    if ((uintptr_t)memory % sizeof(float) != 0) {
        return WD_BASELINE_ERROR_ALIGNMENT;
    }
    if (length < sizeof(wd_baseline_header)) {
        return WD_BASELINE_ERROR_TRUNCATED;
    }
    if (!is_magic(h)) {
        return WD_BASELINE_ERROR_MAGIC;
    }
    if (h->version != WD_BASELINE_VERSION) {
        return WD_BASELINE_ERROR_VERSION;
    }
    if (check_counts(h->n_features, h->windows) != WD_BASELINE_OK || h->seen > h->windows
        || !is_rate(h->windows, h->false_alarms)) {
        return WD_BASELINE_ERROR_CONTENT;
    }
    bool is_whole = length == learning_bytes(h->n_features, h->windows);
    if (!is_whole && length != kept_bytes(h->n_features)) {
        return length < kept_bytes(h->n_features) ? WD_BASELINE_ERROR_TRUNCATED : WD_BASELINE_ERROR_LENGTH;
    }
    if (!is_whole && h->seen != h->windows) {
        return WD_BASELINE_ERROR_CONTENT;
    }
    // Those who got const memory do not write through the parts.
    lay_out((uint8_t *)(uintptr_t)memory, is_whole, p);
    return WD_BASELINE_OK;
}

wd_baseline_error wd_baseline_begin(const wd_baseline_settings *settings, uint8_t *memory, size_t length) {
    wd_baseline_error error = wd_baseline_check_settings(settings);
    if (error != WD_BASELINE_OK) {
        return error;
    }
    if (length != wd_baseline_learning_bytes(settings)) {
        return WD_BASELINE_ERROR_LENGTH;
    }
    if ((uintptr_t)memory % sizeof(float) != 0) {
        return WD_BASELINE_ERROR_ALIGNMENT;
    }
    for (size_t i = 0; i < length; i++) {
        memory[i] = 0;
    }
    wd_baseline_header *h = (wd_baseline_header *)(void *)memory;
    for (size_t i = 0; i < sizeof(h->magic); i++) {
        h->magic[i] = WD_BASELINE_MAGIC[i];
    }
    h->version = WD_BASELINE_VERSION;
    h->n_features = (uint16_t)settings->n_features;
    h->windows = settings->windows;
    h->key = settings->key;
    h->false_alarms = settings->false_alarms;
    return WD_BASELINE_OK;
}

// Comparisons are false where an operand is NaN.
static bool are_values(const parts *p) {
    for (size_t i = 0; i < p->header->n_features; i++) {
        if (!(wd_is_finite(p->centre[i]) && p->low[i] > 0 && wd_is_finite(p->low[i]) && p->high[i] > 0
              && wd_is_finite(p->high[i]))) {
            return false;
        }
    }
    return p->header->threshold > 0 && wd_is_finite(p->header->threshold);
}

wd_baseline_error wd_baseline_check(const wd_baseline_settings *settings, const uint8_t *memory, size_t length) {
    parts p;
    wd_baseline_error error = open(memory, length, &p);
    if (error != WD_BASELINE_OK) {
        return error;
    }
    const wd_baseline_header *h = p.header;
    if (p.columns != NULL) {
        return WD_BASELINE_ERROR_LENGTH;
    }
    if (wd_crc32(memory, length - CHECKSUM_BYTES) != *p.checksum) {
        return WD_BASELINE_ERROR_CHECKSUM;
    }
    if (h->n_features != settings->n_features || h->windows != settings->windows
        || h->key != settings->key || wd_to_bits(h->false_alarms) != wd_to_bits(settings->false_alarms)) {
        return WD_BASELINE_ERROR_OTHER;
    }
    return are_values(&p) ? WD_BASELINE_OK : WD_BASELINE_ERROR_CONTENT;
}

// Put x into a sorted array of n values that has room for one more.
static void insert(wd_baseline_float *sorted, size_t n, float x) {
    size_t i = n;
    for (; i > 0 && sorted[i - 1] > x; i--) {
        sorted[i] = sorted[i - 1];
    }
    sorted[i] = x;
}

// Of a full column only the lowest and highest values matter; put x among them if it belongs there.
static void insert_extreme(wd_baseline_float *column, float x) {
    wd_baseline_float *lowest = column, *highest = column + WD_BASELINE_FIRST - 1 - WD_BASELINE_TRIMMED;
    if (x < lowest[WD_BASELINE_TRIMMED]) {
        insert(lowest, WD_BASELINE_TRIMMED, x);
    } else if (x > highest[0]) {
        size_t i = 0;
        for (; i < WD_BASELINE_TRIMMED && highest[i + 1] < x; i++) {
            highest[i] = highest[i + 1];
        }
        highest[i] = x;
    }
}

static float per_reach(float reach, float centre) {
    float least = wd_abs(centre) * ROUNDING;
    reach = reach > least ? reach : least;
    reach = reach > SMALLEST_REACH ? reach : SMALLEST_REACH;
    return 1.0f / (reach < FLT_MAX ? reach : FLT_MAX);
}

// One window of the first half.
static void learn_range(const parts *p, const float *x) {
    uint32_t seen = p->header->seen, half = n_ranged(p->header->windows);
    for (size_t i = 0; i < p->header->n_features; i++) {
        wd_baseline_float *column = p->columns + i * WD_BASELINE_FIRST;
        if (seen < WD_BASELINE_FIRST) {
            insert(column, seen, x[i]);
        } else {
            insert_extreme(column, x[i]);
        }
        if (seen == WD_BASELINE_FIRST - 1) {
            p->centre[i] = column[WD_BASELINE_FIRST / 2];
        }
        if (seen == half - 1) {
            float lowest = column[WD_BASELINE_TRIMMED];
            float highest = column[WD_BASELINE_FIRST - 1 - WD_BASELINE_TRIMMED];
            p->low[i] = per_reach(p->centre[i] - lowest, p->centre[i]);
            p->high[i] = per_reach(highest - p->centre[i], p->centre[i]);
        }
    }
}

// The mean fourth power of the distances; finite.
static float raw_score(const parts *p, const float *x) {
    float sum = 0;
    for (size_t i = 0; i < p->header->n_features; i++) {
        float d = x[i] - p->centre[i];
        float z = d < 0 ? -d * p->low[i] : d * p->high[i];
        float square = z < (float)WD_BASELINE_MOST_REACHES
            ? z * z : (float)(WD_BASELINE_MOST_REACHES * WD_BASELINE_MOST_REACHES);
        sum += square * square;
    }
    return sum / (float)p->header->n_features;
}

// Take away the highest scores that are accidents; return how many.
static uint32_t remove_accidents(const parts *p) {
    wd_baseline_header *h = p->header;
    uint32_t n = n_scored(h->windows), removed = 0;
    float factor = WD_BASELINE_ACCIDENT * WD_BASELINE_ACCIDENT;
    float limit = p->scores[n / 2] * factor * factor;
    while (limit > 0 && p->scores[n - 1 - removed] > limit && h->accidents < n / WD_BASELINE_ACCIDENTS) {
        h->accidents++;
        removed++;
    }
    return removed;
}

// All windows are there: set the threshold, or ask for others in the place of accidents.
static void finish(const parts *p) {
    wd_baseline_header *h = p->header;
    uint32_t n = n_scored(h->windows);
    h->seen -= remove_accidents(p);
    if (h->seen == h->windows) {
        float threshold = p->scores[n - n_above(h->windows, h->false_alarms)];
        h->threshold = threshold > SMALLEST_THRESHOLD ? threshold : SMALLEST_THRESHOLD;
        size_t length = kept_bytes(h->n_features) - CHECKSUM_BYTES;
        *p->checksum = wd_crc32((const uint8_t *)(const void *)h, length);
    }
}

static wd_baseline_error check_row(const parts *p, const float *x, size_t n, bool is_learning) {
    if (n != p->header->n_features) {
        return WD_BASELINE_ERROR_ROW;
    }
    for (size_t i = 0; i < n; i++) {
        if (is_learning ? !wd_is_finite(x[i]) : wd_is_nan(x[i])) {
            return WD_BASELINE_ERROR_NUMBER;
        }
    }
    return WD_BASELINE_OK;
}

wd_baseline_error wd_baseline_learn(uint8_t *memory, size_t length, const float *x, size_t n, uint32_t *needed) {
    parts p;
    wd_baseline_error error = open(memory, length, &p);
    if (error == WD_BASELINE_OK) {
        error = check_row(&p, x, n, true);
    }
    if (error != WD_BASELINE_OK) {
        return error;
    }
    wd_baseline_header *h = p.header;
    uint32_t half = n_ranged(h->windows);
    if (h->seen < half) {
        learn_range(&p, x);
        h->seen++;
    } else if (h->seen < h->windows) {
        insert(p.scores, h->seen - half, raw_score(&p, x));
        h->seen++;
        if (h->seen == h->windows) {
            finish(&p);
        }
    }
    *needed = h->windows - h->seen;
    return WD_BASELINE_OK;
}

wd_baseline_error wd_baseline_score(const uint8_t *memory, size_t length, const float *x, size_t n, float *score, bool *is_anomaly) {
    parts p;
    wd_baseline_error error = open(memory, length, &p);
    if (error == WD_BASELINE_OK) {
        error = check_row(&p, x, n, false);
    }
    if (error != WD_BASELINE_OK) {
        return error;
    }
    if (p.header->seen != p.header->windows) {
        return WD_BASELINE_ERROR_LEARNING;
    }
    float raw = raw_score(&p, x);
    *is_anomaly = raw > p.header->threshold;
    *score = wd_sqrt(wd_sqrt(raw / p.header->threshold));
    return WD_BASELINE_OK;
}
