// Print the bits of the features of 16 windows of random samples, for the recipe in a file.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wd_features.h"

enum { N_WINDOWS = 16 };

static float random_float(void) {
    static uint32_t state = 1;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return (float)(int32_t)state / 2147483648.0f;
}

int main(int argc, char **argv) {
    static uint8_t bytes[4096];
    FILE *file = fopen(argv[argc - 1], "rb");
    size_t size = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    wd_recipe r;
    if (wd_recipe_parse(bytes, size, &r) != WD_OK) {
        return 1;
    }
    size_t n = (size_t)r.length * r.n_recorded;
    float *samples = malloc(N_WINDOWS * n * sizeof(float));
    float *out = malloc(N_WINDOWS * r.n_features * sizeof(float));
    float *tables = malloc((r.table_floats + 1) * sizeof(float));
    wd_lane *work = malloc(r.work_lanes * sizeof(wd_lane));
    for (size_t i = 0; i < N_WINDOWS * n; i++) {
        samples[i] = random_float();
    }
    wd_features_prepare(&r, tables);
    for (size_t at = 0; at < N_WINDOWS; at += WD_LANES) {
        const float *window[WD_LANES];
        wd_out to;
        for (size_t lane = 0; lane < WD_LANES; lane++) {
            window[lane] = samples + (at + lane) * n;
            to.to[lane] = out + (at + lane) * r.n_features;
        }
        wd_extract(&r, window, tables, work, to);
    }
    for (size_t i = 0; i < N_WINDOWS * r.n_features; i++) {
        uint32_t bits;
        memcpy(&bits, &out[i], 4);
        printf("%08x\n", (unsigned)bits);
    }
    free(work);
    free(tables);
    free(out);
    free(samples);
    return 0;
}
