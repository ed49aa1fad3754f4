// wedau_features: windows to features to the int16 grid, by the same C as on the host.
//
//   info(recipe) -> (channels, length, n_features, work_floats); the tuple is all that is allocated
//   extract(recipe, window, work, out): the features of a window that has been through the filters
//   quantize(x, scale, out)
//   stream(recipe, out) -> stream, which holds all the memory it needs
//   stream.push(sample) -> whether it completed a window, whose features are then in out
//   stream.reset(): the next sample is the first one
//
// recipe: bytes; window: array 'f' of length * channels, sample by sample; work: array 'f' of
// work_floats or more; out: array 'f' of n_features; quantize: x and scale array 'f', out array 'h',
// all of one length; sample: array 'f' or 'h', tuple or list of a number for each channel, or the number
// itself where there is one channel. A wrong type raises TypeError, a wrong length or content
// ValueError. extract, quantize, push and reset allocate nothing.

#ifdef MICROPY_ENABLE_DYNRUNTIME
#include "py/dynruntime.h"
#else
#include "py/obj.h"
#include "py/runtime.h"
#endif

#include "wd_features.h"
#include "wd_quantize.h"
#include "wd_stream.h"

static void raise_value_error(const char *text) {
#ifdef MICROPY_ENABLE_DYNRUNTIME
    mp_raise_ValueError(text);
#else
    mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("%s"), text);
#endif
}

static void check(wd_error error) {
    if (error != WD_OK) {
        raise_value_error(wd_error_text(error));
    }
}

static void parse(mp_obj_t recipe_in, wd_recipe *recipe) {
    mp_buffer_info_t bytes;
    mp_get_buffer_raise(recipe_in, &bytes, MP_BUFFER_READ);
    check(wd_recipe_parse(bytes.buf, bytes.len, recipe));
}

// Return the buffer of an array of 'f'; *n becomes its number of floats.
static float *floats(mp_obj_t array_in, mp_uint_t flags, size_t *n) {
    mp_buffer_info_t array;
    mp_get_buffer_raise(array_in, &array, flags);
    if (array.typecode != 'f') {
        mp_raise_TypeError(MP_ERROR_TEXT("need an array of 'f'"));
    }
    *n = array.len / sizeof(float);
    return array.buf;
}

static mp_obj_t features_info(mp_obj_t recipe_in) {
    wd_recipe r;
    parse(recipe_in, &r);
    mp_obj_t items[] = {
        MP_OBJ_NEW_SMALL_INT(r.n_recorded),
        MP_OBJ_NEW_SMALL_INT(r.length),
        MP_OBJ_NEW_SMALL_INT(r.n_features),
        MP_OBJ_NEW_SMALL_INT(r.table_floats + r.work_lanes),
    };
    return mp_obj_new_tuple(4, items);
}
static MP_DEFINE_CONST_FUN_OBJ_1(features_info_obj, features_info);

