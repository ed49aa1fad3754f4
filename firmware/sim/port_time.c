// The port's part of the time module, included by extmod/modtime.c. UTC, seconds since 2000-01-01.

#include "py/obj.h"
#include "shared/timeutils/timeutils.h"

static void now(timeutils_struct_time_t *tm) {
    timeutils_seconds_since_epoch_to_struct_time(mp_hal_time_ns() / 1000000000u, tm);
}

#if MICROPY_VERSION < MICROPY_MAKE_VERSION(1, 27, 0)
static mp_obj_t mp_time_localtime_get(void) {
    timeutils_struct_time_t tm;
    now(&tm);
    mp_obj_t items[] = {
        mp_obj_new_int(tm.tm_year),
        mp_obj_new_int(tm.tm_mon),
        mp_obj_new_int(tm.tm_mday),
        mp_obj_new_int(tm.tm_hour),
        mp_obj_new_int(tm.tm_min),
        mp_obj_new_int(tm.tm_sec),
        mp_obj_new_int(tm.tm_wday),
        mp_obj_new_int(tm.tm_yday),
    };
    return mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
}
#else
static void mp_time_localtime_get(timeutils_struct_time_t *tm) {
    now(tm);
}
#endif

static mp_obj_t mp_time_time_get(void) {
    return mp_obj_new_int_from_ull(mp_hal_time_ns() / 1000000000u);
}
