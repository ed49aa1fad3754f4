// Unit tests of modules/core; the process ends with 1 at the first thing that does not hold.

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wd_features.h"
#include "wd_fft.h"
#include "wd_filter.h"
#include "wd_mathf.h"
#include "wd_quantize.h"
#include "wd_select.h"
#include "wd_statistics.h"
#include "wd_stream.h"

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            exit(1); \
        } \
    } while (0)

static float from_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, 4);
    return x;
}

static uint32_t to_bits(float x) {
    uint32_t bits;
    memcpy(&bits, &x, 4);
    return bits;
}

static uint32_t random_bits(void) {
    static uint32_t state = 1;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

// The C library's sqrtf is correctly rounded; every exponent, subnormals included.
static void test_sqrt_equals_libm(void) {
    for (uint32_t u = 0; u < 0x7f800000u - 1021; u += 1021) {
        CHECK(to_bits(wd_sqrt(from_bits(u))) == to_bits(sqrtf(from_bits(u))));
    }
    CHECK(to_bits(wd_sqrt(from_bits(0x7f800000u))) == 0x7f800000u);
    CHECK(to_bits(wd_sqrt(-0.0f)) == 0x80000000u);
    CHECK(to_bits(wd_sqrt(-1.0f)) == 0x7fc00000u);
    CHECK(to_bits(wd_sqrt(from_bits(0xffc12345u))) == 0x7fc00000u);
}

static void test_round_is_half_to_even_and_saturates(void) {
    static const struct {
        float x;
        int32_t rounded;
    } cases[] = { { 0.5f, 0 }, { 1.5f, 2 }, { 2.5f, 2 }, { -0.5f, 0 }, { -1.5f, -2 }, { -2.5f, -2 },
        { 0.49999997f, 0 }, { 32766.5f, 32766 }, { 32767.4f, 32767 }, { 1e30f, 32767 },
        { -1e30f, -32767 }, { INFINITY, 32767 }, { -INFINITY, -32767 }, { 1e-40f, 0 } };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK(wd_round(cases[i].x, 32767) == cases[i].rounded);
    }
    for (int i = 0; i < 1000000; i++) {
        float x = (float)(int32_t)random_bits() / 65536.0f;
        float expected = nearbyintf(x);
        expected = expected > 32767.0f ? 32767.0f : expected < -32767.0f ? -32767.0f : expected;
        CHECK(wd_round(x, 32767) == (int32_t)expected);
    }
}

static void test_turn_is_near_the_true_sine_and_cosine(void) {
    static const uint32_t turns[] = { 1, 2, 3, 7, 200, 256, 8191, 16384 };
    for (size_t t = 0; t < sizeof(turns) / sizeof(turns[0]); t++) {
        for (uint32_t i = 0; i < turns[t]; i++) {
            float sine, cosine;
            wd_turn(i, turns[t], &sine, &cosine);
            double angle = 2.0 * 3.14159265358979323846 * i / turns[t];
            CHECK(fabs(sine - sin(angle)) < 1.2e-7);
            CHECK(fabs(cosine - cos(angle)) < 1.2e-7);
        }
    }
}

static void test_fft_equals_the_definition(void) {
    for (uint32_t n = 4; n <= 256; n *= 2) {
        float x[256], table[256], in[256];
        for (uint32_t i = 0; i < n; i++) {
            in[i] = x[i] = (float)(int32_t)random_bits() / 2147483648.0f;
        }
        wd_fft_table(n, table);
        wd_fft_real(n, table, x);
        for (uint32_t k = 0; k <= n / 2; k++) {
            double re = 0, im = 0;
            for (uint32_t i = 0; i < n; i++) {
                double angle = 2.0 * 3.14159265358979323846 * ((i * k) % n) / n;
                re += in[i] * cos(angle);
                im -= in[i] * sin(angle);
            }
            bool edge = k == 0 || k == n / 2;
            float got_re = edge ? x[k == 0 ? 0 : 1] : x[2 * k];
            float got_im = edge ? 0.0f : x[2 * k + 1];
            CHECK(fabs(got_re - re) < 2e-5 && fabs(got_im - im) < 2e-5);
        }
    }
}

