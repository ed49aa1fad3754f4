#include "wd_fft.h"

#include "wd_mathf.h"

// table[2k] = cos, table[2k+1] = sin of 2 pi k / n, for k = 0..n/2-1.
void wd_fft_table(uint32_t n, float *table) {
    for (uint32_t k = 0; k < n / 2; k++) {
        wd_turn(k, n, &table[2 * k + 1], &table[2 * k]);
    }
}

static void swap_to_reversed_order(uint32_t m, wd_lane *x) {
    uint32_t j = 0;
    for (uint32_t i = 1; i < m; i++) {
        uint32_t bit = m >> 1;
        for (; j & bit; bit >>= 1) {
            j ^= bit;
        }
        j ^= bit;
        if (i < j) {
            wd_lane re = x[2 * i], im = x[2 * i + 1];
            x[2 * i] = x[2 * j];
            x[2 * i + 1] = x[2 * j + 1];
            x[2 * j] = re;
            x[2 * j + 1] = im;
        }
    }
}

// Transform m complex values; the table is that of 2 m samples.
static void transform(uint32_t m, const float *table, wd_lane *x) {
    swap_to_reversed_order(m, x);
    for (uint32_t half = 1; half < m; half *= 2) {
        uint32_t step = 2 * (m / half); // in floats of the table
        for (uint32_t start = 0; start < m; start += 2 * half) {
            wd_lane *a = x + 2 * start, *b = a + 2 * half;
            const float *w = table;
            for (uint32_t k = 0; k < half; k++, a += 2, b += 2, w += step) {
                wd_lane re = b[0] * w[0] + b[1] * w[1];
                wd_lane im = b[1] * w[0] - b[0] * w[1];
                b[0] = a[0] - re;
                b[1] = a[1] - im;
                a[0] += re;
                a[1] += im;
            }
        }
    }
}

void wd_fft_real(uint32_t n, const float *table, wd_lane *x) {
    uint32_t m = n / 2;
    transform(m, table, x);
    wd_lane first = x[0], last = x[1];
    x[0] = first + last;
    x[1] = first - last;
    for (uint32_t k = 1; k <= m / 2; k++) {
        wd_lane *a = x + 2 * k, *b = x + 2 * (m - k);
        wd_lane even_re = 0.5f * (a[0] + b[0]), even_im = 0.5f * (a[1] - b[1]);
        wd_lane odd_re = 0.5f * (a[1] + b[1]), odd_im = 0.5f * (b[0] - a[0]);
        const float *w = table + 2 * k;
        wd_lane re = odd_re * w[0] + odd_im * w[1];
        wd_lane im = odd_im * w[0] - odd_re * w[1];
        a[0] = even_re + re;
        a[1] = even_im + im;
        b[0] = even_re - re;
        b[1] = im - even_im;
    }
}
