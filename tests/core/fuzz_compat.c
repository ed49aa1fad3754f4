// libFuzzer target: any bytes as rows, labels, samples and coefficients of the modules for users of
// emlearn-micropython. The first byte says which; arrays have just the size that the header asks for.

#include <stdlib.h>
#include <string.h>

#include "wd_compat.h"

typedef struct {
    const uint8_t *at;
    size_t left;
} input;

static void require(int condition) {
    if (!condition) {
        abort();
    }
}

static void take(input *in, void *to, size_t size) {
    size_t n = size < in->left ? size : in->left;
    memset(to, 0, size);
    if (n) {
        memcpy(to, in->at, n);
    }
    in->at += n;
    in->left -= n;
}

static uint32_t number(input *in, uint32_t low, uint32_t high) {
    uint16_t n;
    take(in, &n, sizeof(n));
    return low + n % (high - low + 1);
}

static void *array(input *in, size_t n, size_t size) {
    void *made = malloc(n * size ? n * size : 1); // of that size, for ASan
    take(in, made, n * size);
    return made;
}

static void neighbors(input *in) {
    wd_neighbors self = { 0 };
    self.n_items = number(in, 1, 12);
    self.max_items = self.n_items + number(in, 0, 2);
    self.n_features = number(in, 1, 5);
    self.k = number(in, 1, self.n_items);
    int16_t *x = array(in, self.n_features, sizeof(int16_t));
    self.rows = array(in, self.max_items * self.n_features, sizeof(int16_t));
    self.labels = array(in, self.max_items, sizeof(int16_t));
    self.squares = malloc(self.max_items * sizeof(uint64_t));
    self.order = malloc(self.max_items * sizeof(uint16_t));
    wd_neighbors_rank(&self, x);
    require(self.n_ranked == self.n_items);
    uint32_t seen = 0;
    for (uint32_t i = 0; i < self.n_items; i++) {
        uint64_t sum = 0;
        require(self.order[i] < self.n_items);
        for (uint32_t f = 0; f < self.n_features; f++) {
            int64_t away = (int64_t)self.rows[self.order[i] * self.n_features + f] - x[f];
            sum += (uint64_t)(away * away);
        }
        require(sum == self.squares[i]);
        require(i == 0 || self.squares[i - 1] < sum || (self.squares[i - 1] == sum && self.order[i - 1] < self.order[i]));
        seen |= 1u << self.order[i];
        uint64_t root = wd_integer_sqrt(sum);
        require(root * root <= sum && sum < (root + 1) * (root + 1));
    }
    require(seen == (1u << self.n_items) - 1);
    int32_t vote = wd_neighbors_vote(&self);
    int is_a_label = 0;
    for (uint32_t i = 0; i < self.k; i++) {
        is_a_label |= self.labels[self.order[i]] == vote;
    }
    require(is_a_label);
    free(x);
    free(self.rows);
    free(self.labels);
    free(self.squares);
    free(self.order);
}

static void linreg(input *in) {
    wd_linreg self = { 0 };
    uint32_t n = number(in, 1, 6);
    self.n_features = number(in, 1, 5);
    take(in, &self.alpha, 4 * sizeof(float)); // alpha to bias
    self.weights = array(in, self.n_features, sizeof(float));
    self.gradients = malloc(self.n_features * sizeof(float));
    float *rows = array(in, n * self.n_features, sizeof(float));
    float *y = array(in, n, sizeof(float));
    for (int i = 0; i < 3; i++) {
        wd_linreg_step(&self, rows, y, n);
    }
    float error = wd_linreg_mse(&self, rows, y, n);
    require(!(error < 0.0f));
    free(self.weights);
    free(self.gradients);
    free(rows);
    free(y);
}

static void fft(input *in) {
    uint32_t n = 2u << number(in, 0, 5);
    float *sines = malloc(n / 2 * sizeof(float)), *cosines = malloc(n / 2 * sizeof(float));
    float *re = array(in, n, sizeof(float)), *im = array(in, n, sizeof(float));
    wd_complex_fft_tables(n, sines, cosines);
    wd_complex_fft(n, sines, cosines, re, im);
    free(sines);
    free(cosines);
    free(re);
    free(im);
}

static void sections(input *in) {
    size_t n_sections = number(in, 0, 4), n = number(in, 0, 20);
    float *coefficients = array(in, n_sections * WD_SECTION_COEFFICIENTS, sizeof(float));
    float *states = array(in, n_sections * WD_SECTION_STATES, sizeof(float));
    float *values = array(in, n, sizeof(float));
    wd_sections(n_sections, coefficients, states, values, n);
    free(coefficients);
    free(states);
    free(values);
}

static void linear_map(input *in) {
    wd_linear map;
    float x;
    take(in, &map, sizeof(map));
    take(in, &x, sizeof(x));
    if (wd_is_nan(map.out_min) || wd_is_nan(map.out_max) || map.in_min == map.in_max || wd_is_nan(x)) {
        return;
    }
    float y = wd_linear_map(&map, x);
    float low = map.out_min < map.out_max ? map.out_min : map.out_max;
    float high = map.out_min < map.out_max ? map.out_max : map.out_min;
    require(y >= low && y <= high);
    int16_t whole = wd_to_int16(y);
    float away = y - (float)whole;
    require(whole == INT16_MAX || whole == INT16_MIN || (away > -1.0f && away < 1.0f));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static void (*const tried[])(input *) = { neighbors, linreg, fft, sections, linear_map };
    if (size > 0) {
        input in = { data + 1, size - 1 };
        tried[data[0] % 5](&in);
    }
    return 0;
}