static void test_statistics_of_four_samples(void) {
    static const float x[] = { 1.0f, 3.0f, -2.0f, 6.0f };
    float scratch[4], out[WD_N_STATISTICS];
    wd_out to = { { out } };
    wd_statistics(x, 4, (1u << WD_N_STATISTICS) - 1, scratch, &to);
    CHECK(to.to[0] == out + WD_N_STATISTICS);
    CHECK(out[WD_STATISTIC_MEAN] == 2.0f);
    CHECK(out[WD_STATISTIC_STD] == sqrtf(8.5f));
    CHECK(out[WD_STATISTIC_MIN] == -2.0f && out[WD_STATISTIC_MAX] == 6.0f);
    CHECK(out[WD_STATISTIC_RMS] == sqrtf(12.5f));
    CHECK(out[WD_STATISTIC_PEAK_TO_PEAK] == 8.0f);
    CHECK(out[WD_STATISTIC_ZERO_CROSSINGS] == 3.0f);
    CHECK(out[WD_STATISTIC_MEAN_ABS_DIFF] == 5.0f);
    CHECK(out[WD_STATISTIC_MEDIAN] == 2.0f);
    CHECK(out[WD_STATISTIC_IQR] == 3.75f - 0.25f);
    CHECK(out[WD_STATISTIC_SKEWNESS] == 0.0f);
    CHECK(fabsf(out[WD_STATISTIC_KURTOSIS] - 128.5f / 72.25f) < 1e-6f);
}

static void test_constant_samples_have_no_shape(void) {
    static const float x[] = { 3.25f, 3.25f, 3.25f, 3.25f };
    float scratch[4], out[WD_N_STATISTICS];
    wd_out to = { { out } };
    wd_statistics(x, 4, (1u << WD_N_STATISTICS) - 1, scratch, &to);
    CHECK(out[WD_STATISTIC_STD] == 0.0f && out[WD_STATISTIC_ZERO_CROSSINGS] == 0.0f);
    CHECK(out[WD_STATISTIC_SKEWNESS] == 0.0f && out[WD_STATISTIC_KURTOSIS] == 0.0f);
}

static void test_quantize_says_what_it_cannot_do(void) {
    static const float x[] = { 1.0f, NAN, 2.5f, -1e30f }, scale[] = { 0.5f, 1.0f, 1.0f, 1.0f };
    static const float wrong[] = { 1.0f, 0.0f, -1.0f, INFINITY };
    int16_t out[4];
    CHECK(wd_quantize(x, scale, 4, out) == WD_ERROR_NAN);
    CHECK(out[0] == 2 && out[1] == WD_GRID_NAN && out[2] == 2 && out[3] == -32767);
    CHECK(wd_quantize(x, wrong, 4, out) == WD_ERROR_SCALE);
    CHECK(out[0] == 1 && out[1] == WD_GRID_NAN && out[2] == WD_GRID_NAN && out[3] == WD_GRID_NAN);
}

// Three channels, four samples, every kind of step.
static const uint8_t RECIPE[] = { 'W', 'D', 'R', 1, 3, 4, 4, 0, //
    WD_STEP_MAGNITUDE, 3, 0, 1, 2, //
    WD_STEP_STATISTICS, 4, 1, 0, 0, 0, //
    WD_STEP_BANDS, 8, 1, 3, 0, 0, 1, 0, 3, 0, //
    WD_STEP_CORRELATION, 2, 3, 0 };

static wd_error parse_with(size_t at, uint8_t value) {
    uint8_t bytes[sizeof(RECIPE)];
    wd_recipe r;
    memcpy(bytes, RECIPE, sizeof(RECIPE));
    bytes[at] = value;
    return wd_recipe_parse(bytes, sizeof(bytes), &r);
}

static void test_recipe_is_measured(void) {
    wd_recipe r;
    CHECK(wd_recipe_parse(RECIPE, sizeof(RECIPE), &r) == WD_OK);
    CHECK(r.n_recorded == 3 && r.n_channels == 4 && r.length == 4 && r.fft_length == 4);
    CHECK(r.n_features == 4 + 8 + 1 && r.table_floats == 4 + 4 && r.work_lanes == 4 + 4);
    CHECK(r.hop == 4 && r.state_floats == 0);
}

