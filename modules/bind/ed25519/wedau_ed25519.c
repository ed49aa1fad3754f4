// wedau_ed25519: whether a signature is that of a key.
//
//   verify(key, signature, message) -> True or False
//
// key: 32 bytes; signature: 64 bytes; message: bytes or another buffer of any length. No buffer raises
// TypeError, a wrong length ValueError. Nothing is allocated; about 2.4 kB of stack are used.

#ifdef MICROPY_ENABLE_DYNRUNTIME
#include "py/dynruntime.h"
#else
#include "py/obj.h"
#include "py/runtime.h"
#endif

#include "wd_ed25519.h"

static mp_obj_t ed25519_verify(mp_obj_t key_in, mp_obj_t signature_in, mp_obj_t message_in) {
    mp_buffer_info_t key, signature, message;
    mp_get_buffer_raise(key_in, &key, MP_BUFFER_READ);
    mp_get_buffer_raise(signature_in, &signature, MP_BUFFER_READ);
    mp_get_buffer_raise(message_in, &message, MP_BUFFER_READ);
    if (key.len != WD_ED25519_KEY) {
        mp_raise_ValueError(MP_ERROR_TEXT("a key has 32 bytes"));
    }
    if (signature.len != WD_ED25519_SIGNATURE) {
        mp_raise_ValueError(MP_ERROR_TEXT("a signature has 64 bytes"));
    }
    return mp_obj_new_bool(wd_ed25519_verify(key.buf, signature.buf, message.buf, message.len));
}
static MP_DEFINE_CONST_FUN_OBJ_3(ed25519_verify_obj, ed25519_verify);

#ifdef MICROPY_ENABLE_DYNRUNTIME

mp_obj_t mpy_init(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args) {
    MP_DYNRUNTIME_INIT_ENTRY
    mp_store_global(MP_QSTR_verify, MP_OBJ_FROM_PTR(&ed25519_verify_obj));
    MP_DYNRUNTIME_INIT_EXIT
}

#else

static const mp_rom_map_elem_t ed25519_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_wedau_ed25519) },
    { MP_ROM_QSTR(MP_QSTR_verify), MP_ROM_PTR(&ed25519_verify_obj) },
};
static MP_DEFINE_CONST_DICT(ed25519_globals, ed25519_globals_table);

const mp_obj_module_t wedau_ed25519_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&ed25519_globals,
};
MP_REGISTER_MODULE(MP_QSTR_wedau_ed25519, wedau_ed25519_module);

#endif
