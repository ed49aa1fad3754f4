// The port's part of the os module, included by extmod/modos.c.

#include "host.h"

#if MICROPY_VERSION < MICROPY_MAKE_VERSION(1, 27, 0)
// urandom(n) -> bytes: from the host's random number generator.
static mp_obj_t mp_os_urandom(mp_obj_t n_in) {
    mp_int_t n = mp_obj_get_int(n_in);
    if (n < 0) {
        mp_raise_ValueError(NULL);
    }
    vstr_t vstr;
    vstr_init_len(&vstr, (size_t)n);
    host_random(vstr.buf, (size_t)n);
    return mp_obj_new_bytes_from_vstr(&vstr);
}
static MP_DEFINE_CONST_FUN_OBJ_1(mp_os_urandom_obj, mp_os_urandom);
#endif // from 1.27 on urandom() is MicroPython's own, with mp_hal_get_random()