static void test_recipe_errors_are_told_apart(void) {
    wd_recipe r;
    for (size_t n = 0; n < sizeof(RECIPE); n++) {
        wd_error error = wd_recipe_parse(RECIPE, n, &r);
        CHECK(error == (n < 3 ? WD_ERROR_MAGIC : WD_ERROR_TRUNCATED));
    }
    CHECK(parse_with(0, 'X') == WD_ERROR_MAGIC);
    CHECK(parse_with(3, 2) == WD_ERROR_VERSION);
    CHECK(parse_with(4, 0) == WD_ERROR_CHANNELS);
    CHECK(parse_with(4, WD_MAX_CHANNELS) == WD_ERROR_CHANNELS); // no room for the magnitude
    CHECK(parse_with(4, WD_MAX_CHANNELS + 1) == WD_ERROR_CHANNELS);
    CHECK(parse_with(5, WD_MAX_STEPS + 1) == WD_ERROR_STEP);
    CHECK(parse_with(5, 3) == WD_ERROR_TRAILING);
    CHECK(parse_with(5, 5) == WD_ERROR_TRUNCATED);
    CHECK(parse_with(6, WD_MIN_LENGTH - 1) == WD_ERROR_LENGTH);
    CHECK(parse_with(7, 0xff) == WD_ERROR_LENGTH);
    CHECK(parse_with(8, 99) == WD_ERROR_STEP);
    CHECK(parse_with(12, 3) == WD_ERROR_CHANNEL_INDEX); // the magnitude of itself
    CHECK(parse_with(15, 0) == WD_ERROR_STATISTICS);
    CHECK(parse_with(18, 0x80) == WD_ERROR_STATISTICS);
    CHECK(parse_with(21, 2) == WD_ERROR_BANDS); // unknown flag
    CHECK(parse_with(25, 0) == WD_ERROR_BANDS); // edges that do not rise
    CHECK(parse_with(27, 4) == WD_ERROR_BANDS); // above half the FFT's length
    CHECK(parse_with(31, 4) == WD_ERROR_CHANNEL_INDEX);
    CHECK(parse_with(32, 3) == WD_ERROR_CHANNEL_INDEX); // a channel with itself
}

static void test_magnitude_after_another_step_is_refused(void) {
    static const uint8_t bytes[] = { 'W', 'D', 'R', 1, 3, 2, 4, 0, //
        WD_STEP_STATISTICS, 4, 1, 0, 0, 0, WD_STEP_MAGNITUDE, 3, 0, 1, 2 };
    wd_recipe r;
    CHECK(wd_recipe_parse(bytes, sizeof(bytes), &r) == WD_ERROR_ORDER);
}

// Two channels, eight samples: a filter, derived channels, and the kinds of features that came later.
static const uint8_t LATER[] = { 'W', 'D', 'R', 1, 2, 6, 8, 0, //
    WD_STEP_HOP, 4, 3, 0, 0, 0, //
    WD_STEP_FILTER, 24, 2, 0, 1, 0, // the second channel; b0 = 0.5, b1 = b2 = 0, a1 = -0.5, a2 = 0
    0, 0, 0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xbf, 0, 0, 0, 0, //
    WD_STEP_DIFFERENCE, 1, 1, //
    WD_STEP_DIFFERENCE, 1, 2, //
    WD_STEP_MEL, 20, 0, 3, 0, 0, 0, 0, 0x80, 0x3f, // floor 1; edges 0.5, 1.5, 3
    0, 0, 0, 0x3f, 0, 0, 0xc0, 0x3f, 0, 0, 0x40, 0x40, //
    WD_STEP_QUANTILES, 8, 0, 0, 0, 0x3f, 0, 0, 0x80, 0x3f }; // 0.5 and 1

static wd_error parse_later_with(size_t at, uint8_t value) {
    uint8_t bytes[sizeof(LATER)];
    wd_recipe r;
    memcpy(bytes, LATER, sizeof(LATER));
    bytes[at] = value;
    return wd_recipe_parse(bytes, sizeof(bytes), &r);
}

