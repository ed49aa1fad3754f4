// wedau_baseline: what is normal, learnt on the board. wedau.Baseline keeps it in a file.
//
//   sizes(settings) -> (kept, learning): bytes of the memory that the functions below work in
//   begin(settings, memory): begin to learn
//   check(settings, memory): look at all of a memory that was kept
//   learn(memory, x) -> how many windows are still needed
//   predict(memory, x) -> 0 normal, 1 anomaly
//   score(memory, x, out) -> out; out[0] is the distance in units of the threshold
//   accidents(memory) -> windows of the learning that were left out
//
// settings: tuple (n_features, windows, false_alarms, key), key being bytes; memory: a bytearray of
// one of the two sizes; x: array 'f' of n_features; out: array 'f' of one item. A wrong type raises
// TypeError, a wrong length or content ValueError. learn, predict and score allocate nothing.

#ifdef MICROPY_ENABLE_DYNRUNTIME
#include "py/dynruntime.h"
#else
#include "py/obj.h"
#include "py/runtime.h"
#endif

#include "wd_baseline.h"
#include "wd_crc32.h"

static void check_error(wd_baseline_error error) {
    if (error != WD_BASELINE_OK) {
        #ifdef MICROPY_ENABLE_DYNRUNTIME
        mp_raise_ValueError(wd_baseline_error_text(error));
        #else
        mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("%s"), wd_baseline_error_text(error));
        #endif
    }
}

// Return 0, which no setting may be, for what is not a small integer: of a long one a loaded module
// would get the low bits only.
static uint32_t count(mp_obj_t number) {
    mp_int_t n = mp_obj_get_int(number);
    return !mp_obj_is_small_int(number) || n < 0 ? 0 : (uint32_t)n;
}

