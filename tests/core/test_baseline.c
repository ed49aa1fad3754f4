// Unit tests of modules/core/baseline; the process ends with 1 at the first thing that does not hold.

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wd_baseline.h"
#include "wd_crc32.h"

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            exit(1); \
        } \
    } while (0)

#define N 3

static const wd_baseline_settings SETTINGS = { N, 200, 0.01f, 42 };

static float noise(uint32_t *seed) {
    float sum = 0;
    for (int i = 0; i < 4; i++) {
        *seed = *seed * 1664525u + 1013904223u;
        sum += (float)(*seed >> 8) / 16777216.0f - 0.5f;
    }
    return sum;
}

// A row of a normal window: noise, noise on a large offset, a constant.
static void row(float *x, uint32_t *seed) {
    x[0] = noise(seed);
    x[1] = 1e6f + 10.0f * noise(seed);
    x[2] = 0.1f;
}

static uint8_t *begun(size_t *length) {
    *length = wd_baseline_learning_bytes(&SETTINGS);
    uint8_t *memory = malloc(*length);
    CHECK(wd_baseline_begin(&SETTINGS, memory, *length) == WD_BASELINE_OK);
    return memory;
}

static uint32_t learn(uint8_t *memory, size_t length, const float *x) {
    uint32_t needed = 0;
    CHECK(wd_baseline_learn(memory, length, x, N, &needed) == WD_BASELINE_OK);
    return needed;
}

// Learn from normal windows, the window number `at` being another one, and return what is kept.
static uint8_t *learnt_with(uint32_t at, const float *other, uint32_t *accidents) {
    size_t length;
    uint8_t *memory = begun(&length);
    uint32_t seed = 1, needed = SETTINGS.windows, i = 0;
    while (needed > 0) {
        float x[N];
        row(x, &seed);
        needed = learn(memory, length, i++ == at ? other : x);
    }
    *accidents = ((wd_baseline_header *)(void *)memory)->accidents;
    CHECK(i == SETTINGS.windows + *accidents);
    size_t kept = wd_baseline_kept_bytes(&SETTINGS);
    uint8_t *stored = malloc(kept);
    memcpy(stored, memory, kept);
    free(memory);
    CHECK(wd_baseline_check(&SETTINGS, stored, kept) == WD_BASELINE_OK);
    return stored;
}

static uint8_t *learnt(void) {
    uint32_t accidents;
    uint8_t *stored = learnt_with(UINT32_MAX, NULL, &accidents);
    CHECK(accidents == 0);
    return stored;
}

static float score_of(const uint8_t *stored, float a, float b, float c, bool *is_anomaly) {
    float x[N] = { a, b, c }, score;
    CHECK(wd_baseline_score(stored, wd_baseline_kept_bytes(&SETTINGS), x, N, &score, is_anomaly)
        == WD_BASELINE_OK);
    return score;
}

static bool is_anomaly(const uint8_t *stored, float a, float b, float c) {
    bool found;
    float score = score_of(stored, a, b, c, &found);
    CHECK(score >= 0 && score < FLT_MAX && (!found || score >= 1));
    return found;
}

static void test_what_is_far_is_an_anomaly(void) {
    uint8_t *b = learnt();
    CHECK(!is_anomaly(b, 0, 1e6f, 0.1f));
    CHECK(is_anomaly(b, 10, 1e6f, 0.1f));
    CHECK(is_anomaly(b, -10, 1e6f, 0.1f));
    CHECK(is_anomaly(b, 0, 1e6f + 100, 0.1f));
    CHECK(is_anomaly(b, 0, 1e6f, 0.2f)); // the constant feature moved
    CHECK(!is_anomaly(b, 0, 1e6f, nextafterf(0.1f, 1))); // its last bit did
    CHECK(is_anomaly(b, 1e38f, -1e38f, 3e38f));
    CHECK(is_anomaly(b, INFINITY, 1e6f, 0.1f));
    CHECK(is_anomaly(b, -INFINITY, INFINITY, -INFINITY));
    free(b);
}

static void test_few_normal_windows_are_anomalies(void) {
    uint8_t *b = learnt();
    uint32_t seed = 99, n = 0;
    for (int i = 0; i < 10000; i++) {
        float x[N];
        row(x, &seed);
        n += is_anomaly(b, x[0], x[1], x[2]);
    }
    CHECK(n < 300);
    free(b);
}

