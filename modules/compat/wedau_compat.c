// wedau_compat: what the modules emlearn_*.py beside it need in C. A native module only.
//
//   neighbors(max_items, features, k_neighbors) -> predict, additem, getitem, getresult
//   linreg(features, alpha, l1_ratio, learning_rate) -> predict, step, score_mse, get_weights,
//       set_weights, get_bias, set_bias, get_n_features
//   FFT(length) -> run, fill; fill(fft, length) fills the tables by itself
//   iir(coefficients) -> run
//   linear_map(inputs, outputs, in_min, in_max, out_min, out_max)
//   check(array, is_float, length): whether it is such an array of 'f', or of 'h'
//
// The arguments are those of emlearn-micropython's documentation. An array of another type or length,
// a number out of its range and a call out of turn raise ValueError; what is no array or number at
// all, TypeError. Only the constructors, getresult and the return of a float allocate.

#include "py/dynruntime.h"

#include "wd_compat.h"

static void raise_value_error(const char *text) {
    mp_raise_ValueError(text);
}

// Return an integer from low to high, which are small. mp_obj_get_int cuts large ones off.
static mp_int_t integer(mp_obj_t object, mp_int_t low, mp_int_t high) {
    mp_int_t value = mp_obj_get_int(object);
    bool is_small = mp_obj_is_small_int(object) || object == mp_const_true || object == mp_const_false;
    if (!is_small || value < low || value > high) {
        raise_value_error("a number is out of its range");
    }
    return value;
}

static float finite_number(mp_obj_t object) {
    float value = mp_obj_get_float_to_f(object);
    if (!wd_is_finite(value)) {
        raise_value_error("a number is infinite or NaN");
    }
    return value;
}

// Return the items of an array of a type; *n becomes their number.
static void *items(mp_obj_t object, char type, mp_uint_t flags, size_t *n) {
    mp_buffer_info_t array;
    mp_get_buffer_raise(object, &array, flags);
    if (array.typecode != type) {
        raise_value_error(type == 'f' ? "need an array of 'f'" : "need an array of 'h'");
    }
    *n = array.len / (type == 'f' ? sizeof(float) : sizeof(int16_t));
    return array.buf;
}

// The same, of just this many items.
static void *n_items(mp_obj_t object, char type, mp_uint_t flags, size_t n) {
    size_t given;
    void *array = items(object, type, flags, &given);
    if (given != n) {
        raise_value_error("an array has the wrong length");
    }
    return array;
}

// Allocate n items, n not 0.
static void *allocate(size_t n, size_t size) {
    if (n > (size_t)-1 / 2 / size) {
        raise_value_error("more than the memory can hold");
    }
    return m_malloc(n * size);
}

static void clear(float *x, size_t n) {
    for (size_t i = 0; i < n; i++) {
        x[i] = 0.0f;
    }
}

typedef struct {
    qstr name;
    mp_obj_t function;
} method;

static void look_up(const method *methods, size_t n, mp_obj_t self, qstr name, mp_obj_t *dest) {
    if (dest[0] != MP_OBJ_NULL) {
        return; // nothing can be stored
    }
    for (size_t i = 0; i < n; i++) {
        if (methods[i].name == name) {
            dest[0] = methods[i].function;
            dest[1] = self;
        }
    }
}

#define LOOK_UP(methods, self, name, dest) look_up(methods, sizeof(methods) / sizeof(*methods), self, name, dest)

mp_obj_full_type_t neighbors_type; // not static: MicroPython's linker takes it on every architecture
mp_obj_full_type_t linreg_type;
mp_obj_full_type_t fft_type;
mp_obj_full_type_t iir_type;

typedef struct {
    mp_obj_base_t base;
    wd_neighbors model;
} neighbors_obj;

static mp_obj_t neighbors_new(mp_obj_t max_items, mp_obj_t features, mp_obj_t k) {
    uint32_t n = (uint32_t)integer(max_items, 1, WD_NEIGHBORS_MAX_ITEMS);
    uint32_t n_features = (uint32_t)integer(features, 1, WD_NEIGHBORS_MAX_FEATURES);
    uint32_t n_nearest = (uint32_t)integer(k, 1, (mp_int_t)n);
    neighbors_obj *self = mp_obj_malloc(neighbors_obj, (const mp_obj_type_t *)&neighbors_type);
    wd_neighbors *m = &self->model;
    *m = (wd_neighbors) { .max_items = n, .n_features = n_features, .k = n_nearest };
    m->rows = allocate((size_t)n * n_features, sizeof(int16_t)); // below 2^30
    m->labels = allocate(n, sizeof(int16_t));
    m->squares = allocate(n, sizeof(uint64_t));
    m->order = allocate(n, sizeof(uint16_t));
    return MP_OBJ_FROM_PTR(self);
}
static MP_DEFINE_CONST_FUN_OBJ_3(neighbors_new_obj, neighbors_new);

