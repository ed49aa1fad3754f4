// Module sim: what only a simulated board can tell.

#include "py/runtime.h"
#include "flash.h"
#include "sim.h"

// insns() -> int: instructions that the processor has executed since boot.
static mp_obj_t mod_insns(void) {
    return mp_obj_new_int_from_ull(sim_insns());
}
static MP_DEFINE_CONST_FUN_OBJ_0(mod_insns_obj, mod_insns);

// count(f, *args) -> (f(*args), instructions). Nothing but the call lies between the two readings;
// input that arrives meanwhile is taken off again.
static mp_obj_t mod_count(size_t n_args, const mp_obj_t *args) {
    uint64_t input = sim_input_insns();
    uint64_t start = sim_insns();
    mp_obj_t result = mp_call_function_n_kw(args[0], n_args - 1, 0, args + 1);
    uint64_t end = sim_insns();
    mp_obj_t pair[] = {
        result,
        mp_obj_new_int_from_ull(end - start - (sim_input_insns() - input)),
    };
    return mp_obj_new_tuple(2, pair);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR(mod_count_obj, 1, mod_count);

static const mp_rom_map_elem_t sim_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_sim) },
    { MP_ROM_QSTR(MP_QSTR_Flash), MP_ROM_PTR(&sim_flash_type) },
    { MP_ROM_QSTR(MP_QSTR_insns), MP_ROM_PTR(&mod_insns_obj) },
    { MP_ROM_QSTR(MP_QSTR_count), MP_ROM_PTR(&mod_count_obj) },
};
static MP_DEFINE_CONST_DICT(sim_globals, sim_globals_table);

const mp_obj_module_t sim_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&sim_globals,
};
MP_REGISTER_MODULE(MP_QSTR_sim, sim_module);
