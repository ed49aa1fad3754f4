#include "wd_recipe.h"

#include "wd_fft.h"
#include "wd_lanes.h"
#include "wd_statistics.h"

#define FILTER_HEAD_BYTES 4
#define SECTION_BYTES 20
#define MEL_HEAD_BYTES 8

uint16_t wd_read_u16(const uint8_t *p) {
    return (uint16_t)(p[0] | (p[1] << 8));
}

uint32_t wd_read_u32(const uint8_t *p) {
    return wd_read_u16(p) | ((uint32_t)wd_read_u16(p + 2) << 16);
}

float wd_read_f32(const uint8_t *p) {
    return wd_from_bits(wd_read_u32(p));
}

const uint8_t *wd_step_next(const uint8_t *p, wd_step *step) {
    step->kind = (wd_step_kind)p[0];
    step->size = p[1];
    step->payload = p + 2;
    return p + 2 + p[1];
}

static uint32_t count_bits(uint32_t mask) {
    uint32_t n = 0;
    for (; mask != 0; mask &= mask - 1) {
        n++;
    }
    return n;
}

static void need_work(wd_recipe *r, uint32_t lanes) {
    if (lanes > r->work_lanes) {
        r->work_lanes = lanes;
    }
}

static void need_spectrum(wd_recipe *r, bool hann) {
    need_work(r, r->fft_length);
    r->hann = r->hann || hann;
    r->table_floats = WD_FFT_TABLE_FLOATS((uint32_t)r->fft_length) + (r->hann ? r->length : 0u);
}

static wd_error add_hop(const wd_step *step, wd_recipe *r) {
    if (step->size != 4) {
        return WD_ERROR_TRUNCATED;
    }
    uint32_t hop = wd_read_u32(step->payload);
    if (hop == 0 || r->hop != 0) {
        return WD_ERROR_HOP;
    }
    r->hop = hop;
    return WD_OK;
}

static bool is_stable(const uint8_t *section) {
    for (int i = 0; i < 5; i++) {
        if (!wd_is_finite(wd_read_f32(section + 4 * i))) {
            return false;
        }
    }
    float a1 = wd_read_f32(section + 12), a2 = wd_read_f32(section + 16);
    return wd_abs(a2) < 1.0f && wd_abs(a1) < 1.0f + a2;
}

static wd_error add_filter(const wd_step *step, wd_recipe *r) {
    const uint8_t *p = step->payload;
    if (step->size < FILTER_HEAD_BYTES || step->size != FILTER_HEAD_BYTES + SECTION_BYTES * p[2]) {
        return WD_ERROR_TRUNCATED;
    }
    if (r->n_features != 0 || r->n_channels != r->n_recorded) {
        return WD_ERROR_ORDER;
    }
    uint32_t mask = wd_read_u16(p), n = p[2];
    if (mask == 0 || (mask >> r->n_recorded) != 0 || n == 0 || p[3] != 0) {
        return WD_ERROR_FILTER;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (!is_stable(p + FILTER_HEAD_BYTES + SECTION_BYTES * i)) {
            return WD_ERROR_FILTER;
        }
    }
    r->n_coefficients += 5 * n;
    r->state_floats += 2 * n * count_bits(mask);
    return WD_OK;
}

// Derive a channel of n others, whose indices are below limit.
static wd_error derive(const wd_step *step, int n, uint8_t limit, wd_recipe *r) {
    if (step->size != n) {
        return WD_ERROR_TRUNCATED;
    }
    if (r->n_features != 0) {
        return WD_ERROR_ORDER;
    }
    for (int i = 0; i < n; i++) {
        if (step->payload[i] >= limit) {
            return WD_ERROR_CHANNEL_INDEX;
        }
    }
    if (r->n_channels >= WD_MAX_CHANNELS) {
        return WD_ERROR_CHANNELS;
    }
    r->n_channels++;
    return WD_OK;
}

