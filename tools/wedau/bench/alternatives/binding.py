"""The C that makes another's function a native module, with the checks that ours makes."""

from wedau.bench.alternatives.candidate import MODULE, Candidate

SOURCE = f"{MODULE}.c"

_TYPES = {"h": "int16_t", "f": "float"}

_BINDING = """\
#include "py/dynruntime.h"
#include <stdint.h>

{code}

static mp_obj_t predict(mp_obj_t x_in) {{
    mp_buffer_info_t x;
    mp_get_buffer_raise(x_in, &x, MP_BUFFER_READ);
    if (x.typecode != '{row}' || x.len != {n_features} * sizeof({type})) {{
        mp_raise_ValueError(MP_ERROR_TEXT("x has the wrong type or length"));
    }}
    return MP_OBJ_NEW_SMALL_INT(decide(x.buf));
}}
static MP_DEFINE_CONST_FUN_OBJ_1(predict_obj, predict);

mp_obj_t mpy_init(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args) {{
    MP_DYNRUNTIME_INIT_ENTRY
    mp_store_global(MP_QSTR_predict, MP_OBJ_FROM_PTR(&predict_obj));
    MP_DYNRUNTIME_INIT_EXIT
}}
"""


def bound(candidate: Candidate, n_features: int) -> str:
    """Return the source of the native module; see Candidate.c."""
    return _BINDING.format(
        code=candidate.c,
        row=candidate.row,
        type=_TYPES[candidate.row],
        n_features=n_features,
    )
