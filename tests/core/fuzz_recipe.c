// libFuzzer target: any bytes as a recipe and a window. What the parser accepts must run inside the
// buffers that it asked for, and fill all of out.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wd_features.h"
#include "wd_quantize.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *bytes = malloc(size ? size : 1); // of that size, so that ASan sees a step too far
    memcpy(bytes, data, size);
    wd_recipe r;
    if (wd_recipe_parse(bytes, size, &r) == WD_OK) {
        size_t n_window = (size_t)r.length * r.n_recorded;
        float *window = malloc(n_window * sizeof(float));
        float *work = malloc(r.work_floats * sizeof(float));
        float *out = malloc(r.n_features * sizeof(float));
        int16_t *grid = malloc(r.n_features * sizeof(int16_t));
        fill(window, n_window, data, size);
        for (size_t i = 0; i < r.n_features; i++) {
            memcpy(&out[i], &UNSET, 4);
        }
        wd_extract(&r, window, work, out);
        for (size_t i = 0; i < r.n_features; i++) {
            if (memcmp(&out[i], &UNSET, 4) == 0) {
                abort();
            }
        }
        wd_quantize(out, out, r.n_features, grid);
        free(grid);
        free(out);
        free(work);
        free(window);
    }
    free(bytes);
    return 0;
}
