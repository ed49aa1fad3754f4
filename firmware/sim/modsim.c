// Module sim: what only a simulated board can tell.

#include "py/runtime.h"
#include "flash.h"
#include "sim.h"

// insns() -> int: instructions that the processor has executed since boot.
static mp_obj_t mod_insns(void) {
    return mp_obj_new_int_from_ull(sim_insns());
}
static MP_DEFINE_CONST_FUN_OBJ_0(mod_insns_obj, mod_insns);

// count(f, *args) -> (f(*args), instructions). Nothing but the call lies between the two readings.
// nlr_push() also spills all register windows, so that each count starts from the same state: QEMU
// starts an instruction anew, and it counts twice, where a window has to be spilled or filled.
static mp_obj_t mod_count(size_t n_args, const mp_obj_t *args) {
    nlr_buf_t nlr;
    sim_heed_only_interrupts(true);
    if (nlr_push(&nlr) != 0) {
        sim_heed_only_interrupts(false);
        nlr_jump(nlr.ret_val);
    }
    uint64_t start = sim_insns();
    mp_obj_t result = mp_call_function_n_kw(args[0], n_args - 1, 0, args + 1);
    uint64_t end = sim_insns();
    nlr_pop();
    sim_heed_only_interrupts(false);
    mp_obj_t pair[] = { result, mp_obj_new_int_from_ull(end - start) };
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