static void test_accidents_leave_the_threshold_alone(void) {
    const float knock[N] = { 50, 1e6f + 500, 0.1f };
    for (uint32_t at = 0; at < SETTINGS.windows; at += 7) {
        uint32_t accidents;
        uint8_t *b = learnt_with(at, knock, &accidents);
        CHECK(accidents == (at >= SETTINGS.windows / 2));
        CHECK(is_anomaly(b, 10, 1e6f, 0.1f));
        CHECK(is_anomaly(b, 50, 1e6f + 500, 0.1f));
        free(b);
    }
}

static void test_what_is_not_rare_is_normal(void) {
    size_t length;
    uint8_t *memory = begun(&length);
    uint32_t seed = 5, needed = 1, i = 0;
    bool found;
    for (; needed > 0; i++) {
        float x[N];
        row(x, &seed);
        x[0] += i % 10 == 0 ? 300.0f : 0; // a state of every tenth window
        needed = learn(memory, length, x);
    }
    CHECK(i <= SETTINGS.windows + SETTINGS.windows / 2 / WD_BASELINE_ACCIDENTS);
    score_of(memory, 300, 1e6f, 0.1f, &found);
    CHECK(!found);
    free(memory);
}

static void test_constant_data_are_learnt(void) {
    size_t length;
    uint8_t *memory = begun(&length);
    const float x[N] = { 0, -5, FLT_MAX };
    bool found;
    for (uint32_t i = SETTINGS.windows; i > 0; i--) {
        CHECK(learn(memory, length, x) == i - 1);
    }
    CHECK(score_of(memory, 0, -5, FLT_MAX, &found) == 0 && !found);
    score_of(memory, 1e-20f, -5, FLT_MAX, &found);
    CHECK(found);
    CHECK(learn(memory, length, x) == 0); // nothing more is learnt
    free(memory);
}

static void test_extreme_data_are_learnt(void) {
    size_t length;
    uint8_t *memory = begun(&length);
    for (uint32_t i = 0; i < SETTINGS.windows; i++) {
        float x[N] = { i % 2 ? FLT_MAX : -FLT_MAX, i % 3 ? 1e-45f : -1e-45f, i % 5 ? -0.0f : 0.0f };
        learn(memory, length, x);
    }
    CHECK(wd_baseline_check(&SETTINGS, memory, wd_baseline_kept_bytes(&SETTINGS)) == WD_BASELINE_OK);
    free(memory);
}

static void test_wrong_rows_are_refused(void) {
    size_t length;
    uint8_t *memory = begun(&length);
    float x[N + 1] = { 0, 0, NAN, 0 }, score;
    uint32_t needed;
    bool found;
    CHECK(wd_baseline_learn(memory, length, x, N, &needed) == WD_BASELINE_ERROR_NUMBER);
    x[2] = INFINITY;
    CHECK(wd_baseline_learn(memory, length, x, N, &needed) == WD_BASELINE_ERROR_NUMBER);
    CHECK(wd_baseline_learn(memory, length, x, N + 1, &needed) == WD_BASELINE_ERROR_ROW);
    CHECK(wd_baseline_learn(memory, length, x, 0, &needed) == WD_BASELINE_ERROR_ROW);
    CHECK(wd_baseline_score(memory, length, x, N, &score, &found) == WD_BASELINE_ERROR_LEARNING);
    x[2] = 0;
    CHECK(learn(memory, length, x) == SETTINGS.windows - 1); // none of those counted
    free(memory);
    uint8_t *b = learnt();
    x[2] = NAN;
    length = wd_baseline_kept_bytes(&SETTINGS);
    CHECK(wd_baseline_score(b, length, x, N, &score, &found) == WD_BASELINE_ERROR_NUMBER);
    free(b);
}

static void test_wrong_settings_are_refused(void) {
    const struct {
        wd_baseline_settings settings;
        wd_baseline_error error;
    } cases[] = {
        { { 0, 200, 0.01f, 0 }, WD_BASELINE_ERROR_FEATURES },
        { { 1025, 200, 0.01f, 0 }, WD_BASELINE_ERROR_FEATURES },
        { { 3, 31, 0.1f, 0 }, WD_BASELINE_ERROR_WINDOWS },
        { { 3, 20001, 0.1f, 0 }, WD_BASELINE_ERROR_WINDOWS },
        { { 3, 190, 0.01f, 0 }, WD_BASELINE_ERROR_RATE },
        { { 3, 200, 0, 0 }, WD_BASELINE_ERROR_RATE },
        { { 3, 200, -1, 0 }, WD_BASELINE_ERROR_RATE },
        { { 3, 200, 0.5f, 0 }, WD_BASELINE_ERROR_RATE },
        { { 3, 200, NAN, 0 }, WD_BASELINE_ERROR_RATE },
        { { 3, 2000, 0.001f, 0 }, WD_BASELINE_OK },
        { { 1024, 20000, 0.0001f, 0 }, WD_BASELINE_OK },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK(wd_baseline_check_settings(&cases[i].settings) == cases[i].error);
    }
    uint8_t memory[8] = { 0 };
    CHECK(wd_baseline_begin(&cases[0].settings, memory, 8) == WD_BASELINE_ERROR_FEATURES);
    CHECK(wd_baseline_begin(&SETTINGS, memory, 8) == WD_BASELINE_ERROR_LENGTH);
}