static void copy_row(int16_t *to, const int16_t *from, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        to[i] = from[i];
    }
}

static mp_obj_t neighbors_additem(mp_obj_t self_in, mp_obj_t values, mp_obj_t label) {
    wd_neighbors *m = &((neighbors_obj *)MP_OBJ_TO_PTR(self_in))->model;
    const int16_t *row = n_items(values, 'h', MP_BUFFER_READ, m->n_features);
    mp_int_t name = integer(label, 0, WD_NEIGHBORS_MAX_LABEL);
    if (m->n_items == m->max_items) {
        raise_value_error("the model is full: max_items");
    }
    copy_row(m->rows + (size_t)m->n_items * m->n_features, row, m->n_features);
    m->labels[m->n_items] = (int16_t)name;
    return MP_OBJ_NEW_SMALL_INT(m->n_items++);
}
static MP_DEFINE_CONST_FUN_OBJ_3(neighbors_additem_obj, neighbors_additem);

static mp_obj_t neighbors_getitem(mp_obj_t self_in, mp_obj_t item, mp_obj_t out) {
    const wd_neighbors *m = &((neighbors_obj *)MP_OBJ_TO_PTR(self_in))->model;
    size_t index = (size_t)integer(item, 0, (mp_int_t)m->n_items - 1);
    int16_t *row = n_items(out, 'h', MP_BUFFER_WRITE, m->n_features);
    copy_row(row, m->rows + index * m->n_features, m->n_features);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_3(neighbors_getitem_obj, neighbors_getitem);

static mp_obj_t neighbors_predict(mp_obj_t self_in, mp_obj_t x) {
    wd_neighbors *m = &((neighbors_obj *)MP_OBJ_TO_PTR(self_in))->model;
    const int16_t *row = n_items(x, 'h', MP_BUFFER_READ, m->n_features);
    if (m->n_items < m->k) {
        raise_value_error("the model has fewer items than k_neighbors");
    }
    wd_neighbors_rank(m, row);
    return MP_OBJ_NEW_SMALL_INT(wd_neighbors_vote(m));
}
static MP_DEFINE_CONST_FUN_OBJ_2(neighbors_predict_obj, neighbors_predict);

static mp_obj_t neighbors_getresult(mp_obj_t self_in, mp_obj_t rank) {
    const wd_neighbors *m = &((neighbors_obj *)MP_OBJ_TO_PTR(self_in))->model;
    mp_int_t i = integer(rank, 0, (mp_int_t)m->n_ranked - 1);
    mp_obj_t result[] = {
        MP_OBJ_NEW_SMALL_INT(m->order[i]),
        MP_OBJ_NEW_SMALL_INT(wd_integer_sqrt(m->squares[i])), // below 2^24
        MP_OBJ_NEW_SMALL_INT(m->labels[m->order[i]]),
    };
    return mp_obj_new_tuple(3, result);
}
static MP_DEFINE_CONST_FUN_OBJ_2(neighbors_getresult_obj, neighbors_getresult);

static void neighbors_attr(mp_obj_t self, qstr name, mp_obj_t *dest) {
    const method methods[] = {
        { MP_QSTR_predict, MP_OBJ_FROM_PTR(&neighbors_predict_obj) },
        { MP_QSTR_additem, MP_OBJ_FROM_PTR(&neighbors_additem_obj) },
        { MP_QSTR_getitem, MP_OBJ_FROM_PTR(&neighbors_getitem_obj) },
        { MP_QSTR_getresult, MP_OBJ_FROM_PTR(&neighbors_getresult_obj) },
    };
    LOOK_UP(methods, self, name, dest);
}

typedef struct {
    mp_obj_base_t base;
    wd_linreg model;
} linreg_obj;

static mp_obj_t linreg_new(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    uint32_t n = (uint32_t)integer(args[0], 1, WD_LINREG_MAX_FEATURES);
    float alpha = finite_number(args[1]), l1_ratio = finite_number(args[2]), learning_rate = finite_number(args[3]);
    if (alpha < 0.0f || l1_ratio < 0.0f || l1_ratio > 1.0f || !(learning_rate > 0.0f)) {
        raise_value_error("need alpha >= 0, l1_ratio from 0 to 1, learning_rate > 0");
    }
    linreg_obj *self = mp_obj_malloc(linreg_obj, (const mp_obj_type_t *)&linreg_type);
    wd_linreg *m = &self->model;
    *m = (wd_linreg) { .n_features = n, .alpha = alpha, .l1_ratio = l1_ratio, .learning_rate = learning_rate };
    m->weights = allocate(n, sizeof(float));
    m->gradients = allocate(n, sizeof(float));
    clear(m->weights, n);
    return MP_OBJ_FROM_PTR(self);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(linreg_new_obj, 4, 4, linreg_new);

static wd_linreg *linreg_model(mp_obj_t self_in) {
    return &((linreg_obj *)MP_OBJ_TO_PTR(self_in))->model;
}

// Return the rows and targets that belong together, and their number, which is not 0.
static const float *training(const wd_linreg *m, mp_obj_t rows_in, mp_obj_t y_in, const float **y, uint32_t *n) {
    size_t n_rows, n_y;
    const float *rows = items(rows_in, 'f', MP_BUFFER_READ, &n_rows);
    *y = items(y_in, 'f', MP_BUFFER_READ, &n_y);
    if (n_y == 0 || n_rows % m->n_features != 0 || n_rows / m->n_features != n_y) {
        raise_value_error("X must hold n_features numbers for each of y, and y at least one");
    }
    *n = (uint32_t)n_y;
    return rows;
}

static mp_obj_t linreg_step(mp_obj_t self_in, mp_obj_t rows_in, mp_obj_t y_in) {
    const float *y;
    uint32_t n;
    const float *rows = training(linreg_model(self_in), rows_in, y_in, &y, &n);
    wd_linreg_step(linreg_model(self_in), rows, y, n);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_3(linreg_step_obj, linreg_step);

static mp_obj_t linreg_score_mse(mp_obj_t self_in, mp_obj_t rows_in, mp_obj_t y_in) {
    const float *y;
    uint32_t n;
    const float *rows = training(linreg_model(self_in), rows_in, y_in, &y, &n);
    return mp_obj_new_float_from_f(wd_linreg_mse(linreg_model(self_in), rows, y, n));
}
static MP_DEFINE_CONST_FUN_OBJ_3(linreg_score_mse_obj, linreg_score_mse);

static mp_obj_t linreg_predict(mp_obj_t self_in, mp_obj_t x) {
    const wd_linreg *m = linreg_model(self_in);
    return mp_obj_new_float_from_f(wd_linreg_predict(m, n_items(x, 'f', MP_BUFFER_READ, m->n_features)));
}
static MP_DEFINE_CONST_FUN_OBJ_2(linreg_predict_obj, linreg_predict);

static void copy_floats(float *to, const float *from, size_t n) {
    for (size_t i = 0; i < n; i++) {
        to[i] = from[i];
    }
}

static mp_obj_t linreg_get_weights(mp_obj_t self_in, mp_obj_t out) {
    const wd_linreg *m = linreg_model(self_in);
    copy_floats(n_items(out, 'f', MP_BUFFER_WRITE, m->n_features), m->weights, m->n_features);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(linreg_get_weights_obj, linreg_get_weights);

static mp_obj_t linreg_set_weights(mp_obj_t self_in, mp_obj_t weights) {
    wd_linreg *m = linreg_model(self_in);
    copy_floats(m->weights, n_items(weights, 'f', MP_BUFFER_READ, m->n_features), m->n_features);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(linreg_set_weights_obj, linreg_set_weights);

static mp_obj_t linreg_get_bias(mp_obj_t self_in) {
    return mp_obj_new_float_from_f(linreg_model(self_in)->bias);
}
static MP_DEFINE_CONST_FUN_OBJ_1(linreg_get_bias_obj, linreg_get_bias);

static mp_obj_t linreg_set_bias(mp_obj_t self_in, mp_obj_t bias) {
    linreg_model(self_in)->bias = mp_obj_get_float_to_f(bias);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(linreg_set_bias_obj, linreg_set_bias);

static mp_obj_t linreg_get_n_features(mp_obj_t self_in) {
    return MP_OBJ_NEW_SMALL_INT(linreg_model(self_in)->n_features);
}
static MP_DEFINE_CONST_FUN_OBJ_1(linreg_get_n_features_obj, linreg_get_n_features);

static void linreg_attr(mp_obj_t self, qstr name, mp_obj_t *dest) {
    const method methods[] = {
        { MP_QSTR_predict, MP_OBJ_FROM_PTR(&linreg_predict_obj) },
        { MP_QSTR_step, MP_OBJ_FROM_PTR(&linreg_step_obj) },
        { MP_QSTR_score_mse, MP_OBJ_FROM_PTR(&linreg_score_mse_obj) },
        { MP_QSTR_get_weights, MP_OBJ_FROM_PTR(&linreg_get_weights_obj) },
        { MP_QSTR_set_weights, MP_OBJ_FROM_PTR(&linreg_set_weights_obj) },
        { MP_QSTR_get_bias, MP_OBJ_FROM_PTR(&linreg_get_bias_obj) },
        { MP_QSTR_set_bias, MP_OBJ_FROM_PTR(&linreg_set_bias_obj) },
        { MP_QSTR_get_n_features, MP_OBJ_FROM_PTR(&linreg_get_n_features_obj) },
    };
    LOOK_UP(methods, self, name, dest);
}

typedef struct {
    mp_obj_base_t base;
    uint32_t length;
    float *sines; // length / 2
    float *cosines;
    bool is_filled;
} fft_obj;

static mp_obj_t fft_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, 1, false);
    uint32_t n = (uint32_t)integer(args[0], 2, WD_COMPLEX_FFT_MAX);
    if (n & (n - 1)) {
        raise_value_error("the length must be a power of two");
    }
    fft_obj *self = mp_obj_malloc(fft_obj, type);
    self->length = n;
    self->is_filled = false;
    self->sines = NULL;
    self->cosines = NULL;
    self->sines = allocate(n / 2, sizeof(float));
    self->cosines = allocate(n / 2, sizeof(float));
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t fft_fill(mp_obj_t self_in, mp_obj_t sines, mp_obj_t cosines) {
    fft_obj *self = MP_OBJ_TO_PTR(self_in);
    const float *s = n_items(sines, 'f', MP_BUFFER_READ, self->length / 2);
    const float *c = n_items(cosines, 'f', MP_BUFFER_READ, self->length / 2);
    copy_floats(self->sines, s, self->length / 2);
    copy_floats(self->cosines, c, self->length / 2);
    self->is_filled = true;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_3(fft_fill_obj, fft_fill);

static mp_obj_t fft_run(mp_obj_t self_in, mp_obj_t real, mp_obj_t imag) {
    const fft_obj *self = MP_OBJ_TO_PTR(self_in);
    float *re = n_items(real, 'f', MP_BUFFER_RW, self->length);
    float *im = n_items(imag, 'f', MP_BUFFER_RW, self->length);
    if (!self->is_filled) {
        raise_value_error("call fill() first");
    }
    wd_complex_fft(self->length, self->sines, self->cosines, re, im);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_3(fft_run_obj, fft_run);

static void fft_attr(mp_obj_t self, qstr name, mp_obj_t *dest) {
    const method methods[] = {
        { MP_QSTR_run, MP_OBJ_FROM_PTR(&fft_run_obj) },
        { MP_QSTR_fill, MP_OBJ_FROM_PTR(&fft_fill_obj) },
    };
    LOOK_UP(methods, self, name, dest);
}

static mp_obj_t fill(mp_obj_t fft, mp_obj_t length) {
    if (mp_obj_get_type(fft) != (const mp_obj_type_t *)&fft_type) {
        mp_raise_TypeError("need an FFT");
    }
    fft_obj *self = MP_OBJ_TO_PTR(fft);
    if ((uint32_t)integer(length, 2, WD_COMPLEX_FFT_MAX) != self->length) {
        raise_value_error("the length is not that of the FFT");
    }
    wd_complex_fft_tables(self->length, self->sines, self->cosines);
    self->is_filled = true;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(fill_obj, fill);

typedef struct {
    mp_obj_base_t base;
    size_t n_sections;
    float *coefficients;
    float *states;
} iir_obj;

static void check_sections(const float *c, size_t n) {
    if (n == 0 || n % WD_SECTION_COEFFICIENTS != 0) {
        raise_value_error("need 6 coefficients for each section");
    }
    for (size_t i = 0; i < n; i++) {
        if (!wd_is_finite(c[i]) || (i % WD_SECTION_COEFFICIENTS == 3 && c[i] != 1.0f)) {
            raise_value_error("a coefficient is infinite or NaN, or a0 is not 1");
        }
    }
}

static mp_obj_t iir_new(mp_obj_t coefficients) {
    size_t n;
    const float *c = items(coefficients, 'f', MP_BUFFER_READ, &n);
    check_sections(c, n);
    iir_obj *self = mp_obj_malloc(iir_obj, (const mp_obj_type_t *)&iir_type);
    self->n_sections = n / WD_SECTION_COEFFICIENTS;
    self->states = NULL;
    self->coefficients = NULL;
    self->coefficients = allocate(n, sizeof(float));
    self->states = allocate(self->n_sections * WD_SECTION_STATES, sizeof(float));
    copy_floats(self->coefficients, c, n);
    clear(self->states, self->n_sections * WD_SECTION_STATES);
    return MP_OBJ_FROM_PTR(self);
}
static MP_DEFINE_CONST_FUN_OBJ_1(iir_new_obj, iir_new);

static mp_obj_t iir_run(mp_obj_t self_in, mp_obj_t values) {
    const iir_obj *self = MP_OBJ_TO_PTR(self_in);
    size_t n;
    float *x = items(values, 'f', MP_BUFFER_RW, &n);
    wd_sections(self->n_sections, self->coefficients, self->states, x, n);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(iir_run_obj, iir_run);

static void iir_attr(mp_obj_t self, qstr name, mp_obj_t *dest) {
    const method methods[] = {
        { MP_QSTR_run, MP_OBJ_FROM_PTR(&iir_run_obj) },
    };
    LOOK_UP(methods, self, name, dest);
}

static void read_map(const mp_obj_t *args, wd_linear *map) {
    map->in_min = finite_number(args[0]);
    map->in_max = finite_number(args[1]);
    map->out_min = finite_number(args[2]);
    map->out_max = finite_number(args[3]);
    if (map->in_min == map->in_max) {
        raise_value_error("in_min and in_max are the same");
    }
}

static void map_to_int16(const wd_linear *map, const float *in, int16_t *out, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (wd_is_nan(in[i])) {
            raise_value_error("inputs holds NaN");
        }
    }
    for (size_t i = 0; i < n; i++) {
        out[i] = wd_to_int16(wd_linear_map(map, in[i]));
    }
}

static mp_obj_t linear_map(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    mp_buffer_info_t in;
    wd_linear map;
    size_t n;
    mp_get_buffer_raise(args[0], &in, MP_BUFFER_READ);
    read_map(args + 2, &map);
    if (in.typecode == 'f') {
        const float *x = items(args[0], 'f', MP_BUFFER_READ, &n);
        map_to_int16(&map, x, n_items(args[1], 'h', MP_BUFFER_WRITE, n), n);
        return mp_const_none;
    }
    const int16_t *x = items(args[0], 'h', MP_BUFFER_READ, &n);
    float *out = n_items(args[1], 'f', MP_BUFFER_WRITE, n);
    for (size_t i = 0; i < n; i++) {
        out[i] = wd_linear_map(&map, (float)x[i]);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(linear_map_obj, 6, 6, linear_map);

static mp_obj_t check(mp_obj_t array, mp_obj_t is_float, mp_obj_t length) {
    n_items(array, is_float == mp_const_true ? 'f' : 'h', MP_BUFFER_READ, (size_t)mp_obj_get_int(length));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_3(check_obj, check);

static void type(mp_obj_full_type_t *type, qstr name, void (*attr)(mp_obj_t, qstr, mp_obj_t *)) {
    type->base.type = &mp_type_type;
    type->name = (uint16_t)name;
    MP_OBJ_TYPE_SET_SLOT(type, attr, attr, 0);
}

mp_obj_t mpy_init(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args) {
    MP_DYNRUNTIME_INIT_ENTRY
    type(&neighbors_type, MP_QSTR_Neighbors, neighbors_attr);
    type(&linreg_type, MP_QSTR_LinReg, linreg_attr);
    type(&fft_type, MP_QSTR_FFT, fft_attr);
    type(&iir_type, MP_QSTR_IIR, iir_attr);
    MP_OBJ_TYPE_SET_SLOT(&fft_type, make_new, fft_make_new, 1);
    mp_store_global(MP_QSTR_neighbors, MP_OBJ_FROM_PTR(&neighbors_new_obj));
    mp_store_global(MP_QSTR_linreg, MP_OBJ_FROM_PTR(&linreg_new_obj));
    mp_store_global(MP_QSTR_FFT, MP_OBJ_FROM_PTR(&fft_type));
    mp_store_global(MP_QSTR_fill, MP_OBJ_FROM_PTR(&fill_obj));
    mp_store_global(MP_QSTR_iir, MP_OBJ_FROM_PTR(&iir_new_obj));
    mp_store_global(MP_QSTR_linear_map, MP_OBJ_FROM_PTR(&linear_map_obj));
    mp_store_global(MP_QSTR_check, MP_OBJ_FROM_PTR(&check_obj));
    MP_DYNRUNTIME_INIT_EXIT
}
