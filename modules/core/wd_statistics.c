#include "wd_statistics.h"

#include "wd_mathf.h"
#include "wd_recipe.h"

#define BIT(name) (1u << WD_STATISTIC_##name)
#define NEED_SORTED (BIT(MEDIAN) | BIT(IQR))

float wd_mean(const float *x, uint32_t n) {
    float sum = 0.0f;
    for (uint32_t i = 0; i < n; i++) {
        sum += x[i];
    }
    return sum / (float)n;
}

// Minimum, maximum, and what is summed over the samples as they are.
static void of_values(const float *x, uint32_t n, float *value) {
    float low = x[0], high = x[0], squares = x[0] * x[0], steps = 0.0f;
    for (uint32_t i = 1; i < n; i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
        squares += x[i] * x[i];
        steps += wd_abs(x[i] - x[i - 1]);
    }
    value[WD_STATISTIC_MIN] = low;
    value[WD_STATISTIC_MAX] = high;
    value[WD_STATISTIC_PEAK_TO_PEAK] = high - low;
    value[WD_STATISTIC_RMS] = wd_sqrt(squares / (float)n);
    value[WD_STATISTIC_MEAN_ABS_DIFF] = steps / (float)(n - 1);
}

// Moments about the mean, and the changes of sign about it.
static void of_deviations(const float *x, uint32_t n, float *value) {
    float mean = value[WD_STATISTIC_MEAN];
    float m2 = 0.0f, m3 = 0.0f, m4 = 0.0f;
    uint32_t crossings = 0;
    for (uint32_t i = 0; i < n; i++) {
        float d = x[i] - mean, square = d * d;
        m2 += square;
        m3 += square * d;
        m4 += square * square;
        if (i > 0 && (d < 0.0f) != (x[i - 1] - mean < 0.0f)) {
            crossings++;
        }
    }
    float count = (float)n, variance = m2 / count, std = wd_sqrt(variance);
    bool varies = variance > 0.0f;
    value[WD_STATISTIC_STD] = std;
    value[WD_STATISTIC_ZERO_CROSSINGS] = (float)crossings;
    value[WD_STATISTIC_SKEWNESS] = varies ? m3 / count / variance / std : 0.0f;
    value[WD_STATISTIC_KURTOSIS] = varies ? m4 / count / variance / variance : 0.0f;
}

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

// Quantile quarters/4 of sorted samples, linear between neighbours.
static float quantile(const float *x, uint32_t n, uint32_t quarters) {
    uint32_t place = (n - 1) * quarters, i = place / 4;
    if (i + 1 >= n) {
        return x[n - 1];
    }
    return x[i] + (x[i + 1] - x[i]) * (0.25f * (float)(place % 4));
}

static void of_order(const float *x, uint32_t n, float *scratch, float *value) {
    for (uint32_t i = 0; i < n; i++) {
        scratch[i] = x[i];
    }
    sort(scratch, n);
    value[WD_STATISTIC_MEDIAN] = quantile(scratch, n, 2);
    value[WD_STATISTIC_IQR] = quantile(scratch, n, 3) - quantile(scratch, n, 1);
}

float *wd_statistics(const float *x, uint32_t n, uint32_t mask, float *scratch, float *out) {
    float value[WD_N_STATISTICS];
    value[WD_STATISTIC_MEAN] = wd_mean(x, n);
    of_values(x, n, value);
    of_deviations(x, n, value);
    if (mask & NEED_SORTED) {
        of_order(x, n, scratch, value);
    }
    for (uint32_t i = 0; i < WD_N_STATISTICS; i++) {
        if (mask & (1u << i)) {
            *out++ = wd_canonical(value[i]);
        }
    }
    return out;
}

float wd_correlation(const float *a, const float *b, uint32_t n) {
    float mean_a = wd_mean(a, n), mean_b = wd_mean(b, n);
    float aa = 0.0f, bb = 0.0f, ab = 0.0f;
    for (uint32_t i = 0; i < n; i++) {
        float da = a[i] - mean_a, db = b[i] - mean_b;
        aa += da * da;
        bb += db * db;
        ab += da * db;
    }
    float norm = wd_sqrt(aa) * wd_sqrt(bb);
    return norm > 0.0f ? wd_canonical(ab / norm) : 0.0f;
}
