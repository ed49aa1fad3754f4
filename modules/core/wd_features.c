#include "wd_features.h"

#include "wd_fft.h"
#include "wd_mathf.h"
#include "wd_statistics.h"

static void load_recorded(const wd_recipe *r, const float *window, uint32_t channel, float *x) {
    window += channel;
    for (uint32_t i = 0; i < r->length; i++, window += r->n_recorded) {
        x[i] = *window;
    }
}

static void load_magnitude(const wd_recipe *r, const float *window, const uint8_t *of, float *x) {
    for (uint32_t i = 0; i < r->length; i++, window += r->n_recorded) {
        float a = window[of[0]], b = window[of[1]], c = window[of[2]];
        x[i] = wd_sqrt(a * a + b * b + c * c);
    }
}

// Magnitudes come first among the steps, so derived channel i is what step i derives.
static void load(const wd_recipe *r, const float *window, uint32_t channel, float *x) {
    if (channel < r->n_recorded) {
        load_recorded(r, window, channel, x);
        return;
    }
    const uint8_t *p = r->steps;
    wd_step step;
    for (uint32_t i = r->n_recorded; i <= channel; i++) {
        p = wd_step_next(p, &step);
    }
    load_magnitude(r, window, step.payload, x);
}

static void hann(uint32_t n, float *weight) {
    for (uint32_t i = 0; i < n; i++) {
        float sine, cosine;
        wd_turn(i, n, &sine, &cosine);
        weight[i] = 0.5f - 0.5f * cosine;
    }
}

// The power |X[k]|^2 of a packed spectrum of n samples; at 0 and n/2 half of it, as all other
// bins stand for two.
static float power(const float *spectrum, uint32_t n, uint32_t k) {
    if (k == 0 || k == n / 2) {
        float x = spectrum[k == 0 ? 0 : 1];
        return 0.5f * (x * x);
    }
    float re = spectrum[2 * k], im = spectrum[2 * k + 1];
    return re * re + im * im;
}

// x: a channel, spectrum: fft_length floats, which it overwrites; weight: NULL for none.
static float *bands(const wd_recipe *r, const wd_step *step, const float *x, const float *table,
    const float *weight, float *spectrum, float *out) {
    uint32_t n = r->length, n_fft = r->fft_length, n_edges = step->payload[1];
    const uint8_t *edges = step->payload + 2;
    float mean = wd_mean(x, n), weights = 0.0f;
    for (uint32_t i = 0; i < n_fft; i++) {
        float w = i < n ? (weight ? weight[i] : 1.0f) : 0.0f;
        spectrum[i] = i < n ? (x[i] - mean) * w : 0.0f;
        weights += w * w;
    }
    wd_fft_real(n_fft, table, spectrum);
    float norm = 2.0f / ((float)n_fft * weights);
    for (uint32_t i = 0; i + 1 < n_edges; i++) {
        float sum = 0.0f;
        uint32_t end = wd_read_u16(edges + 2 * i + 2);
        for (uint32_t k = wd_read_u16(edges + 2 * i); k < end; k++) {
            sum += power(spectrum, n_fft, k);
        }
        *out++ = wd_canonical(wd_sqrt(sum * norm));
    }
    return out;
}

static float *step_bands(const wd_recipe *r, const wd_step *step, const float *window, float *work,
    float *out) {
    float *x = work, *spectrum = x + r->length, *table = spectrum + r->fft_length, *weight = NULL;
    wd_fft_table(r->fft_length, table);
    if (step->payload[0] & WD_BANDS_HANN) {
        weight = table + WD_FFT_TABLE_FLOATS(r->fft_length);
        hann(r->length, weight);
    }
    for (uint32_t channel = 0; channel < r->n_channels; channel++) {
        load(r, window, channel, x);
        out = bands(r, step, x, table, weight, spectrum, out);
    }
    return out;
}

static float *step_statistics(const wd_recipe *r, const wd_step *step, const float *window,
    float *work, float *out) {
    uint32_t mask = wd_read_u32(step->payload);
    for (uint32_t channel = 0; channel < r->n_channels; channel++) {
        load(r, window, channel, work);
        out = wd_statistics(work, r->length, mask, work + r->length, out);
    }
    return out;
}

static float *step_correlation(const wd_recipe *r, const wd_step *step, const float *window,
    float *work, float *out) {
    float *a = work, *b = work + r->length;
    int loaded = -1;
    for (int i = 0; i < step->size; i += 2) {
        if (step->payload[i] != loaded) {
            loaded = step->payload[i];
            load(r, window, (uint32_t)loaded, a);
        }
        load(r, window, step->payload[i + 1], b);
        *out++ = wd_correlation(a, b, r->length);
    }
    return out;
}

void wd_extract(const wd_recipe *r, const float *window, float *work, float *out) {
    const uint8_t *p = r->steps;
    for (int i = 0; i < r->n_steps; i++) {
        wd_step step;
        p = wd_step_next(p, &step);
        if (step.kind == WD_STEP_STATISTICS) {
            out = step_statistics(r, &step, window, work, out);
        } else if (step.kind == WD_STEP_BANDS) {
            out = step_bands(r, &step, window, work, out);
        } else if (step.kind == WD_STEP_CORRELATION) {
            out = step_correlation(r, &step, window, work, out);
        }
    }
}
