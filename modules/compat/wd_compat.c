#include "wd_compat.h"

static uint64_t square_distance(const int16_t *a, const int16_t *b, uint32_t n) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        int32_t away = a[i] - b[i];
        uint32_t distance = (uint32_t)(away < 0 ? -away : away); // up to 65535
        sum += distance * distance;
    }
    return sum;
}

// Whether what lies at i ranks behind what lies at j.
static bool is_behind(const wd_neighbors *self, uint32_t i, uint32_t j) {
    if (self->squares[i] != self->squares[j]) {
        return self->squares[i] > self->squares[j];
    }
    return self->order[i] > self->order[j];
}

static void swap(wd_neighbors *self, uint32_t i, uint32_t j) {
    uint64_t square = self->squares[i];
    uint16_t index = self->order[i];
    self->squares[i] = self->squares[j];
    self->order[i] = self->order[j];
    self->squares[j] = square;
    self->order[j] = index;
}

// Let the item at root sink until no child of it ranks behind it.
static void sink(wd_neighbors *self, uint32_t root, uint32_t n) {
    for (;;) {
        uint32_t child = 2 * root + 1;
        if (child >= n) {
            return;
        }
        if (child + 1 < n && is_behind(self, child + 1, child)) {
            child++;
        }
        if (!is_behind(self, child, root)) {
            return;
        }
        swap(self, root, child);
        root = child;
    }
}

void wd_neighbors_rank(wd_neighbors *self, const int16_t *x) {
    uint32_t n = self->n_items;
    for (uint32_t i = 0; i < n; i++) {
        self->squares[i] = square_distance(self->rows + (size_t)i * self->n_features, x, self->n_features);
        self->order[i] = (uint16_t)i;
    }
    for (uint32_t i = n / 2; i > 0; i--) {
        sink(self, i - 1, n);
    }
    for (uint32_t end = n; end > 1; end--) {
        swap(self, 0, end - 1);
        sink(self, 0, end - 1);
    }
    self->n_ranked = n;
}

int32_t wd_neighbors_vote(const wd_neighbors *self) {
    int32_t best = -1;
    uint32_t best_votes = 0;
    for (uint32_t i = 0; i < self->k; i++) {
        int32_t label = self->labels[self->order[i]];
        uint32_t votes = 0;
        for (uint32_t j = 0; j < self->k; j++) {
            votes += self->labels[self->order[j]] == label;
        }
        if (votes > best_votes || (votes == best_votes && label < best)) {
            best = label;
            best_votes = votes;
        }
    }
    return best;
}

uint32_t wd_integer_sqrt(uint64_t x) {
    uint64_t root = 0;
    for (uint64_t bit = (uint64_t)1 << 62; bit > 0; bit >>= 2) {
        if (x >= root + bit) {
            x -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return (uint32_t)root;
}

float wd_linreg_predict(const wd_linreg *self, const float *x) {
    float sum = self->bias;
    for (uint32_t i = 0; i < self->n_features; i++) {
        sum += self->weights[i] * x[i];
    }
    return sum;
}

float wd_linreg_mse(const wd_linreg *self, const float *rows, const float *y, uint32_t n) {
    float sum = 0.0f;
    for (uint32_t i = 0; i < n; i++) {
        float error = y[i] - wd_linreg_predict(self, rows + (size_t)i * self->n_features);
        sum += error * error;
    }
    return sum / (float)n;
}

// Move x towards zero by step, but not beyond.
static float shrink(float x, float step) {
    if (x > step) {
        return x - step;
    }
    if (x < -step) {
        return x + step;
    }
    return wd_is_nan(x) ? x : 0.0f;
}

void wd_linreg_step(wd_linreg *self, const float *rows, const float *y, uint32_t n) {
    float bias_gradient = 0.0f;
    for (uint32_t j = 0; j < self->n_features; j++) {
        self->gradients[j] = 0.0f;
    }
    for (uint32_t i = 0; i < n; i++) {
        const float *row = rows + (size_t)i * self->n_features;
        float error = wd_linreg_predict(self, row) - y[i];
        bias_gradient += error;
        for (uint32_t j = 0; j < self->n_features; j++) {
            self->gradients[j] += error * row[j];
        }
    }
    float l1 = self->alpha * self->l1_ratio * self->learning_rate;
    float l2 = self->alpha * (1.0f - self->l1_ratio);
    for (uint32_t j = 0; j < self->n_features; j++) {
        float gradient = self->gradients[j] / (float)n + l2 * self->weights[j];
        self->weights[j] = shrink(self->weights[j] - self->learning_rate * gradient, l1);
    }
    self->bias -= self->learning_rate * (bias_gradient / (float)n);
}

void wd_complex_fft_tables(uint32_t n, float *sines, float *cosines) {
    for (uint32_t k = 0; k < n / 2; k++) {
        wd_turn(k, n, &sines[k], &cosines[k]);
    }
}

static void swap_floats(float *x, uint32_t i, uint32_t j) {
    float kept = x[i];
    x[i] = x[j];
    x[j] = kept;
}

// Put each value where its index read backwards in binary points.
static void reverse_order(uint32_t n, float *re, float *im) {
    uint32_t j = 0;
    for (uint32_t i = 1; i < n; i++) {
        uint32_t bit = n >> 1;
        for (; j & bit; bit >>= 1) {
            j ^= bit;
        }
        j ^= bit;
        if (i < j) {
            swap_floats(re, i, j);
            swap_floats(im, i, j);
        }
    }
}

void wd_complex_fft(uint32_t n, const float *sines, const float *cosines, float *re, float *im) {
    reverse_order(n, re, im);
    for (uint32_t half = 1; half < n; half *= 2) {
        uint32_t step = n / (2 * half);
        for (uint32_t start = 0; start < n; start += 2 * half) {
            for (uint32_t k = 0; k < half; k++) {
                uint32_t a = start + k, b = a + half;
                float c = cosines[k * step], s = sines[k * step];
                float turned_re = re[b] * c + im[b] * s, turned_im = im[b] * c - re[b] * s;
                re[b] = re[a] - turned_re;
                im[b] = im[a] - turned_im;
                re[a] += turned_re;
                im[a] += turned_im;
            }
        }
    }
}

void wd_sections(size_t n_sections, const float *coefficients, float *states, float *values, size_t n) {
    for (size_t s = 0; s < n_sections; s++) {
        const float *b = coefficients + s * WD_SECTION_COEFFICIENTS, *a = b + 3;
        float s1 = states[2 * s], s2 = states[2 * s + 1];
        for (size_t i = 0; i < n; i++) {
            float x = values[i], y = b[0] * x + s1;
            s1 = b[1] * x - a[1] * y + s2;
            s2 = b[2] * x - a[2] * y;
            values[i] = y;
        }
        states[2 * s] = s1;
        states[2 * s + 1] = s2;
    }
}

float wd_linear_map(const wd_linear *map, float x) {
    float low = map->out_min < map->out_max ? map->out_min : map->out_max;
    float high = map->out_min < map->out_max ? map->out_max : map->out_min;
    float span = map->out_max - map->out_min;
    float y = (x - map->in_min) * span / (map->in_max - map->in_min) + map->out_min;
    if (y > high) {
        return high;
    }
    return y > low ? y : low; // low, too, where it overflowed to NaN
}

int16_t wd_to_int16(float y) {
    if (y >= 32767.0f) {
        return 32767;
    }
    return y <= -32768.0f ? -32768 : (int16_t)y;
}