static void take_settings(mp_obj_t tuple, wd_baseline_settings *settings) {
    size_t n;
    mp_obj_t *items;
    mp_buffer_info_t key;
    mp_obj_get_array(tuple, &n, &items);
    if (n != 4) {
        mp_raise_TypeError(MP_ERROR_TEXT("settings must be a tuple of 4"));
    }
    mp_obj_t windows = items[1], false_alarms = items[2], key_in = items[3];
    settings->n_features = count(items[0]); // what an object does to become an int may change a list
    settings->windows = count(windows);
    settings->false_alarms = mp_obj_get_float_to_f(false_alarms);
    mp_get_buffer_raise(key_in, &key, MP_BUFFER_READ);
    settings->key = wd_crc32(key.buf, key.len);
    check_error(wd_baseline_check_settings(settings));
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

static mp_obj_t baseline_sizes(mp_obj_t settings_in) {
    wd_baseline_settings settings;
    take_settings(settings_in, &settings);
    mp_obj_t items[] = {
        MP_OBJ_NEW_SMALL_INT(wd_baseline_kept_bytes(&settings)),
        MP_OBJ_NEW_SMALL_INT(wd_baseline_learning_bytes(&settings)),
    };
    return mp_obj_new_tuple(2, items);
}
static MP_DEFINE_CONST_FUN_OBJ_1(baseline_sizes_obj, baseline_sizes);

static mp_obj_t baseline_begin(mp_obj_t settings_in, mp_obj_t memory_in) {
    wd_baseline_settings settings;
    take_settings(settings_in, &settings);
    mp_buffer_info_t memory;
    mp_get_buffer_raise(memory_in, &memory, MP_BUFFER_WRITE);
    check_error(wd_baseline_begin(&settings, memory.buf, memory.len));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(baseline_begin_obj, baseline_begin);

static mp_obj_t baseline_check(mp_obj_t settings_in, mp_obj_t memory_in) {
    wd_baseline_settings settings;
    take_settings(settings_in, &settings);
    mp_buffer_info_t memory;
    mp_get_buffer_raise(memory_in, &memory, MP_BUFFER_READ);
    check_error(wd_baseline_check(&settings, memory.buf, memory.len));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(baseline_check_obj, baseline_check);

static mp_obj_t baseline_learn(mp_obj_t memory_in, mp_obj_t x_in) {
    mp_buffer_info_t memory;
    size_t n;
    uint32_t needed;
    mp_get_buffer_raise(memory_in, &memory, MP_BUFFER_WRITE);
    const float *x = floats(x_in, MP_BUFFER_READ, &n);
    check_error(wd_baseline_learn(memory.buf, memory.len, x, n, &needed));
    return MP_OBJ_NEW_SMALL_INT(needed);
}
static MP_DEFINE_CONST_FUN_OBJ_2(baseline_learn_obj, baseline_learn);

// The distance of x goes to *distance; return whether it is an anomaly.
static bool judge(mp_obj_t memory_in, mp_obj_t x_in, float *distance) {
    mp_buffer_info_t memory;
    size_t n;
    bool is_anomaly;
    mp_get_buffer_raise(memory_in, &memory, MP_BUFFER_READ);
    const float *x = floats(x_in, MP_BUFFER_READ, &n);
    check_error(wd_baseline_score(memory.buf, memory.len, x, n, distance, &is_anomaly));
    return is_anomaly;
}

static mp_obj_t baseline_predict(mp_obj_t memory_in, mp_obj_t x_in) {
    float distance;
    return MP_OBJ_NEW_SMALL_INT(judge(memory_in, x_in, &distance));
}
static MP_DEFINE_CONST_FUN_OBJ_2(baseline_predict_obj, baseline_predict);

static mp_obj_t baseline_score(mp_obj_t memory_in, mp_obj_t x_in, mp_obj_t out_in) {
    size_t n;
    float distance;
    float *out = floats(out_in, MP_BUFFER_WRITE, &n);
    if (n != 1) {
        mp_raise_ValueError(MP_ERROR_TEXT("out must have one item"));
    }
    judge(memory_in, x_in, &distance);
    *out = distance;
    return out_in;
}
static MP_DEFINE_CONST_FUN_OBJ_3(baseline_score_obj, baseline_score);

static mp_obj_t baseline_accidents(mp_obj_t memory_in) {
    mp_buffer_info_t memory;
    mp_get_buffer_raise(memory_in, &memory, MP_BUFFER_READ);
    if (memory.len < sizeof(wd_baseline_header) || (uintptr_t)memory.buf % sizeof(float) != 0) {
        check_error(WD_BASELINE_ERROR_TRUNCATED);
    }
    const wd_baseline_header *header = memory.buf;
    if (header->magic[0] != WD_BASELINE_MAGIC[0] || header->magic[1] != WD_BASELINE_MAGIC[1]
        || header->magic[2] != WD_BASELINE_MAGIC[2]) {
        check_error(WD_BASELINE_ERROR_MAGIC);
    }
    return MP_OBJ_NEW_SMALL_INT(header->accidents);
}
static MP_DEFINE_CONST_FUN_OBJ_1(baseline_accidents_obj, baseline_accidents);

#ifdef MICROPY_ENABLE_DYNRUNTIME

mp_obj_t mpy_init(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args) {
    MP_DYNRUNTIME_INIT_ENTRY
    mp_store_global(MP_QSTR_sizes, MP_OBJ_FROM_PTR(&baseline_sizes_obj));
    mp_store_global(MP_QSTR_begin, MP_OBJ_FROM_PTR(&baseline_begin_obj));
    mp_store_global(MP_QSTR_check, MP_OBJ_FROM_PTR(&baseline_check_obj));
    mp_store_global(MP_QSTR_learn, MP_OBJ_FROM_PTR(&baseline_learn_obj));
    mp_store_global(MP_QSTR_predict, MP_OBJ_FROM_PTR(&baseline_predict_obj));
    mp_store_global(MP_QSTR_score, MP_OBJ_FROM_PTR(&baseline_score_obj));
    mp_store_global(MP_QSTR_accidents, MP_OBJ_FROM_PTR(&baseline_accidents_obj));
    MP_DYNRUNTIME_INIT_EXIT
}

#else

static const mp_rom_map_elem_t baseline_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_wedau_baseline) },
    { MP_ROM_QSTR(MP_QSTR_sizes), MP_ROM_PTR(&baseline_sizes_obj) },
    { MP_ROM_QSTR(MP_QSTR_begin), MP_ROM_PTR(&baseline_begin_obj) },
    { MP_ROM_QSTR(MP_QSTR_check), MP_ROM_PTR(&baseline_check_obj) },
    { MP_ROM_QSTR(MP_QSTR_learn), MP_ROM_PTR(&baseline_learn_obj) },
    { MP_ROM_QSTR(MP_QSTR_predict), MP_ROM_PTR(&baseline_predict_obj) },
    { MP_ROM_QSTR(MP_QSTR_score), MP_ROM_PTR(&baseline_score_obj) },
    { MP_ROM_QSTR(MP_QSTR_accidents), MP_ROM_PTR(&baseline_accidents_obj) },
};
static MP_DEFINE_CONST_DICT(baseline_globals, baseline_globals_table);

const mp_obj_module_t wedau_baseline_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&baseline_globals,
};
MP_REGISTER_MODULE(MP_QSTR_wedau_baseline, wedau_baseline_module);

#endif