static void test_later_steps_are_measured_and_their_errors_told_apart(void) {
    wd_recipe r;
    CHECK(wd_recipe_parse(LATER, sizeof(LATER), &r) == WD_OK);
    CHECK(r.n_recorded == 2 && r.n_channels == 4 && r.hop == 3);
    CHECK(r.n_features == 4 * (1 + 2) && r.n_coefficients == 5 && r.state_floats == 1 + 2);
    CHECK(parse_later_with(10, 0) == WD_ERROR_HOP);
    CHECK(parse_later_with(9, 3) == WD_ERROR_TRUNCATED);
    CHECK(parse_later_with(16, 4) == WD_ERROR_FILTER); // there is no third channel
    CHECK(parse_later_with(16, 0) == WD_ERROR_FILTER);
    CHECK(parse_later_with(18, 0) == WD_ERROR_TRUNCATED);
    CHECK(parse_later_with(19, 1) == WD_ERROR_FILTER);
    CHECK(parse_later_with(23, 0x7f) == WD_OK && parse_later_with(22, 0x80) == WD_OK);
    CHECK(parse_later_with(35, 0xbf) == WD_OK && parse_later_with(34, 0x80) == WD_ERROR_FILTER);
    CHECK(parse_later_with(39, 0xbf) == WD_ERROR_FILTER); // a2 = -0.5
    CHECK(parse_later_with(42, 2) == WD_ERROR_CHANNEL_INDEX); // the difference of itself
    CHECK(parse_later_with(48, 1) == WD_OK && parse_later_with(48, 2) == WD_ERROR_MEL);
    CHECK(parse_later_with(49, 2) == WD_ERROR_TRUNCATED);
    CHECK(parse_later_with(51, 1) == WD_ERROR_MEL);
    CHECK(parse_later_with(55, 0xbf) == WD_ERROR_MEL); // the floor
    CHECK(parse_later_with(59, 0xbf) == WD_ERROR_MEL); // an edge below 0
    CHECK(parse_later_with(63, 0x3e) == WD_ERROR_MEL); // edges that do not rise
    CHECK(parse_later_with(67, 0x41) == WD_ERROR_MEL); // above half the FFT's length
    CHECK(parse_later_with(73, 0xbf) == WD_ERROR_QUANTILES);
    CHECK(parse_later_with(77, 0x40) == WD_ERROR_QUANTILES);
    CHECK(parse_later_with(69, 7) == WD_ERROR_TRUNCATED);
}

static void test_filter_after_another_step_is_refused(void) {
    uint8_t bytes[sizeof(LATER)];
    wd_recipe r;
    size_t hop = 8, filter = 14, difference = 40;
    memcpy(bytes, LATER, hop);
    memcpy(bytes + hop, LATER + difference, 3);
    memcpy(bytes + hop + 3, LATER + hop, difference - hop);
    memcpy(bytes + difference + 3, LATER + difference + 3, sizeof(LATER) - difference - 3);
    CHECK(LATER[filter] == WD_STEP_FILTER);
    CHECK(wd_recipe_parse(bytes, sizeof(bytes), &r) == WD_ERROR_ORDER);
}

// The filter is y[i] = (x[i] + y[i - 1]) / 2, and as if x[0] had always been there.
static void test_stream_filters_and_cuts_windows(void) {
    wd_recipe r;
    wd_stream s;
    float memory[200], out[12];
    CHECK(wd_recipe_parse(LATER, sizeof(LATER), &r) == WD_OK);
    CHECK(wd_stream_floats(&r) <= sizeof(memory) / sizeof(memory[0]));
    wd_stream_open(&s, &r, memory);
    for (int again = 0; again < 2; again++) {
        float y = 4.0f;
        for (int i = 0; i < 20; i++) {
            float sample[WD_MAX_CHANNELS] = { (float)i, i < 4 ? 4.0f : 0.0f };
            y = 0.5f * (sample[1] + y);
            bool complete = wd_stream_push(&s, sample);
            CHECK(complete == (i == 7 || i == 10 || i == 13 || i == 16 || i == 19));
            CHECK(sample[1] == y && sample[0] == (float)i);
        }
        wd_stream_extract(&s, out);
        CHECK(out[4] == 15.5f && out[5] == 19.0f); // quantiles of channel 0: 12 to 19
        CHECK(out[0] > 0.0f && out[1] == 0.0f); // ln(max(energy, 1)): of a ramp, of nearly nothing
        wd_stream_reset(&s);
    }
}

