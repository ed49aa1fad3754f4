#include "wd_stream.h"

#include "wd_features.h"
#include "wd_filter.h"

static size_t work_floats(const wd_recipe *r) {
    return (size_t)r->work_lanes * WD_LANES;
}

size_t wd_stream_floats(const wd_recipe *r) {
    return r->state_floats + r->n_coefficients + r->table_floats + work_floats(r)
           + (size_t)r->length * r->n_recorded;
}

void wd_stream_open(wd_stream *s, const wd_recipe *r, float *memory) {
    s->recipe = r;
    s->state = memory;
    s->coefficients = s->state + r->state_floats;
    s->tables = s->coefficients + r->n_coefficients;
    s->work = s->tables + r->table_floats;
    s->window = s->work + work_floats(r);
    wd_filter_prepare(r, s->coefficients);
    wd_features_prepare(r, s->tables);
    wd_stream_reset(s);
}

void wd_stream_reset(wd_stream *s) {
    wd_filter_start(s->recipe, s->state);
    s->filled = s->skip = 0;
}

// Keep what the next window shares with the one that is complete.
static void move_on(wd_stream *s) {
    uint32_t length = s->recipe->length, hop = s->recipe->hop, n = s->recipe->n_recorded;
    s->filled = hop < length ? length - hop : 0;
    s->skip = hop > length ? hop - length : 0;
    for (uint32_t i = 0, from = hop * n; i < s->filled * n; i++, from++) {
        s->window[i] = s->window[from];
    }
}

bool wd_stream_push(wd_stream *s, float *sample) {
    if (s->filled == s->recipe->length) {
        move_on(s);
    }
    wd_filter(s->recipe, s->coefficients, s->state, sample);
    if (s->skip > 0) {
        s->skip--;
        return false;
    }
    uint32_t n = s->recipe->n_recorded;
    float *to = s->window + s->filled * n;
    for (uint32_t i = 0; i < n; i++) {
        to[i] = sample[i];
    }
    s->filled++;
    return s->filled == s->recipe->length;
}

void wd_stream_extract(const wd_stream *s, float *out) {
    const float *window[WD_LANES];
    wd_out to;
    for (uint32_t i = 0; i < WD_LANES; i++) {
        window[i] = s->window;
        to.to[i] = out;
    }
    wd_extract(s->recipe, window, s->tables, (wd_lane *)s->work, to);
}
