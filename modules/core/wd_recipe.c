#include "wd_recipe.h"

#include "wd_fft.h"

uint16_t wd_read_u16(const uint8_t *p) {
    return (uint16_t)(p[0] | (p[1] << 8));
}

uint32_t wd_read_u32(const uint8_t *p) {
    return wd_read_u16(p) | ((uint32_t)wd_read_u16(p + 2) << 16);
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

static void need_work(wd_recipe *r, uint32_t floats) {
    if (floats > r->work_floats) {
        r->work_floats = floats;
    }
}

static wd_error add_magnitude(const wd_step *step, wd_recipe *r) {
    if (step->size != 3) {
        return WD_ERROR_TRUNCATED;
    }
    if (r->n_features != 0) {
        return WD_ERROR_ORDER;
    }
    for (int i = 0; i < 3; i++) {
        if (step->payload[i] >= r->n_recorded) {
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
    need_work(r, r->length);
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
    uint32_t window = (p[0] & WD_BANDS_HANN) ? r->length : 0u;
    need_work(r, r->fft_length + WD_FFT_TABLE_FLOATS((uint32_t)r->fft_length) + window);
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
            return add_magnitude(step, r);
        case WD_STEP_STATISTICS:
            return add_statistics(step, r);
        case WD_STEP_BANDS:
            return add_bands(step, r);
        case WD_STEP_CORRELATION:
            return add_correlation(step, r);
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
    r->n_features = 0;
    r->work_floats = 0;
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
    r->work_floats += r->length; // one channel
    return WD_OK;
}
