// wedau_delta: patches applied while they arrive.
//
//   patch(read, write, old_size, new_size, window, old, out) -> patch
//   patch.feed(bytes) -> whether the new file is complete and written
//
// window: bytearray of WINDOW_BYTES; old and out: bytearrays of one byte or more. read(offset, n) puts n
// bytes of the old file into old, n at most its length; write(n) takes the first n bytes of out, which
// is all of it each time but the last. A wrong type raises TypeError; a wrong length, a damaged patch,
// one for a file of another size, and anything after an error ValueError. feed allocates nothing. A
// patch has no checksum: compare the hash of the new file.

#ifdef MICROPY_ENABLE_DYNRUNTIME
#include "py/dynruntime.h"
#else
#include "py/obj.h"
#include "py/runtime.h"
#endif

#include "wd_delta.h"

typedef struct {
    mp_obj_base_t base;
    mp_obj_t read, write;
    mp_obj_t window, old, out; // keep what io points into
    wd_delta delta;
} patch_obj;

static void raise_value_error(const char *text) {
#ifdef MICROPY_ENABLE_DYNRUNTIME
    mp_raise_ValueError(text);
#else
    mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("%s"), text);
#endif
}

// The buffers may not have moved: Python can resize a bytearray at any time.
static void check_buffer(mp_obj_t object, const uint8_t *bytes, size_t n) {
    mp_buffer_info_t buffer;
    mp_get_buffer_raise(object, &buffer, MP_BUFFER_WRITE);
    if (buffer.buf != bytes || buffer.len < n) {
        raise_value_error("a buffer of the patch has been resized");
    }
}

static void check_buffers(const patch_obj *self) {
    const wd_delta_io *io = &self->delta.io;
    check_buffer(self->window, io->window, WD_DELTA_WINDOW_BYTES);
    check_buffer(self->old, io->old, io->old_bytes);
    check_buffer(self->out, io->out, io->out_bytes);
}

static bool patch_read(void *context, uint32_t offset, size_t n) {
    patch_obj *self = context;
    mp_obj_t args[] = { MP_OBJ_NEW_SMALL_INT(offset), MP_OBJ_NEW_SMALL_INT(n) };
    mp_call_function_n_kw(self->read, 2, 0, args);
    check_buffers(self);
    return true;
}

static bool patch_write(void *context, size_t n) {
    patch_obj *self = context;
    mp_obj_t args[] = { MP_OBJ_NEW_SMALL_INT(n) };
    mp_call_function_n_kw(self->write, 1, 0, args);
    check_buffers(self);
    return true;
}

static mp_obj_t patch_feed(mp_obj_t self_in, mp_obj_t bytes_in) {
    patch_obj *self = MP_OBJ_TO_PTR(self_in);
    mp_buffer_info_t bytes;
    mp_get_buffer_raise(bytes_in, &bytes, MP_BUFFER_READ);
    check_buffers(self);
    wd_delta_error error = wd_delta_feed(&self->delta, bytes.buf, bytes.len);
    if (error != WD_DELTA_OK) {
        raise_value_error(wd_delta_error_text(error));
    }
    return mp_obj_new_bool(wd_delta_is_done(&self->delta));
}
static MP_DEFINE_CONST_FUN_OBJ_2(patch_feed_obj, patch_feed);

static void patch_attr(mp_obj_t self_in, qstr name, mp_obj_t *dest) {
    if (dest[0] == MP_OBJ_NULL && name == MP_QSTR_feed) {
        dest[0] = MP_OBJ_FROM_PTR(&patch_feed_obj);
        dest[1] = self_in;
    }
}

#ifdef MICROPY_ENABLE_DYNRUNTIME
mp_obj_full_type_t patch_type; // not static: MicroPython's linker takes it on every architecture
#define PATCH_TYPE ((const mp_obj_type_t *)&patch_type)
#else
static MP_DEFINE_CONST_OBJ_TYPE(patch_type, MP_QSTR_Patch, MP_TYPE_FLAG_NONE, attr, patch_attr);
#define PATCH_TYPE (&patch_type)
#endif

static uint32_t take_size(mp_obj_t number) {
    // Of a long integer a loaded module would get the low bits only.
    mp_int_t n = mp_obj_get_int(number);
    if (!mp_obj_is_small_int(number) || n < 0 || n > WD_DELTA_MAX_FILE_BYTES) {
        raise_value_error("a file of this size cannot be patched");
    }
    return (uint32_t)n;
}

static uint8_t *take_buffer(mp_obj_t object, size_t least, size_t *n) {
    mp_buffer_info_t buffer;
    mp_get_buffer_raise(object, &buffer, MP_BUFFER_WRITE);
    if (buffer.len < least) {
        raise_value_error("a buffer of the patch is too short");
    }
    *n = buffer.len < WD_DELTA_MAX_FILE_BYTES ? buffer.len : WD_DELTA_MAX_FILE_BYTES;
    return buffer.buf;
}

static mp_obj_t delta_patch(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    size_t window_bytes;
    uint32_t old_size = take_size(args[2]), new_size = take_size(args[3]);
    patch_obj *self = mp_obj_malloc(patch_obj, PATCH_TYPE);
    self->read = args[0];
    self->write = args[1];
    self->window = args[4];
    self->old = args[5];
    self->out = args[6];
    wd_delta_io io;
    io.read = patch_read;
    io.write = patch_write;
    io.context = self;
    io.window = take_buffer(self->window, WD_DELTA_WINDOW_BYTES, &window_bytes);
    io.old = take_buffer(self->old, 1, &io.old_bytes);
    io.out = take_buffer(self->out, 1, &io.out_bytes);
    wd_delta_begin(&self->delta, &io, old_size, new_size);
    return MP_OBJ_FROM_PTR(self);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(delta_patch_obj, 7, 7, delta_patch);

#ifdef MICROPY_ENABLE_DYNRUNTIME

mp_obj_t mpy_init(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args) {
    MP_DYNRUNTIME_INIT_ENTRY
    patch_type.base.type = &mp_type_type;
    patch_type.name = MP_QSTR_Patch;
    MP_OBJ_TYPE_SET_SLOT(&patch_type, attr, patch_attr, 0);
    mp_store_global(MP_QSTR_patch, MP_OBJ_FROM_PTR(&delta_patch_obj));
    mp_store_global(MP_QSTR_WINDOW_BYTES, MP_OBJ_NEW_SMALL_INT(WD_DELTA_WINDOW_BYTES));
    MP_DYNRUNTIME_INIT_EXIT
}

#else

static const mp_rom_map_elem_t delta_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_wedau_delta) },
    { MP_ROM_QSTR(MP_QSTR_patch), MP_ROM_PTR(&delta_patch_obj) },
    { MP_ROM_QSTR(MP_QSTR_WINDOW_BYTES), MP_ROM_INT(WD_DELTA_WINDOW_BYTES) },
};
static MP_DEFINE_CONST_DICT(delta_globals, delta_globals_table);

const mp_obj_module_t wedau_delta_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&delta_globals,
};
MP_REGISTER_MODULE(MP_QSTR_wedau_delta, wedau_delta_module);

#endif
