#include "wd_filter.h"

#include "wd_mathf.h"

#define TINY 1e-30f

void wd_filter_prepare(const wd_recipe *r, float *out) {
    const uint8_t *p = r->steps;
    for (int i = 0; i < r->n_steps; i++) {
        wd_step step;
        p = wd_step_next(p, &step);
        if (step.kind == WD_STEP_FILTER) {
            for (int at = 4; at < step.size; at += 4) {
                *out++ = wd_read_f32(step.payload + at);
            }
        }
    }
}

void wd_filter_start(const wd_recipe *r, float *state) {
    if (r->n_coefficients > 0) {
        state[0] = 0.0f;
    }
}

// The state after a constant input x.
static void settle(const float *c, float x, float *state) {
    float y = (c[0] + c[1] + c[2]) / (1.0f + c[3] + c[4]) * x;
    state[1] = c[2] * x - c[4] * y;
    state[0] = c[1] * x - c[3] * y + state[1];
}

static float without_tiny(float x) {
    return wd_abs(x) < TINY ? 0.0f : x;
}

static float section(const float *c, float x, float *state) {
    float y = c[0] * x + state[0];
    state[0] = without_tiny(c[1] * x - c[3] * y + state[1]);
    state[1] = without_tiny(c[2] * x - c[4] * y);
    return y;
}

// Run one step's sections over one channel. Returns the state's end.
static float *cascade(const float *c, uint32_t n, bool first, float *state, float *x) {
    for (uint32_t i = 0; i < n; i++, c += 5, state += 2) {
        if (first) {
            settle(c, *x, state);
        }
        *x = section(c, *x, state);
    }
    return state;
}

void wd_filter(const wd_recipe *r, const float *coefficients, float *state, float *sample) {
    if (r->n_coefficients == 0) {
        return;
    }
    bool first = !(state[0] > 0.0f), finite = true;
    float *at = state + 1;
    const uint8_t *p = r->steps;
    for (int i = 0; i < r->n_steps; i++) {
        wd_step step;
        p = wd_step_next(p, &step);
        if (step.kind != WD_STEP_FILTER) {
            continue;
        }
        uint32_t mask = wd_read_u16(step.payload), n = step.payload[2];
        for (uint32_t channel = 0; channel < r->n_recorded; channel++) {
            if (mask & (1u << channel)) {
                at = cascade(coefficients, n, first, at, &sample[channel]);
                finite = finite && wd_is_finite(sample[channel]);
            }
        }
        coefficients += 5 * n;
    }
    state[0] = finite ? 1.0f : 0.0f;
}
