// wedau_trees: trees out of a data file, for boards whose models were made without a compiler.
//
//   load(source) -> model. source: the path of a data file, or an object with its bytes. The whole
//       file is checked. Bytes that cannot change are used where they are, at a multiple of 4; others
//       are copied.
//   model.predict(x) -> class index
//   model.predict_proba(x, out) -> out, an array of 'f' that receives the share of votes of each class
//   model.labels: tuple of the class names; model.info: dict that says what the model is
//
// x: array 'h' (grid) or 'f' (data units) of as many items as there are features. A wrong type raises
// TypeError, a wrong length or content ValueError. predict and predict_proba allocate nothing.

#ifdef MICROPY_ENABLE_DYNRUNTIME
#include "py/dynruntime.h"
#else
#include "py/obj.h"
#include "py/runtime.h"
#endif

#include "wd_quantize.h"
#include "wd_trees.h"

typedef struct {
    mp_obj_base_t base;
    mp_obj_t source; // keeps the bytes that trees points into
    mp_obj_t labels;
    wd_trees trees;
} model_obj;

static void raise_value_error(const char *text) {
    #ifdef MICROPY_ENABLE_DYNRUNTIME
    mp_raise_ValueError(text);
    #else
    mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("%s"), text);
    #endif
}

// Put a row of floats on the grid and decide. Apart, for the stack that the grid takes.
static __attribute__((noinline)) uint32_t decide_floats(const wd_trees *trees, const float *x, float *out) {
    int16_t grid[WD_TREES_MAX_FEATURES];
    if (wd_quantize(x, trees->scale, trees->n_features, grid) != WD_OK) {
        raise_value_error("x holds NaN");
    }
    if (out == NULL) {
        return wd_trees_predict(trees, grid);
    }
    wd_trees_proba(trees, grid, out);
    return 0;
}

// Decide on what x holds: the class, or 0 and the shares if there is an out.
static uint32_t decide(const wd_trees *trees, mp_obj_t x_in, float *out) {
    mp_buffer_info_t x;
    mp_get_buffer_raise(x_in, &x, MP_BUFFER_READ);
    if (x.typecode != 'h' && x.typecode != 'f') {
        mp_raise_TypeError(MP_ERROR_TEXT("x must be an array of 'h' (grid) or 'f' (data units)"));
    }
    size_t size = x.typecode == 'h' ? sizeof(int16_t) : sizeof(float);
    if (x.len != trees->n_features * size) {
        raise_value_error("x has the wrong length; see info['features']");
    }
    if (x.typecode == 'f') {
        return decide_floats(trees, x.buf, out);
    }
    if (out == NULL) {
        return wd_trees_predict(trees, x.buf);
    }
    wd_trees_proba(trees, x.buf, out);
    return 0;
}

static mp_obj_t model_predict(mp_obj_t self_in, mp_obj_t x_in) {
    const model_obj *self = MP_OBJ_TO_PTR(self_in);
    return MP_OBJ_NEW_SMALL_INT(decide(&self->trees, x_in, NULL));
}
static MP_DEFINE_CONST_FUN_OBJ_2(model_predict_obj, model_predict);

static mp_obj_t model_predict_proba(mp_obj_t self_in, mp_obj_t x_in, mp_obj_t out_in) {
    const model_obj *self = MP_OBJ_TO_PTR(self_in);
    mp_buffer_info_t out;
    mp_get_buffer_raise(out_in, &out, MP_BUFFER_WRITE);
    if (out.typecode != 'f') {
        mp_raise_TypeError(MP_ERROR_TEXT("out must be an array of 'f'"));
    }
    if (out.len != self->trees.n_classes * sizeof(float)) {
        raise_value_error("out has the wrong length; see labels");
    }
    decide(&self->trees, x_in, out.buf);
    return out_in;
}
static MP_DEFINE_CONST_FUN_OBJ_3(model_predict_proba_obj, model_predict_proba);

static mp_obj_t next_text(wd_trees_reader *reader) {
    wd_trees_next_text(reader);
    return mp_obj_new_str(reader->text, reader->length);
}

static mp_obj_t text_tuple(wd_trees_reader *reader, size_t n) {
    mp_obj_tuple_t *tuple = MP_OBJ_TO_PTR(mp_obj_new_tuple(n, NULL));
    for (size_t i = 0; i < n; i++) {
        tuple->items[i] = next_text(reader);
    }
    return MP_OBJ_FROM_PTR(tuple);
}

static mp_obj_t scale_tuple(const wd_trees *trees) {
    mp_obj_tuple_t *tuple = MP_OBJ_TO_PTR(mp_obj_new_tuple(trees->n_features, NULL));
    for (size_t i = 0; i < trees->n_features; i++) {
        tuple->items[i] = mp_obj_new_float_from_f(trees->scale[i]);
    }
    return MP_OBJ_FROM_PTR(tuple);
}

static void store(mp_obj_t dict, qstr key, mp_obj_t value) {
    mp_obj_dict_store(dict, MP_OBJ_NEW_QSTR(key), value);
}

