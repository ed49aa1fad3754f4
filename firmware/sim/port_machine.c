// The port's part of the machine module, included by extmod/modmachine.c.

#include "py/mphal.h"
#include "host.h"
#include "sim.h"

#define MICROPY_PY_MACHINE_EXTRA_GLOBALS \
    { MP_ROM_QSTR(MP_QSTR_PWRON_RESET), MP_ROM_INT(SIM_RESET_POWER_ON) }, \
    { MP_ROM_QSTR(MP_QSTR_HARD_RESET), MP_ROM_INT(SIM_RESET_HARD) }, \
    { MP_ROM_QSTR(MP_QSTR_DEEPSLEEP_RESET), MP_ROM_INT(SIM_RESET_DEEPSLEEP) }, \
    { MP_ROM_QSTR(MP_QSTR_SOFT_RESET), MP_ROM_INT(SIM_RESET_SOFT) }, \

// An ESP32-S3's default. Nothing is timed by it: the simulated board runs as fast as the host lets it.
#define CPU_HZ 160000000

static void mp_machine_idle(void) {
    mp_event_wait_ms(1);
}

// The runner boots the board again when it sees this exit code.
static void mp_machine_reset(void) {
    host_exit(SIM_EXIT_REBOOT + SIM_RESET_HARD);
}

static mp_int_t mp_machine_reset_cause(void) {
    return sim_args.reset_cause;
}

static mp_obj_t mp_machine_unique_id(void) {
    return mp_obj_new_bytes(sim_args.unique_id, sizeof(sim_args.unique_id));
}

static mp_obj_t mp_machine_get_freq(void) {
    return MP_OBJ_NEW_SMALL_INT(CPU_HZ);
}

static void mp_machine_set_freq(size_t n_args, const mp_obj_t *args) {
    if (mp_obj_get_int(args[0]) != CPU_HZ) {
        mp_raise_ValueError(MP_ERROR_TEXT("frequency is fixed on the simulated board"));
    }
}

static void mp_machine_lightsleep(size_t n_args, const mp_obj_t *args) {
    if (n_args > 0) {
        mp_hal_delay_ms((mp_uint_t)mp_obj_get_int(args[0]));
    }
}

static void mp_machine_deepsleep(size_t n_args, const mp_obj_t *args) {
    mp_machine_lightsleep(n_args, args);
    host_exit(SIM_EXIT_REBOOT + SIM_RESET_DEEPSLEEP);
}