static wd_error add_statistics(const wd_step *step, wd_recipe *r) {
    if (step->size != 4) {
        return WD_ERROR_TRUNCATED;
    }
    uint32_t mask = wd_read_u32(step->payload);
    if (mask == 0 || (mask >> WD_N_STATISTICS) != 0) {
        return WD_ERROR_STATISTICS;
    }
    r->n_features += r->n_channels * count_bits(mask);
    need_work(r, WD_STATISTICS_SCRATCH(r->length));
    return WD_OK;
}

static wd_error add_bands(const wd_step *step, wd_recipe *r) {
    const uint8_t *p = step->payload;
    if (step->size < 2 || step->size != 2 + 2 * p[1]) {
        return WD_ERROR_TRUNCATED;
    }
    uint32_t n_edges = p[1];
    if ((p[0] & ~WD_BANDS_HANN) != 0 || n_edges < 2) {
        return WD_ERROR_BANDS;
    }
    for (uint32_t i = 1; i < n_edges; i++) {
        if (wd_read_u16(p + 2 * i) >= wd_read_u16(p + 2 + 2 * i)) {
            return WD_ERROR_BANDS;
        }
    }
    if (wd_read_u16(p + 2 * n_edges) > r->fft_length / 2 + 1) {
        return WD_ERROR_BANDS;
    }
    r->n_features += r->n_channels * (n_edges - 1);
    need_spectrum(r, (p[0] & WD_BANDS_HANN) != 0);
    return WD_OK;
}

// Whether the triangle from low to high, 0 <= low < high < 2^16, has a bin inside.
static bool holds_bin(float low, float high) {
    return (float)((uint32_t)low + 1) < high;
}

static bool are_mel_edges(const uint8_t *edges, uint32_t n, uint32_t fft_length) {
    float half = 0.5f * (float)fft_length;
    for (uint32_t i = 0; i < n; i++) {
        float edge = wd_read_f32(edges + 4 * i);
        float before = i > 0 ? wd_read_f32(edges + 4 * i - 4) : -1.0f;
        if (!(edge >= 0.0f && edge <= half && edge > before)) {
            return false;
        }
        if (i >= 2 && !holds_bin(wd_read_f32(edges + 4 * i - 8), edge)) {
            return false;
        }
    }
    return true;
}

static wd_error add_mel(const wd_step *step, wd_recipe *r) {
    const uint8_t *p = step->payload;
    if (step->size < MEL_HEAD_BYTES || step->size != MEL_HEAD_BYTES + 4 * p[1]) {
        return WD_ERROR_TRUNCATED;
    }
    uint32_t n = p[1];
    float floor = wd_read_f32(p + 4);
    if ((p[0] & ~WD_BANDS_HANN) != 0 || wd_read_u16(p + 2) != 0 || n < 3
        || !(wd_is_finite(floor) && floor > 0.0f)
        || !are_mel_edges(p + MEL_HEAD_BYTES, n, r->fft_length)) {
        return WD_ERROR_MEL;
    }
    r->n_features += r->n_channels * (n - 2);
    need_spectrum(r, (p[0] & WD_BANDS_HANN) != 0);
    return WD_OK;
}

static wd_error add_quantiles(const wd_step *step, wd_recipe *r) {
    if (step->size == 0 || step->size % 4 != 0) {
        return WD_ERROR_TRUNCATED;
    }
    for (int i = 0; i < step->size; i += 4) {
        float q = wd_read_f32(step->payload + i);
        if (!(q >= 0.0f && q <= 1.0f)) {
            return WD_ERROR_QUANTILES;
        }
    }
    r->n_features += r->n_channels * (step->size / 4u);
    need_work(r, WD_STATISTICS_SCRATCH(r->length));
    return WD_OK;
}