// The dict is made when it is asked for, so that it costs no heap before.
static mp_obj_t info_dict(const model_obj *self) {
    const wd_trees *trees = &self->trees;
    wd_trees_reader reader;
    wd_trees_texts(trees, &reader);
    mp_obj_t info = mp_obj_new_dict(0);
    store(info, MP_QSTR_name, next_text(&reader));
    store(info, MP_QSTR_version, next_text(&reader));
    store(info, MP_QSTR_data_sha256, next_text(&reader));
    store(info, MP_QSTR_wedau, next_text(&reader));
    store(info, MP_QSTR_labels, text_tuple(&reader, trees->n_classes));
    store(info, MP_QSTR_features, text_tuple(&reader, trees->n_features));
    store(info, MP_QSTR_scale, scale_tuple(trees));
    store(info, MP_QSTR_recipe, mp_obj_new_bytes(trees->recipe, trees->recipe_bytes));
    return info;
}

static void model_attr(mp_obj_t self_in, qstr name, mp_obj_t *dest) {
    const model_obj *self = MP_OBJ_TO_PTR(self_in);
    if (dest[0] != MP_OBJ_NULL) {
        return; // nothing can be stored
    }
    if (name == MP_QSTR_predict) {
        dest[0] = MP_OBJ_FROM_PTR(&model_predict_obj);
        dest[1] = self_in;
    } else if (name == MP_QSTR_predict_proba) {
        dest[0] = MP_OBJ_FROM_PTR(&model_predict_proba_obj);
        dest[1] = self_in;
    } else if (name == MP_QSTR_labels) {
        dest[0] = self->labels;
    } else if (name == MP_QSTR_info) {
        dest[0] = info_dict(self);
    }
}

#ifdef MICROPY_ENABLE_DYNRUNTIME
mp_obj_full_type_t model_type; // not static: MicroPython's linker takes it on every architecture
#define MODEL_TYPE ((const mp_obj_type_t *)&model_type)
#else
static MP_DEFINE_CONST_OBJ_TYPE(model_type, MP_QSTR_Model, MP_TYPE_FLAG_NONE, attr, model_attr);
#define MODEL_TYPE (&model_type)
#endif

static mp_obj_t call(mp_obj_t object, qstr method, size_t n, const mp_obj_t *args) {
    return mp_call_function_n_kw(mp_load_attr(object, method), n, 0, args);
}

// Return the content of a file in a bytearray of just its size.
static mp_obj_t read_file(mp_obj_t path) {
    mp_obj_t args[2] = { path, MP_OBJ_NEW_QSTR(MP_QSTR_rb) };
    mp_obj_t file = mp_call_function_n_kw(mp_load_global(MP_QSTR_open), 2, 0, args);
    mp_obj_t end[2] = { MP_OBJ_NEW_SMALL_INT(0), MP_OBJ_NEW_SMALL_INT(2) };
    size_t length = mp_obj_get_int(call(file, MP_QSTR_seek, 2, end));
    call(file, MP_QSTR_seek, 1, end);
    // One byte more is never needed, but none at all cannot be allocated.
    mp_obj_t bytes = mp_obj_new_bytearray_by_ref(length, m_malloc(length + (length == 0)));
    size_t n = mp_obj_get_int(call(file, MP_QSTR_readinto, 1, &bytes));
    call(file, MP_QSTR_close, 0, NULL);
    if (n != length) {
        raise_value_error(wd_trees_error_text(WD_TREES_ERROR_TRUNCATED));
    }
    return bytes;
}

static bool is_string(mp_obj_t source) {
    return mp_obj_get_type(source) == &mp_type_str;
}

// Bytes that somebody could change after the check are copied.
static mp_obj_t kept(mp_obj_t source) {
    mp_buffer_info_t bytes;
    if (!mp_get_buffer(source, &bytes, MP_BUFFER_WRITE)) {
        return source;
    }
    return mp_obj_new_bytes(bytes.buf, bytes.len);
}

static mp_obj_t load(mp_obj_t source) {
    mp_buffer_info_t bytes;
    model_obj *self = mp_obj_malloc(model_obj, MODEL_TYPE);
    self->labels = mp_const_none;
    self->source = is_string(source) ? read_file(source) : kept(source);
    mp_get_buffer_raise(self->source, &bytes, MP_BUFFER_READ);
    wd_trees_error error = wd_trees_open(bytes.buf, bytes.len, &self->trees);
    if (error != WD_TREES_OK) {
        raise_value_error(wd_trees_error_text(error));
    }
    wd_trees_reader reader;
    wd_trees_texts(&self->trees, &reader);
    for (size_t i = 0; i < WD_TREES_INFO_TEXTS; i++) {
        wd_trees_next_text(&reader);
    }
    self->labels = text_tuple(&reader, self->trees.n_classes);
    return MP_OBJ_FROM_PTR(self);
}
static MP_DEFINE_CONST_FUN_OBJ_1(load_obj, load);

#ifdef MICROPY_ENABLE_DYNRUNTIME

mp_obj_t mpy_init(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args) {
    MP_DYNRUNTIME_INIT_ENTRY
    model_type.base.type = &mp_type_type;
    model_type.name = MP_QSTR_Model;
    MP_OBJ_TYPE_SET_SLOT(&model_type, attr, model_attr, 0);
    mp_store_global(MP_QSTR_load, MP_OBJ_FROM_PTR(&load_obj));
    MP_DYNRUNTIME_INIT_EXIT
}

#else

static const mp_rom_map_elem_t trees_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_wedau_trees) },
    { MP_ROM_QSTR(MP_QSTR_load), MP_ROM_PTR(&load_obj) },
};
static MP_DEFINE_CONST_DICT(trees_globals, trees_globals_table);

const mp_obj_module_t wedau_trees_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&trees_globals,
};
MP_REGISTER_MODULE(MP_QSTR_wedau_trees, wedau_trees_module);

#endif