static void test_filter_begins_anew_after_an_overflow(void) {
    wd_recipe r;
    float coefficients[5], state[3], first[2] = { 0.0f, INFINITY }, second[2] = { 0.0f, 8.0f };
    CHECK(wd_recipe_parse(LATER, sizeof(LATER), &r) == WD_OK);
    wd_filter_prepare(&r, coefficients);
    wd_filter_start(&r, state);
    wd_filter(&r, coefficients, state, first);
    wd_filter(&r, coefficients, state, second);
    CHECK(!isfinite(first[1]) && second[1] == 8.0f);
}

static int compare(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

// Clumps, equal values, outliers: what a bucket holds must not matter.
static void test_selection_equals_sorting(void) {
    enum { N = 500 };
    static float x[N], sorted[N], scratch[N];
    for (int round = 0; round < 200; round++) {
        uint32_t n = 2 + random_bits() % (N - 1);
        for (uint32_t i = 0; i < n; i++) {
            float u = (float)(int32_t)random_bits();
            x[i] = round % 4 == 0 ? u : round % 4 == 1 ? (float)(random_bits() % 5)
                : round % 4 == 2 ? 3.0f : (i == 0 ? 1e30f : u * 1e-9f);
        }
        memcpy(sorted, x, sizeof(x));
        qsort(sorted, n, sizeof(float), compare);
        wd_select s;
        wd_select_open(&s, x, n, sorted[0], sorted[n - 1], wd_mean(x, n), scratch);
        for (uint32_t i = 0; i < n; i += 1 + random_bits() % 20) {
            CHECK(wd_select_between(&s, i, 0.0f) == sorted[i]);
        }
        for (uint32_t i = n; i-- > 0;) {
            CHECK(wd_select_between(&s, i, 0.0f) == sorted[i]);
        }
    }
}

static void test_log_is_near_the_true_one(void) {
    for (uint32_t u = 1; u < 0x7f800000u; u += 4093) {
        float x = from_bits(u);
        double exact = log((double)x);
        double unit = (double)nextafterf((float)fabs(exact), INFINITY) - fabs((double)(float)exact);
        CHECK(fabs((double)wd_log(x) - exact) < 2 * unit);
    }
    CHECK(to_bits(wd_log(1.0f)) == 0);
    CHECK(to_bits(wd_log(0.0f)) == 0xff800000u && to_bits(wd_log(-0.0f)) == 0xff800000u);
    CHECK(to_bits(wd_log(from_bits(0x7f800000u))) == 0x7f800000u);
    CHECK(to_bits(wd_log(-1.0f)) == 0x7fc00000u);
    CHECK(to_bits(wd_log(from_bits(0xffc12345u))) == 0x7fc00000u);
}

static void test_recipe_without_features_is_refused(void) {
    static const uint8_t bytes[] = { 'W', 'D', 'R', 1, 1, 0, 4, 0 };
    wd_recipe r;
    CHECK(wd_recipe_parse(bytes, sizeof(bytes), &r) == WD_ERROR_STEP);
}

static void test_every_error_has_a_text(void) {
    for (int i = 0; i < WD_N_ERRORS; i++) {
        CHECK(strcmp(wd_error_text((wd_error)i), "unknown error") != 0);
    }
    CHECK(strcmp(wd_error_text(WD_N_ERRORS), "unknown error") == 0);
}

int main(void) {
    test_sqrt_equals_libm();
    test_round_is_half_to_even_and_saturates();
    test_turn_is_near_the_true_sine_and_cosine();
    test_fft_equals_the_definition();
    test_statistics_of_four_samples();
    test_constant_samples_have_no_shape();
    test_quantize_says_what_it_cannot_do();
    test_recipe_is_measured();
    test_recipe_errors_are_told_apart();
    test_magnitude_after_another_step_is_refused();
    test_recipe_without_features_is_refused();
    test_later_steps_are_measured_and_their_errors_told_apart();
    test_filter_after_another_step_is_refused();
    test_stream_filters_and_cuts_windows();
    test_filter_begins_anew_after_an_overflow();
    test_selection_equals_sorting();
    test_log_is_near_the_true_one();
    test_every_error_has_a_text();
    puts("all passed");
    return 0;
}
