// libFuzzer target: any bytes as a recipe and a window. What the parser accepts must run inside the
// buffers that it asked for, and fill all of out; and the same as a stream.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wd_features.h"
#include "wd_quantize.h"
#include "wd_stream.h"

static const uint32_t UNSET = 0x7f800001; // a NaN that wd_extract() never writes

static void fill(float *x, size_t n, const uint8_t *data, size_t size) {
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = (uint32_t)i * 2654435761u;
        if (size >= 4) {
            memcpy(&bits, data + 4 * (i % (size / 4)), 4);
        }
        memcpy(&x[i], &bits, 4);
    }
}

// All lanes the same window; each has its own row of features, and all rows must be the same.
static void extract(const wd_recipe *r, const float *samples) {
    float *tables = malloc((r->table_floats + 1) * sizeof(float));
    wd_lane *work = malloc(r->work_lanes * sizeof(wd_lane));
    float *out = malloc(WD_LANES * r->n_features * sizeof(float));
    int16_t *grid = malloc(r->n_features * sizeof(int16_t));
    const float *window[WD_LANES];
    wd_out to;
    for (size_t i = 0; i < WD_LANES; i++) {
        window[i] = samples;
        to.to[i] = out + i * r->n_features;
    }
    for (size_t i = 0; i < WD_LANES * r->n_features; i++) {
        memcpy(&out[i], &UNSET, 4);
    }
    wd_features_prepare(r, tables);
    wd_extract(r, window, tables, work, to);
    for (size_t i = 0; i < WD_LANES * r->n_features; i++) {
        if (memcmp(&out[i], &UNSET, 4) == 0 || memcmp(&out[i], &out[i % r->n_features], 4) != 0) {
            abort();
        }
    }
    wd_quantize(out, out, r->n_features, grid);
    free(grid);
    free(out);
    free(work);
    free(tables);
}

// A window and a hop, of at most 20,000 samples: the first window is complete when it is full.
static void stream(const wd_recipe *r, const float *samples) {
    float *memory = malloc(wd_stream_floats(r) * sizeof(float));
    float *out = malloc(r->n_features * sizeof(float));
    size_t n = r->length + (r->hop < 10000 ? r->hop : 10000);
    wd_stream s;
    wd_stream_open(&s, r, memory);
    for (size_t i = 0; i < n; i++) {
        float sample[WD_MAX_CHANNELS];
        memcpy(sample, samples + i % r->length * r->n_recorded, r->n_recorded * sizeof(float));
        bool complete = wd_stream_push(&s, sample);
        if (complete != (i + 1 == r->length || i + 1 == (size_t)r->length + r->hop)) {
            abort();
        }
        if (complete) {
            wd_stream_extract(&s, out);
        }
    }
    free(out);
    free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *bytes = malloc(size ? size : 1); // of that size, so that ASan sees a step too far
    memcpy(bytes, data, size);
    wd_recipe r;
    if (wd_recipe_parse(bytes, size, &r) == WD_OK) {
        size_t n_window = (size_t)r.length * r.n_recorded;
        float *samples = malloc(n_window * sizeof(float));
        fill(samples, n_window, data, size);
        extract(&r, samples);
        stream(&r, samples);
        free(samples);
    }
    free(bytes);
    return 0;
}