static wd_error add_correlation(const wd_step *step, wd_recipe *r) {
    if (step->size == 0 || step->size % 2 != 0) {
        return WD_ERROR_TRUNCATED;
    }
    for (int i = 0; i < step->size; i += 2) {
        uint8_t a = step->payload[i], b = step->payload[i + 1];
        if (a >= r->n_channels || b >= r->n_channels || a == b) {
            return WD_ERROR_CHANNEL_INDEX;
        }
    }
    r->n_features += step->size / 2u;
    need_work(r, r->length);
    return WD_OK;
}

static wd_error add_step(const wd_step *step, wd_recipe *r) {
    switch (step->kind) {
        case WD_STEP_MAGNITUDE:
            return derive(step, 3, r->n_recorded, r);
        case WD_STEP_DIFFERENCE:
            return derive(step, 1, r->n_channels, r);
        case WD_STEP_STATISTICS:
            return add_statistics(step, r);
        case WD_STEP_BANDS:
            return add_bands(step, r);
        case WD_STEP_CORRELATION:
            return add_correlation(step, r);
        case WD_STEP_HOP:
            return add_hop(step, r);
        case WD_STEP_FILTER:
            return add_filter(step, r);
        case WD_STEP_MEL:
            return add_mel(step, r);
        case WD_STEP_QUANTILES:
            return add_quantiles(step, r);
        default:
            return WD_ERROR_STEP;
    }
}

static wd_error read_header(const uint8_t *bytes, size_t n, wd_recipe *r) {
    static const char magic[] = WD_RECIPE_MAGIC;
    for (size_t i = 0; i < 3; i++) {
        if (i >= n || bytes[i] != (uint8_t)magic[i]) {
            return WD_ERROR_MAGIC;
        }
    }
    if (n < WD_RECIPE_HEADER_BYTES) {
        return WD_ERROR_TRUNCATED;
    }
    if (bytes[3] != WD_RECIPE_VERSION) {
        return WD_ERROR_VERSION;
    }
    if (bytes[4] == 0 || bytes[4] > WD_MAX_CHANNELS) {
        return WD_ERROR_CHANNELS;
    }
    if (bytes[5] > WD_MAX_STEPS) {
        return WD_ERROR_STEP;
    }
    uint16_t length = wd_read_u16(bytes + 6);
    if (length < WD_MIN_LENGTH || length > WD_MAX_LENGTH) {
        return WD_ERROR_LENGTH;
    }
    uint16_t fft_length = WD_MIN_LENGTH;
    while (fft_length < length) {
        fft_length = (uint16_t)(2 * fft_length);
    }
    r->steps = bytes + WD_RECIPE_HEADER_BYTES;
    r->n_recorded = r->n_channels = bytes[4];
    r->n_steps = bytes[5];
    r->length = length;
    r->fft_length = fft_length;
    r->hop = r->n_features = r->n_coefficients = 0;
    r->state_floats = r->table_floats = r->work_lanes = 0;
    r->hann = false;
    return WD_OK;
}

wd_error wd_recipe_parse(const uint8_t *bytes, size_t n, wd_recipe *r) {
    wd_error error = read_header(bytes, n, r);
    if (error != WD_OK) {
        return error;
    }
    const uint8_t *p = r->steps, *end = bytes + n;
    for (int i = 0; i < r->n_steps; i++) {
        if (end - p < 2 || end - p < 2 + p[1]) {
            return WD_ERROR_TRUNCATED;
        }
        wd_step step;
        p = wd_step_next(p, &step);
        error = add_step(&step, r);
        if (error != WD_OK) {
            return error;
        }
    }
    if (p != end) {
        return WD_ERROR_TRAILING;
    }
    if (r->n_features == 0) {
        return WD_ERROR_STEP;
    }
    if (r->hop == 0) {
        r->hop = r->length;
    }
    r->state_floats += r->n_coefficients > 0 ? 1 : 0; // whether it has begun
    r->work_lanes += WD_LANES > 1 ? (uint32_t)r->length * r->n_channels : r->length; // see channel()
    return WD_OK;
}
