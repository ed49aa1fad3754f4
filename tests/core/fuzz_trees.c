// libFuzzer target: any bytes as a data file of trees. What is accepted must decide on any row inside
// its own bytes. Each input is tried as it is, with the right checksum, and with the texts cut or
// stretched so that the file has the right length, so that the checks behind these are reached.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wd_crc32.h"
#include "wd_trees.h"

static void require(int condition) {
    if (!condition) {
        abort();
    }
}

static void fix_length(uint8_t *bytes, size_t size) {
    wd_trees_header h;
    memcpy(&h, bytes, sizeof(h));
    uint64_t node = h.flags & WD_TREES_WIDE ? sizeof(wd_trees_wide) : sizeof(wd_trees_narrow);
    uint64_t rest = sizeof(h) + 4 + 4u * h.n_trees + 4u * h.n_features + node * h.n_nodes;
    rest += h.recipe_bytes;
    if (rest <= size) {
        h.text_bytes = (uint32_t)(size - rest);
        memcpy(bytes, &h, sizeof(h));
    }
}

static void fix_checksum(uint8_t *bytes, size_t size) {
    uint32_t crc = wd_crc32(bytes, size - 4);
    memcpy(bytes + size - 4, &crc, 4);
}

static void fill(int16_t *row, size_t n, int kind, uint32_t seed) {
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        row[i] = (int16_t)(kind == 0 ? INT16_MIN : kind == 1 ? INT16_MAX : (int32_t)seed >> 16);
    }
}

static void decide(const wd_trees *t, uint32_t seed) {
    int16_t *row = malloc(t->n_features * sizeof(int16_t)); // of that size, for ASan
    float *out = malloc(t->n_classes * sizeof(float));
    for (int kind = 0; kind < 4; kind++) {
        fill(row, t->n_features, kind, seed + (uint32_t)kind);
        uint32_t best = wd_trees_predict(t, row);
        require(best < t->n_classes);
        wd_trees_proba(t, row, out);
        double sum = 0;
        for (uint32_t i = 0; i < t->n_classes; i++) {
            require(out[i] <= out[best] && (i >= best || out[i] < out[best]));
            sum += (double)out[i];
        }
        require(sum > 0.999 && sum < 1.001);
    }
    free(out);
    free(row);
}

static void open_and_use(const uint8_t *bytes, size_t size, int is_true) {
    wd_trees trees;
    wd_trees_error error = wd_trees_open(bytes, size, &trees);
    require(*wd_trees_error_text(error) != 0);
    require(!is_true || error != WD_TREES_ERROR_CHECKSUM);
    if (error != WD_TREES_OK) {
        return;
    }
    wd_trees_reader reader;
    wd_trees_texts(&trees, &reader);
    uint32_t n_texts = 0;
    while (wd_trees_next_text(&reader)) {
        require(reader.length <= WD_TREES_MAX_TEXT);
        n_texts++;
    }
    require(n_texts == WD_TREES_INFO_TEXTS + (uint32_t)trees.n_classes + trees.n_features);
    decide(&trees, bytes[size - 1] * 65537u + bytes[size / 2]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *bytes = malloc(size ? size : 1); // of that size, so that ASan sees a step too far
    memcpy(bytes, data, size);
    open_and_use(bytes, size, 0);
    if (size >= sizeof(wd_trees_header) + 4) {
        fix_checksum(bytes, size);
        open_and_use(bytes, size, 1);
        fix_length(bytes, size);
        fix_checksum(bytes, size);
        open_and_use(bytes, size, 1);
    }
    free(bytes);
    return 0;
}
