#include "wd_statistics.h"

#include "wd_recipe.h"
#include "wd_select.h"

#define BIT(name) (1u << WD_STATISTIC_##name)
#define NEED_ORDER (BIT(MEDIAN) | BIT(IQR))

static inline wd_lane smaller(wd_lane a, wd_lane b) {
    return wd_pick(a < b, a, b);
}

static inline wd_lane larger(wd_lane a, wd_lane b) {
    return wd_pick(a > b, a, b);
}

// Minimum, maximum, and what is summed over the samples as they are.
static void of_values(const wd_lane *x, uint32_t n, wd_lane *value) {
    wd_lane low = x[0], high = x[0], squares = x[0] * x[0], steps = wd_all(0.0f);
    for (uint32_t i = 1; i < n; i++) {
        low = smaller(x[i], low);
        high = larger(x[i], high);
        squares += x[i] * x[i];
        steps += wd_lane_abs(x[i] - x[i - 1]);
    }
    value[WD_STATISTIC_MIN] = low;
    value[WD_STATISTIC_MAX] = high;
    value[WD_STATISTIC_PEAK_TO_PEAK] = high - low;
    value[WD_STATISTIC_RMS] = wd_lane_sqrt(squares / (float)n);
    value[WD_STATISTIC_MEAN_ABS_DIFF] = steps / (float)(n - 1);
}

// Moments about the mean, and the changes of sign about it.
static void of_deviations(const wd_lane *x, uint32_t n, wd_lane *value) {
    wd_lane mean = value[WD_STATISTIC_MEAN], zero = wd_all(0.0f), one = wd_all(1.0f);
    wd_lane m2 = zero, m3 = zero, m4 = zero, crossings = zero;
    wd_mask below = x[0] - mean < zero;
    for (uint32_t i = 0; i < n; i++) {
        wd_lane d = x[i] - mean, square = d * d;
        m2 += square;
        m3 += square * d;
        m4 += square * square;
        wd_mask now = d < zero;
        crossings += wd_pick(now != below, one, zero);
        below = now;
    }
    float count = (float)n;
    wd_lane variance = m2 / count, std = wd_lane_sqrt(variance);
    value[WD_STATISTIC_STD] = std;
    value[WD_STATISTIC_ZERO_CROSSINGS] = crossings;
    value[WD_STATISTIC_SKEWNESS] = wd_pick(variance > zero, m3 / count / variance / std, zero);
    value[WD_STATISTIC_KURTOSIS] = wd_pick(variance > zero, m4 / count / variance / variance, zero);
}

// Quantile quarters/4.
static float quartile(wd_select *s, uint32_t quarters) {
    uint32_t place = (s->n - 1) * quarters;
    return wd_select_between(s, place / 4, 0.25f * (float)(place % 4));
}

static void of_order(const wd_lane *x, uint32_t n, wd_lane *scratch, wd_lane *value) {
    float *median = (float *)&value[WD_STATISTIC_MEDIAN], *iqr = (float *)&value[WD_STATISTIC_IQR];
    wd_select s[WD_LANES];
    wd_select_open(s, x, n, value[WD_STATISTIC_MIN], value[WD_STATISTIC_MAX],
        value[WD_STATISTIC_MEAN], scratch);
    for (uint32_t i = 0; i < WD_LANES; i++) {
        float quarter = quartile(&s[i], 1);
        median[i] = quartile(&s[i], 2);
        iqr[i] = quartile(&s[i], 3) - quarter;
    }
}

void wd_statistics(const wd_lane *x, uint32_t n, uint32_t mask, wd_lane *scratch, wd_out *out) {
    wd_lane value[WD_N_STATISTICS];
    value[WD_STATISTIC_MEAN] = wd_mean(x, n);
    of_values(x, n, value);
    of_deviations(x, n, value);
    if (mask & NEED_ORDER) {
        of_order(x, n, scratch, value);
    }
    for (uint32_t i = 0; i < WD_N_STATISTICS; i++) {
        if (mask & (1u << i)) {
            wd_put(out, value[i]);
        }
    }
}

void wd_quantiles(const wd_lane *x, uint32_t n, const uint8_t *q, uint32_t n_q, wd_lane *scratch,
    wd_out *out) {
    wd_lane low = x[0], high = x[0];
    for (uint32_t i = 1; i < n; i++) {
        low = smaller(x[i], low);
        high = larger(x[i], high);
    }
    wd_select s[WD_LANES];
    wd_select_open(s, x, n, low, high, wd_mean(x, n), scratch);
    for (uint32_t lane = 0; lane < WD_LANES; lane++) {
        for (uint32_t i = 0; i < n_q; i++) {
            float place = wd_read_f32(q + 4 * i) * (float)(n - 1);
            uint32_t rank = (uint32_t)place;
            float value = wd_select_between(&s[lane], rank, place - (float)rank);
            *out->to[lane]++ = wd_canonical(value);
        }
    }
}