static void test_other_lengths_are_refused(void) {
    uint8_t *b = learnt();
    size_t kept = wd_baseline_kept_bytes(&SETTINGS);
    for (size_t length = 0; length < kept; length++) {
        uint8_t *cut = malloc(length ? length : 1); // of that size, so that ASan sees a step too far
        memcpy(cut, b, length);
        CHECK(wd_baseline_check(&SETTINGS, cut, length) == WD_BASELINE_ERROR_TRUNCATED);
        free(cut);
    }
    size_t all = wd_baseline_learning_bytes(&SETTINGS);
    uint8_t *more = calloc(1, all);
    memcpy(more, b, kept);
    CHECK(wd_baseline_check(&SETTINGS, more, kept + 1) == WD_BASELINE_ERROR_LENGTH);
    CHECK(wd_baseline_check(&SETTINGS, more, all) == WD_BASELINE_ERROR_LENGTH);
    CHECK(wd_baseline_check(&SETTINGS, more + 1, kept) == WD_BASELINE_ERROR_ALIGNMENT);
    free(more);
    free(b);
}

static void test_every_flipped_bit_is_refused(void) {
    uint8_t *b = learnt();
    size_t kept = wd_baseline_kept_bytes(&SETTINGS);
    for (size_t bit = 0; bit < 8 * kept; bit++) {
        b[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(wd_baseline_check(&SETTINGS, b, kept) != WD_BASELINE_OK);
        b[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    free(b);
}

static void test_other_settings_are_refused(void) {
    uint8_t *b = learnt();
    size_t kept = wd_baseline_kept_bytes(&SETTINGS);
    const wd_baseline_settings others[] = {
        { N + 1, 200, 0.01f, 42 }, { N, 201, 0.01f, 42 }, { N, 200, 0.02f, 42 }, { N, 200, 0.01f, 43 },
    };
    for (size_t i = 0; i < 4; i++) {
        CHECK(wd_baseline_check(&others[i], b, kept) == WD_BASELINE_ERROR_OTHER);
    }
    free(b);
}

static void test_impossible_values_are_refused(void) {
    const float wrong[] = { NAN, INFINITY, -1, 0 };
    size_t kept = wd_baseline_kept_bytes(&SETTINGS), floats = offsetof(wd_baseline_header, threshold);
    for (size_t at = floats; at < kept - 4; at += 4) {
        for (size_t i = 0; i < 4; i++) {
            bool is_centre = at > floats && at <= floats + 4 * N;
            uint8_t *b = learnt();
            memcpy(b + at, &wrong[i], 4);
            uint32_t crc = wd_crc32(b, kept - 4);
            memcpy(b + kept - 4, &crc, 4);
            wd_baseline_error expected = is_centre && i > 1 ? WD_BASELINE_OK : WD_BASELINE_ERROR_CONTENT;
            CHECK(wd_baseline_check(&SETTINGS, b, kept) == expected);
            free(b);
        }
    }
}

static void test_every_error_has_a_text(void) {
    for (int i = 0; i <= WD_BASELINE_N_ERRORS; i++) {
        CHECK(strlen(wd_baseline_error_text((wd_baseline_error)i)) > 5);
    }
}

int main(void) {
    test_what_is_far_is_an_anomaly();
    test_few_normal_windows_are_anomalies();
    test_accidents_leave_the_threshold_alone();
    test_what_is_not_rare_is_normal();
    test_constant_data_are_learnt();
    test_extreme_data_are_learnt();
    test_wrong_rows_are_refused();
    test_wrong_settings_are_refused();
    test_other_lengths_are_refused();
    test_every_flipped_bit_is_refused();
    test_other_settings_are_refused();
    test_impossible_values_are_refused();
    test_every_error_has_a_text();
    printf("all passed\n");
    return 0;
}
