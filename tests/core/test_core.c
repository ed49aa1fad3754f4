// Unit tests of modules/core; the process ends with 1 at the first thing that does not hold.

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wd_features.h"
#include "wd_fft.h"
#include "wd_mathf.h"
#include "wd_quantize.h"
#include "wd_statistics.h"

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
    float *end = wd_statistics(x, 4, (1u << WD_N_STATISTICS) - 1, scratch, out);
    CHECK(end == out + WD_N_STATISTICS);
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
    wd_statistics(x, 4, (1u << WD_N_STATISTICS) - 1, scratch, out);
    CHECK(out[WD_STATISTIC_STD] == 0.0f && out[WD_STATISTIC_ZERO_CROSSINGS] == 0.0f);
    CHECK(out[WD_STATISTIC_SKEWNESS] == 0.0f && out[WD_STATISTIC_KURTOSIS] == 0.0f);
    CHECK(wd_correlation(x, x, 4) == 0.0f);
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
    CHECK(r.n_features == 4 + 8 + 1 && r.work_floats == 4 + 4 + 4 + 4);
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
    test_every_error_has_a_text();
    puts("all passed");
    return 0;
}
