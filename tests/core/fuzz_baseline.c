// libFuzzer target: any bytes as the memory of a baseline, kept or learning, and as rows. Whatever is in
// it, nothing outside it is read or written; what check() accepts answers every row.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wd_baseline.h"
#include "wd_crc32.h"

static void require(int condition) {
    if (!condition) {
        abort();
    }
}

static void fill(float *x, size_t n, const uint8_t *data, size_t size, uint32_t seed) {
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        uint32_t bits = seed & 1 ? (seed >> 9) | 0x3f800000u : seed;
        if (size >= 4 && (seed & 6) == 0) {
            memcpy(&bits, data + 4 * (seed % (size / 4)), 4);
        }
        memcpy(&x[i], &bits, 4);
    }
}

static wd_baseline_error judge(const uint8_t *memory, size_t size, const float *x, size_t n) {
    float score = -1;
    bool is_anomaly = false;
    wd_baseline_error error = wd_baseline_score(memory, size, x, n, &score, &is_anomaly);
    require(*wd_baseline_error_text(error) != 0);
    return error;
}

// Use the memory as it is, whoever made it.
static void use(uint8_t *memory, size_t size) {
    wd_baseline_header h;
    memset(&h, 0, sizeof(h));
    memcpy(&h, memory, size < sizeof(h) ? size : sizeof(h));
    size_t n = h.n_features <= WD_BASELINE_MAX_FEATURES ? h.n_features : 1;
    float *x = malloc(n * sizeof(float) + 1); // of that size, so that ASan sees a step too far
    wd_baseline_settings settings = { h.n_features, h.windows, h.false_alarms, h.key };
    bool is_good = wd_baseline_check(&settings, memory, size) == WD_BASELINE_OK;
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t needed = 0;
        fill(x, n, memory, size, i + (uint32_t)size);
        wd_baseline_error error = judge(memory, size, x, n);
        require(!is_good || error == WD_BASELINE_OK || error == WD_BASELINE_ERROR_NUMBER);
        judge(memory, size, x, n + 1);
        if (wd_baseline_learn(memory, size, x, n, &needed) == WD_BASELINE_OK) {
            require(needed <= h.windows);
        }
    }
    free(x);
}

// The header that makes the most of so many bytes possible; returns how many of them it is for.
static size_t fix(uint8_t *memory, size_t size, int is_learning) {
    wd_baseline_header h;
    memcpy(&h, memory, sizeof(h));
    memcpy(h.magic, WD_BASELINE_MAGIC, 3);
    h.version = WD_BASELINE_VERSION;
    h.windows = h.windows % 8 + WD_BASELINE_MIN_WINDOWS;
    h.seen = is_learning ? h.seen % (h.windows + 1) : h.windows;
    h.false_alarms = 0.25f;
    size_t other = sizeof(h) + 4 + (is_learning ? 4 * (h.windows - h.windows / 2) : 0);
    size_t each = 12 + (is_learning ? 4 * WD_BASELINE_FIRST : 0);
    if (size < other + each) {
        return 0;
    }
    h.n_features = (uint16_t)((size - other) / each);
    memcpy(memory, &h, sizeof(h));
    uint32_t end = (uint32_t)sizeof(h) + 12u * h.n_features, crc = wd_crc32(memory, end);
    memcpy(memory + end, &crc, 4);
    return other + each * h.n_features;
}

static void use_fixed(const uint8_t *data, size_t size, int is_learning) {
    uint8_t *memory = malloc(size);
    memcpy(memory, data, size);
    size_t right = fix(memory, size, is_learning);
    uint8_t *exact = malloc(right + 1);
    memcpy(exact, memory, right);
    free(memory);
    if (right > 0) {
        exact = realloc(exact, right);
        use(exact, right);
    }
    free(exact);
}

// Learn from rows of the input; what comes of it must be whole and answer.
static void learn(const uint8_t *data, size_t size) {
    wd_baseline_settings settings = { 1 + data[0] % 5u, 32 + data[1] % 16u, 0.1f, 7 };
    size_t length = wd_baseline_learning_bytes(&settings), kept = wd_baseline_kept_bytes(&settings);
    uint8_t *memory = malloc(length);
    float x[5];
    uint32_t needed = 1;
    require(wd_baseline_begin(&settings, memory, length) == WD_BASELINE_OK);
    for (uint32_t i = 0; i < 200 && needed > 0; i++) {
        fill(x, settings.n_features, data, size, i * 77u + data[2]);
        wd_baseline_error error = wd_baseline_learn(memory, length, x, settings.n_features, &needed);
        require(error == WD_BASELINE_OK || error == WD_BASELINE_ERROR_NUMBER);
    }
    if (needed == 0) {
        uint8_t *stored = malloc(kept);
        memcpy(stored, memory, kept);
        require(wd_baseline_check(&settings, stored, kept) == WD_BASELINE_OK);
        fill(x, settings.n_features, data, size, data[2]);
        wd_baseline_error error = judge(stored, kept, x, settings.n_features);
        require(error == WD_BASELINE_OK || error == WD_BASELINE_ERROR_NUMBER);
        free(stored);
    }
    free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *memory = malloc(size ? size : 1);
    memcpy(memory, data, size);
    use(memory, size);
    if (size >= sizeof(wd_baseline_header)) {
        use_fixed(data, size, 0);
        use_fixed(data, size, 1);
    }
    if (size >= 8) {
        learn(data, size);
    }
    free(memory);
    return 0;
}
