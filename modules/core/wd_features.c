#include "wd_features.h"

#include "wd_fft.h"
#include "wd_mathf.h"
#include "wd_statistics.h"

// What all steps need. With one lane a channel is read out of the window when it is needed, as there
// is little memory; with more, all channels are there from the beginning.
typedef struct {
    const wd_recipe *recipe;
    const float *const *window;
    const float *table; // of the Fourier transform
    const float *hann;
    wd_lane *channels;
    wd_lane *work;
} job;

static void load_recorded(const job *j, uint32_t channel, wd_lane *x) {
    const wd_recipe *r = j->recipe;
    float *to = (float *)x;
    for (uint32_t lane = 0; lane < WD_LANES; lane++) {
        const float *from = j->window[lane] + channel;
        for (uint32_t i = 0; i < r->length; i++, from += r->n_recorded) {
            to[i * WD_LANES + lane] = *from;
        }
    }
}

static void load_magnitude(const job *j, const uint8_t *of, wd_lane *x) {
    const wd_recipe *r = j->recipe;
    float *to = (float *)x;
    for (uint32_t lane = 0; lane < WD_LANES; lane++) {
        const float *from = j->window[lane];
        for (uint32_t i = 0; i < r->length; i++, from += r->n_recorded) {
            float a = from[of[0]], b = from[of[1]], c = from[of[2]];
            to[i * WD_LANES + lane] = wd_sqrt(a * a + b * b + c * c);
        }
    }
}

// The step that derives a channel; the channel is not a recorded one.
static wd_step deriving(const wd_recipe *r, uint32_t channel) {
    const uint8_t *p = r->steps;
    wd_step step;
    uint32_t i = r->n_recorded;
    do {
        p = wd_step_next(p, &step);
        i += step.kind == WD_STEP_MAGNITUDE || step.kind == WD_STEP_DIFFERENCE;
    } while (i <= channel);
    return step;
}

static void differ(wd_lane *x, uint32_t n) {
    for (uint32_t i = n - 1; i > 0; i--) {
        x[i] = x[i] - x[i - 1];
    }
    x[0] = x[1];
}

// Fill x with a channel. A difference's own channel has a lower index, so this ends.
static void load(const job *j, uint32_t channel, wd_lane *x) {
    uint32_t differences = 0;
    for (;;) {
        if (channel < j->recipe->n_recorded) {
            load_recorded(j, channel, x);
            break;
        }
        wd_step step = deriving(j->recipe, channel);
        if (step.kind == WD_STEP_MAGNITUDE) {
            load_magnitude(j, step.payload, x);
            break;
        }
        channel = step.payload[0];
        differences++;
    }
    for (; differences > 0; differences--) {
        differ(x, j->recipe->length);
    }
}

#if WD_LANES == 1
static const wd_lane *get_channel(const job *j, uint32_t channel, wd_lane *buffer) {
    load(j, channel, buffer);
    return buffer;
}
#else
static const wd_lane *get_channel(const job *j, uint32_t channel, wd_lane *buffer) {
    (void)buffer;
    return j->channels + channel * j->recipe->length;
}
#endif

// The channel that is being worked on.
static const wd_lane *get(const job *j, uint32_t channel) {
    return get_channel(j, channel, j->channels);
}

void wd_features_prepare(const wd_recipe *r, float *tables) {
    if (r->table_floats == 0) {
        return;
    }
    wd_fft_table(r->fft_length, tables);
    if (r->hann) {
        float *weight = tables + WD_FFT_TABLE_FLOATS(r->fft_length);
        for (uint32_t i = 0; i < r->length; i++) {
            float sine, cosine;
            wd_turn(i, r->length, &sine, &cosine);
            weight[i] = 0.5f - 0.5f * cosine;
        }
    }
}

// Put the spectrum of a channel's deviations from its mean into work; weight: NULL for none. Returns
// what |X[k]|^2 is multiplied by, so that all bins add up to the variance.
static float get_spectrum(const job *j, const wd_lane *x, const float *weight) {
    uint32_t n = j->recipe->length, n_fft = j->recipe->fft_length;
    wd_lane mean = wd_mean(x, n), *spectrum = j->work;
    float weights = 0.0f;
    for (uint32_t i = 0; i < n; i++) {
        float w = weight ? weight[i] : 1.0f;
        spectrum[i] = (x[i] - mean) * w;
        weights += w * w;
    }
    for (uint32_t i = n; i < n_fft; i++) {
        spectrum[i] = wd_all(0.0f);
    }
    wd_fft_real(n_fft, j->table, spectrum);
    return 2.0f / ((float)n_fft * weights);
}

// The power |X[k]|^2 of a packed spectrum of n samples; at 0 and n/2 half of it, as all other
// bins stand for two.
static inline wd_lane power(const wd_lane *spectrum, uint32_t n, uint32_t k) {
    if (k == 0 || k == n / 2) {
        wd_lane x = spectrum[k == 0 ? 0 : 1];
        return 0.5f * (x * x);
    }
    wd_lane re = spectrum[2 * k], im = spectrum[2 * k + 1];
    return re * re + im * im;
}

static void step_bands(const job *j, const wd_step *step, wd_out *out) {
    uint32_t n_edges = step->payload[1];
    const uint8_t *edges = step->payload + 2;
    const float *weight = (step->payload[0] & WD_BANDS_HANN) ? j->hann : NULL;
    for (uint32_t channel = 0; channel < j->recipe->n_channels; channel++) {
        float norm = get_spectrum(j, get(j, channel), weight);
        for (uint32_t i = 0; i + 1 < n_edges; i++) {
            wd_lane sum = wd_all(0.0f);
            uint32_t end = wd_read_u16(edges + 2 * i + 2);
            for (uint32_t k = wd_read_u16(edges + 2 * i); k < end; k++) {
                sum += power(j->work, j->recipe->fft_length, k);
            }
            wd_put(out, wd_lane_sqrt(sum * norm));
        }
    }
}