static mp_obj_t features_extract(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    wd_recipe r;
    size_t n_window, n_work, n_out;
    parse(args[0], &r);
    const float *window = floats(args[1], MP_BUFFER_READ, &n_window);
    float *work = floats(args[2], MP_BUFFER_WRITE, &n_work);
    float *out = floats(args[3], MP_BUFFER_WRITE, &n_out);
    if (n_window != (size_t)r.length * r.n_recorded) {
        raise_value_error("the window has the wrong length; see info()");
    }
    if (n_work < r.table_floats + r.work_lanes) {
        raise_value_error("work is too short; see info()");
    }
    if (n_out != r.n_features) {
        raise_value_error("out has the wrong length; see info()");
    }
    wd_features_prepare(&r, work);
    wd_extract(&r, &window, work, work + r.table_floats, (wd_out) { { out } });
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(features_extract_obj, 4, 4, features_extract);

static mp_obj_t features_quantize(mp_obj_t x_in, mp_obj_t scale_in, mp_obj_t out_in) {
    size_t n, n_scale;
    const float *x = floats(x_in, MP_BUFFER_READ, &n);
    const float *scale = floats(scale_in, MP_BUFFER_READ, &n_scale);
    mp_buffer_info_t out;
    mp_get_buffer_raise(out_in, &out, MP_BUFFER_WRITE);
    if (out.typecode != 'h') {
        mp_raise_TypeError(MP_ERROR_TEXT("out must be an array of 'h'"));
    }
    if (n_scale != n || out.len != n * sizeof(int16_t)) {
        raise_value_error("x, scale and out differ in length");
    }
    check(wd_quantize(x, scale, n, out.buf));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_3(features_quantize_obj, features_quantize);

typedef struct {
    mp_obj_base_t base;
    mp_obj_t bytes; // keeps what recipe points into
    mp_obj_t out;
    float *memory;
    wd_recipe recipe;
    wd_stream stream;
} stream_obj;

// The array that the features go to; its length is checked each time, as it may change.
static float *stream_out(const stream_obj *self) {
    size_t n;
    float *out = floats(self->out, MP_BUFFER_WRITE, &n);
    if (n != self->recipe.n_features) {
        raise_value_error("out has the wrong length; see info()");
    }
    return out;
}

static void read_numbers(mp_obj_t sample_in, float *sample, size_t n) {
    const mp_obj_t *items = &sample_in;
    size_t n_items = 1;
    if (n > 1 || mp_obj_get_type(sample_in) == &mp_type_tuple || mp_obj_get_type(sample_in) == &mp_type_list) {
        mp_obj_get_array(sample_in, &n_items, (mp_obj_t **)&items);
    }
    if (n_items != n) {
        raise_value_error("the sample has another number of channels than the recipe");
    }
    mp_obj_t kept[WD_MAX_CHANNELS]; // what an object does to become a float may change the list
    for (size_t i = 0; i < n; i++) {
        kept[i] = items[i];
    }
    for (size_t i = 0; i < n; i++) {
        sample[i] = mp_obj_get_float_to_f(kept[i]);
    }
}

static void read_array(const mp_buffer_info_t *array, float *sample, size_t n) {
    if (array->typecode != 'f' && array->typecode != 'h') {
        mp_raise_TypeError(MP_ERROR_TEXT("a sample must be an array of 'f' or 'h', or a tuple"));
    }
    bool is_float = array->typecode == 'f';
    if (array->len != n * (is_float ? sizeof(float) : sizeof(int16_t))) {
        raise_value_error("the sample has another number of channels than the recipe");
    }
    for (size_t i = 0; i < n; i++) {
        sample[i] = is_float ? ((const float *)array->buf)[i] : (float)((const int16_t *)array->buf)[i];
    }
}

static void read_sample(mp_obj_t sample_in, float *sample, size_t n) {
    mp_buffer_info_t array;
    if (mp_get_buffer(sample_in, &array, MP_BUFFER_READ)) {
        read_array(&array, sample, n);
    } else {
        read_numbers(sample_in, sample, n);
    }
    for (size_t i = 0; i < n; i++) {
        if (!wd_is_finite(sample[i])) {
            raise_value_error("a sample is infinite or not a number");
        }
    }
}

static mp_obj_t stream_push(mp_obj_t self_in, mp_obj_t sample_in) {
    stream_obj *self = MP_OBJ_TO_PTR(self_in);
    float sample[WD_MAX_CHANNELS];
    read_sample(sample_in, sample, self->recipe.n_recorded);
    if (!wd_stream_push(&self->stream, sample)) {
        return mp_const_false;
    }
    wd_stream_extract(&self->stream, stream_out(self));
    return mp_const_true;
}
static MP_DEFINE_CONST_FUN_OBJ_2(stream_push_obj, stream_push);

static mp_obj_t stream_reset(mp_obj_t self_in) {
    stream_obj *self = MP_OBJ_TO_PTR(self_in);
    wd_stream_reset(&self->stream);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(stream_reset_obj, stream_reset);

static void stream_attr(mp_obj_t self_in, qstr name, mp_obj_t *dest) {
    if (dest[0] != MP_OBJ_NULL) {
        return; // nothing can be stored
    }
    if (name == MP_QSTR_push) {
        dest[0] = MP_OBJ_FROM_PTR(&stream_push_obj);
        dest[1] = self_in;
    } else if (name == MP_QSTR_reset) {
        dest[0] = MP_OBJ_FROM_PTR(&stream_reset_obj);
        dest[1] = self_in;
    }
}

#ifdef MICROPY_ENABLE_DYNRUNTIME
mp_obj_full_type_t stream_type; // not static: MicroPython's linker takes it on every architecture
#define STREAM_TYPE ((const mp_obj_type_t *)&stream_type)
#else
static MP_DEFINE_CONST_OBJ_TYPE(stream_type, MP_QSTR_Stream, MP_TYPE_FLAG_NONE, attr, stream_attr);
#define STREAM_TYPE (&stream_type)
#endif

static mp_obj_t features_stream(mp_obj_t recipe_in, mp_obj_t out_in) {
    mp_buffer_info_t bytes;
    stream_obj *self = mp_obj_malloc(stream_obj, STREAM_TYPE);
    self->out = out_in;
    self->memory = NULL;
    mp_get_buffer_raise(recipe_in, &bytes, MP_BUFFER_READ);
    self->bytes = mp_obj_new_bytes(bytes.buf, bytes.len); // a copy, that nobody can change
    parse(self->bytes, &self->recipe);
    stream_out(self);
    self->memory = m_malloc(wd_stream_floats(&self->recipe) * sizeof(float));
    wd_stream_open(&self->stream, &self->recipe, self->memory);
    return MP_OBJ_FROM_PTR(self);
}
static MP_DEFINE_CONST_FUN_OBJ_2(features_stream_obj, features_stream);

#ifdef MICROPY_ENABLE_DYNRUNTIME

mp_obj_t mpy_init(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args) {
    MP_DYNRUNTIME_INIT_ENTRY
    stream_type.base.type = &mp_type_type;
    stream_type.name = MP_QSTR_Stream;
    MP_OBJ_TYPE_SET_SLOT(&stream_type, attr, stream_attr, 0);
    mp_store_global(MP_QSTR_info, MP_OBJ_FROM_PTR(&features_info_obj));
    mp_store_global(MP_QSTR_extract, MP_OBJ_FROM_PTR(&features_extract_obj));
    mp_store_global(MP_QSTR_quantize, MP_OBJ_FROM_PTR(&features_quantize_obj));
    mp_store_global(MP_QSTR_stream, MP_OBJ_FROM_PTR(&features_stream_obj));
    MP_DYNRUNTIME_INIT_EXIT
}

#else

static const mp_rom_map_elem_t features_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_wedau_features) },
    { MP_ROM_QSTR(MP_QSTR_info), MP_ROM_PTR(&features_info_obj) },
    { MP_ROM_QSTR(MP_QSTR_extract), MP_ROM_PTR(&features_extract_obj) },
    { MP_ROM_QSTR(MP_QSTR_quantize), MP_ROM_PTR(&features_quantize_obj) },
    { MP_ROM_QSTR(MP_QSTR_stream), MP_ROM_PTR(&features_stream_obj) },
};
static MP_DEFINE_CONST_DICT(features_globals, features_globals_table);

const mp_obj_module_t wedau_features_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&features_globals,
};
MP_REGISTER_MODULE(MP_QSTR_wedau_features, wedau_features_module);

#endif
