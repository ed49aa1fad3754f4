// wedau_features: windows to features to the int16 grid, by the same C as on the host.
//
//   info(recipe) -> (channels, length, n_features, work_floats); the tuple is all that is allocated
//   extract(recipe, window, work, out)
//   quantize(x, scale, out)
//
// recipe: bytes; window: array 'f' of length * channels, sample by sample; work: array 'f' of
// work_floats or more; out: array 'f' of n_features; quantize: x and scale array 'f', out array 'h',
// all of one length. A wrong type raises TypeError, a wrong length or content ValueError.

#ifdef MICROPY_ENABLE_DYNRUNTIME
#include "py/dynruntime.h"
#else
#include "py/obj.h"
#include "py/runtime.h"
#endif

#include "wd_features.h"
#include "wd_quantize.h"

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
        MP_OBJ_NEW_SMALL_INT(r.work_floats),
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
    if (n_work < r.work_floats) {
        raise_value_error("work is too short; see info()");
    }
    if (n_out != r.n_features) {
        raise_value_error("out has the wrong length; see info()");
    }
    wd_extract(&r, window, work, out);
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

#ifdef MICROPY_ENABLE_DYNRUNTIME

mp_obj_t mpy_init(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args) {
    MP_DYNRUNTIME_INIT_ENTRY
    mp_store_global(MP_QSTR_info, MP_OBJ_FROM_PTR(&features_info_obj));
    mp_store_global(MP_QSTR_extract, MP_OBJ_FROM_PTR(&features_extract_obj));
    mp_store_global(MP_QSTR_quantize, MP_OBJ_FROM_PTR(&features_quantize_obj));
    MP_DYNRUNTIME_INIT_EXIT
}

#else

static const mp_rom_map_elem_t features_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_wedau_features) },
    { MP_ROM_QSTR(MP_QSTR_info), MP_ROM_PTR(&features_info_obj) },
    { MP_ROM_QSTR(MP_QSTR_extract), MP_ROM_PTR(&features_extract_obj) },
    { MP_ROM_QSTR(MP_QSTR_quantize), MP_ROM_PTR(&features_quantize_obj) },
};
static MP_DEFINE_CONST_DICT(features_globals, features_globals_table);

const mp_obj_module_t wedau_features_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&features_globals,
};
MP_REGISTER_MODULE(MP_QSTR_wedau_features, wedau_features_module);

#endif