static void put_log(wd_lane energy, float floor, wd_out *out) {
    float *each = (float *)&energy;
    for (uint32_t lane = 0; lane < WD_LANES; lane++) {
        each[lane] = wd_log(each[lane] < floor ? floor : each[lane]);
    }
    wd_put(out, energy);
}

// Between two edges one triangle falls and the next one rises.
static void mel_bands(const job *j, const wd_step *step, float norm, wd_out *out) {
    uint32_t n_edges = step->payload[1], n_fft = j->recipe->fft_length, k = 0;
    const uint8_t *edges = step->payload + 8;
    float floor = wd_read_f32(step->payload + 4), low = wd_read_f32(edges);
    wd_lane falling = wd_all(0.0f);
    while ((float)k < low) {
        k++;
    }
    for (uint32_t i = 0; i + 1 < n_edges; i++) {
        float high = wd_read_f32(edges + 4 * i + 4), width = high - low;
        wd_lane rising = wd_all(0.0f);
        for (; (float)k < high; k++) {
            wd_lane p = power(j->work, n_fft, k), part = p * (((float)k - low) / width);
            rising += part;
            falling += p - part;
        }
        if (i > 0) {
            put_log(falling * norm, floor, out);
        }
        falling = rising;
        low = high;
    }
}

static void step_mel(const job *j, const wd_step *step, wd_out *out) {
    const float *weight = (step->payload[0] & WD_BANDS_HANN) ? j->hann : NULL;
    for (uint32_t channel = 0; channel < j->recipe->n_channels; channel++) {
        mel_bands(j, step, get_spectrum(j, get(j, channel), weight), out);
    }
}

static void step_statistics(const job *j, const wd_step *step, wd_out *out) {
    uint32_t mask = wd_read_u32(step->payload);
    for (uint32_t channel = 0; channel < j->recipe->n_channels; channel++) {
        wd_statistics(get(j, channel), j->recipe->length, mask, j->work, out);
    }
}

static void step_quantiles(const job *j, const wd_step *step, wd_out *out) {
    for (uint32_t channel = 0; channel < j->recipe->n_channels; channel++) {
        wd_quantiles(get(j, channel), j->recipe->length, step->payload, step->size / 4u, j->work, out);
    }
}

// A channel's mean, and the root of the sum of its squared deviations.
typedef struct {
    wd_lane mean, root;
} spread;

static void get_spread(const wd_lane *x, uint32_t n, spread *s) {
    wd_lane sum = wd_all(0.0f);
    s->mean = wd_mean(x, n);
    for (uint32_t i = 0; i < n; i++) {
        wd_lane d = x[i] - s->mean;
        sum += d * d;
    }
    s->root = wd_lane_sqrt(sum);
}

// Pearson's correlation; 0 where a channel is constant.
static void correlation(const wd_lane *a, const spread *of_a, const wd_lane *b, const spread *of_b,
    uint32_t n, wd_out *out) {
    wd_lane sum = wd_all(0.0f), zero = sum, norm = of_a->root * of_b->root;
    for (uint32_t i = 0; i < n; i++) {
        sum += (a[i] - of_a->mean) * (b[i] - of_b->mean);
    }
    wd_put(out, wd_pick(norm > zero, sum / norm, zero));
}

static void step_correlation(const job *j, const wd_step *step, wd_out *out) {
    uint32_t n = j->recipe->length;
    spread all[WD_MAX_CHANNELS];
    for (uint32_t channel = 0; channel < j->recipe->n_channels; channel++) {
        get_spread(get(j, channel), n, &all[channel]);
    }
    for (int i = 0; i < step->size; i += 2) {
        uint32_t a = step->payload[i], b = step->payload[i + 1];
        const wd_lane *x = get(j, a), *y = get_channel(j, b, j->work);
        correlation(x, &all[a], y, &all[b], n, out);
    }
}

static void run(const job *j, const wd_step *step, wd_out *out) {
    switch (step->kind) {
        case WD_STEP_STATISTICS:
            step_statistics(j, step, out);
            break;
        case WD_STEP_BANDS:
            step_bands(j, step, out);
            break;
        case WD_STEP_CORRELATION:
            step_correlation(j, step, out);
            break;
        case WD_STEP_MEL:
            step_mel(j, step, out);
            break;
        case WD_STEP_QUANTILES:
            step_quantiles(j, step, out);
            break;
        default: // what has been done before, or while a channel is loaded
            break;
    }
}

void wd_extract(const wd_recipe *r, const float *const window[WD_LANES], const float *tables,
    wd_lane *work, wd_out out) {
    uint32_t n_loaded = WD_LANES > 1 ? r->n_channels : 1;
    job j = { r, window, tables, tables + WD_FFT_TABLE_FLOATS(r->fft_length), work,
              work + n_loaded * r->length };
    for (uint32_t channel = 0; WD_LANES > 1 && channel < r->n_channels; channel++) {
        load(&j, channel, j.channels + channel * r->length);
    }
    const uint8_t *p = r->steps;
    for (int i = 0; i < r->n_steps; i++) {
        wd_step step;
        p = wd_step_next(p, &step);
        run(&j, &step, &out);
    }
}
