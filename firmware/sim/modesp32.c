// Module esp32: the class Partition with the behaviour of the esp32 port's.
// Source: MicroPython, ports/esp32/esp32_partition.c and modesp32.c.

#include <string.h>

#include "py/mperrno.h"
#include "py/runtime.h"
#include "extmod/vfs.h"
#include "partitions.h"
#include "sim.h"

enum {
    PARTITION_BOOT,
    PARTITION_RUNNING,
};

typedef struct {
    mp_obj_base_t base;
    const sim_partition_t *part;
    uint8_t *cache;
    uint16_t block_size;
} partition_obj_t;

static const mp_obj_type_t partition_type;

static const char *error_name(esp_err_t err) {
    switch (err) {
        case ESP_ERR_INVALID_ARG:
            return "ESP_ERR_INVALID_ARG";
        case ESP_ERR_INVALID_SIZE:
            return "ESP_ERR_INVALID_SIZE";
        case ESP_ERR_NOT_FOUND:
            return "ESP_ERR_NOT_FOUND";
        case ESP_ERR_NOT_ALLOWED:
            return "ESP_ERR_NOT_ALLOWED";
        case ESP_ERR_OTA_VALIDATE_FAILED:
            return "ESP_ERR_OTA_VALIDATE_FAILED";
        default:
            return "ESP_FAIL";
    }
}

static void check(esp_err_t err) {
    if (err != ESP_OK) {
        const char *name = error_name(err);
        mp_obj_t args[] = { MP_OBJ_NEW_SMALL_INT(-err), mp_obj_new_str(name, strlen(name)) };
        nlr_raise(mp_obj_exception_make_new(&mp_type_OSError, 2, 0, args));
    }
}

static mp_obj_t partition_new(const sim_partition_t *part, mp_int_t block_size) {
    if (part == NULL) {
        mp_raise_OSError(MP_ENOENT);
    }
    if ((uint16_t)block_size == 0) { // the chip divides by zero and crashes
        mp_raise_ValueError(MP_ERROR_TEXT("block_size"));
    }
    partition_obj_t *self = mp_obj_malloc(partition_obj_t, &partition_type);
    self->part = part;
    self->block_size = (uint16_t)block_size;
    self->cache = self->block_size < SIM_FLASH_BLOCK_BYTES ? m_new(uint8_t, SIM_FLASH_BLOCK_BYTES) : NULL;
    return MP_OBJ_FROM_PTR(self);
}

static void partition_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    const sim_partition_t *part = ((partition_obj_t *)MP_OBJ_TO_PTR(self_in))->part;
    mp_printf(print, "<Partition type=%u, subtype=%u, address=%u, size=%u, label=%s, encrypted=0>",
        part->type, part->subtype, (unsigned)part->address, (unsigned)part->size, part->label);
}

static const sim_partition_t *by_number(mp_int_t id) {
    switch (id) {
        case PARTITION_BOOT:
            return sim_ota_boot();
        case PARTITION_RUNNING:
            return sim_ota_running();
        default:
            mp_raise_ValueError(NULL);
    }
}

static const sim_partition_t *by_label(const char *label) {
    const sim_partition_t *part = sim_partition_next(NULL, PARTITION_TYPE_APP, PARTITION_ANY, label);
    return part == NULL ? sim_partition_next(NULL, PARTITION_TYPE_DATA, PARTITION_ANY, label) : part;
}

static mp_obj_t partition_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, 2, false);
    const sim_partition_t *part = mp_obj_is_int(args[0])
        ? by_number(mp_obj_get_int(args[0])) : by_label(mp_obj_str_get_str(args[0]));
    return partition_new(part, n_args == 2 ? mp_obj_get_int(args[1]) : SIM_FLASH_BLOCK_BYTES);
}

// find(type=TYPE_APP, subtype=0xff, label=None, block_size=4096) -> list of Partition.
static mp_obj_t partition_find(size_t n_args, const mp_obj_t *pos_args, mp_map_t *kw_args) {
    enum { ARG_type, ARG_subtype, ARG_label, ARG_block_size };
    static const mp_arg_t allowed[] = {
        { MP_QSTR_type, MP_ARG_INT, {.u_int = PARTITION_TYPE_APP} },
        { MP_QSTR_subtype, MP_ARG_INT, {.u_int = PARTITION_ANY} },
        { MP_QSTR_label, MP_ARG_OBJ, {.u_rom_obj = MP_ROM_NONE} },
        { MP_QSTR_block_size, MP_ARG_INT, {.u_int = SIM_FLASH_BLOCK_BYTES} },
    };
    mp_arg_val_t args[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args, pos_args, kw_args, MP_ARRAY_SIZE(allowed), allowed, args);
    const char *label = args[ARG_label].u_obj == mp_const_none ? NULL : mp_obj_str_get_str(args[ARG_label].u_obj);
    mp_obj_t list = mp_obj_new_list(0, NULL);
    const sim_partition_t *part = NULL;
    while ((part = sim_partition_next(part, (unsigned)args[ARG_type].u_int,
        (unsigned)args[ARG_subtype].u_int, label)) != NULL) {
        mp_obj_list_append(list, partition_new(part, args[ARG_block_size].u_int));
    }
    return list;
}
static MP_DEFINE_CONST_FUN_OBJ_KW(partition_find_fun_obj, 0, partition_find);
static MP_DEFINE_CONST_STATICMETHOD_OBJ(partition_find_obj, MP_ROM_PTR(&partition_find_fun_obj));

static mp_obj_t partition_info(mp_obj_t self_in) {
    const sim_partition_t *part = ((partition_obj_t *)MP_OBJ_TO_PTR(self_in))->part;
    mp_obj_t tuple[] = {
        MP_OBJ_NEW_SMALL_INT(part->type),
        MP_OBJ_NEW_SMALL_INT(part->subtype),
        mp_obj_new_int_from_uint(part->address),
        mp_obj_new_int_from_uint(part->size),
        mp_obj_new_str(part->label, strlen(part->label)),
        mp_const_false,
    };
    return mp_obj_new_tuple(MP_ARRAY_SIZE(tuple), tuple);
}
static MP_DEFINE_CONST_FUN_OBJ_1(partition_info_obj, partition_info);

static uint32_t block_offset(const partition_obj_t *self, mp_obj_t block) {
    return (uint32_t)mp_obj_get_int(block) * self->block_size;
}

static mp_obj_t partition_readblocks(size_t n_args, const mp_obj_t *args) {
    partition_obj_t *self = MP_OBJ_TO_PTR(args[0]);
    uint32_t offset = block_offset(self, args[1]);
    mp_buffer_info_t buf;
    mp_get_buffer_raise(args[2], &buf, MP_BUFFER_WRITE);
    if (n_args == 4) {
        offset += (uint32_t)mp_obj_get_int(args[3]);
    }
    check(sim_partition_read(self->part, offset, buf.buf, buf.len));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(partition_readblocks_obj, 3, 4, partition_readblocks);

// Erase the range, which may begin and end within sectors; what lies around it there is kept.
static void erase_within_sectors(partition_obj_t *self, uint32_t offset, uint32_t len) {
    uint32_t end = offset + len;
    for (uint32_t at = offset - offset % SIM_FLASH_BLOCK_BYTES; at < end; at += SIM_FLASH_BLOCK_BYTES) {
        uint32_t before = at < offset ? offset - at : 0;
        uint32_t after = end < at + SIM_FLASH_BLOCK_BYTES ? at + SIM_FLASH_BLOCK_BYTES - end : 0;
        if (before > 0 || after > 0) {
            check(sim_partition_read(self->part, at, self->cache, SIM_FLASH_BLOCK_BYTES));
        }
        check(sim_partition_erase(self->part, at, SIM_FLASH_BLOCK_BYTES));
        check(sim_partition_write(self->part, at, self->cache, before));
        check(sim_partition_write(self->part, end, self->cache + (end - at), after));
    }
}

// Without an offset the blocks are erased first.
static mp_obj_t partition_writeblocks(size_t n_args, const mp_obj_t *args) {
    partition_obj_t *self = MP_OBJ_TO_PTR(args[0]);
    uint32_t offset = block_offset(self, args[1]);
    mp_buffer_info_t buf;
    mp_get_buffer_raise(args[2], &buf, MP_BUFFER_READ);
    if (n_args == 4) {
        offset += (uint32_t)mp_obj_get_int(args[3]);
    } else if (self->cache == NULL) {
        check(sim_partition_erase(self->part, offset, buf.len));
    } else {
        erase_within_sectors(self, offset, buf.len);
    }
    check(sim_partition_write(self->part, offset, buf.buf, buf.len));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(partition_writeblocks_obj, 3, 4, partition_writeblocks);

static mp_obj_t partition_ioctl(mp_obj_t self_in, mp_obj_t op_in, mp_obj_t arg_in) {
    partition_obj_t *self = MP_OBJ_TO_PTR(self_in);
    switch (mp_obj_get_int(op_in)) {
        case MP_BLOCKDEV_IOCTL_INIT:
        case MP_BLOCKDEV_IOCTL_DEINIT:
        case MP_BLOCKDEV_IOCTL_SYNC:
            return MP_OBJ_NEW_SMALL_INT(0);
        case MP_BLOCKDEV_IOCTL_BLOCK_COUNT:
            return mp_obj_new_int_from_uint(self->part->size / self->block_size);
        case MP_BLOCKDEV_IOCTL_BLOCK_SIZE:
            return MP_OBJ_NEW_SMALL_INT(self->block_size);
        case MP_BLOCKDEV_IOCTL_BLOCK_ERASE:
            if (self->block_size != SIM_FLASH_BLOCK_BYTES) {
                return MP_OBJ_NEW_SMALL_INT(-MP_EINVAL);
            }
            check(sim_partition_erase(self->part, block_offset(self, arg_in), SIM_FLASH_BLOCK_BYTES));
            return MP_OBJ_NEW_SMALL_INT(0);
        default:
            return mp_const_none;
    }
}
static MP_DEFINE_CONST_FUN_OBJ_3(partition_ioctl_obj, partition_ioctl);

static mp_obj_t partition_set_boot(mp_obj_t self_in) {
    check(sim_ota_set_boot(((partition_obj_t *)MP_OBJ_TO_PTR(self_in))->part));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(partition_set_boot_obj, partition_set_boot);

static mp_obj_t partition_get_next_update(mp_obj_t self_in) {
    const sim_partition_t *part = ((partition_obj_t *)MP_OBJ_TO_PTR(self_in))->part;
    return partition_new(sim_ota_next_update(part), SIM_FLASH_BLOCK_BYTES);
}
static MP_DEFINE_CONST_FUN_OBJ_1(partition_get_next_update_obj, partition_get_next_update);

static mp_obj_t partition_mark_app_valid(mp_obj_t cls_in) {
    check(sim_ota_mark_valid());
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(partition_mark_app_valid_fun_obj, partition_mark_app_valid);
static MP_DEFINE_CONST_CLASSMETHOD_OBJ(partition_mark_app_valid_obj, MP_ROM_PTR(&partition_mark_app_valid_fun_obj));

static const mp_rom_map_elem_t partition_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_find), MP_ROM_PTR(&partition_find_obj) },
    { MP_ROM_QSTR(MP_QSTR_info), MP_ROM_PTR(&partition_info_obj) },
    { MP_ROM_QSTR(MP_QSTR_readblocks), MP_ROM_PTR(&partition_readblocks_obj) },
    { MP_ROM_QSTR(MP_QSTR_writeblocks), MP_ROM_PTR(&partition_writeblocks_obj) },
    { MP_ROM_QSTR(MP_QSTR_ioctl), MP_ROM_PTR(&partition_ioctl_obj) },
    { MP_ROM_QSTR(MP_QSTR_set_boot), MP_ROM_PTR(&partition_set_boot_obj) },
    { MP_ROM_QSTR(MP_QSTR_mark_app_valid_cancel_rollback), MP_ROM_PTR(&partition_mark_app_valid_obj) },
    { MP_ROM_QSTR(MP_QSTR_get_next_update), MP_ROM_PTR(&partition_get_next_update_obj) },
    { MP_ROM_QSTR(MP_QSTR_BOOT), MP_ROM_INT(PARTITION_BOOT) },
    { MP_ROM_QSTR(MP_QSTR_RUNNING), MP_ROM_INT(PARTITION_RUNNING) },
    { MP_ROM_QSTR(MP_QSTR_TYPE_APP), MP_ROM_INT(PARTITION_TYPE_APP) },
    { MP_ROM_QSTR(MP_QSTR_TYPE_DATA), MP_ROM_INT(PARTITION_TYPE_DATA) },
};
static MP_DEFINE_CONST_DICT(partition_locals, partition_locals_table);

static MP_DEFINE_CONST_OBJ_TYPE(
    partition_type,
    MP_QSTR_Partition,
    MP_TYPE_FLAG_NONE,
    make_new, partition_make_new,
    print, partition_print,
    locals_dict, &partition_locals
    );

static const mp_rom_map_elem_t esp32_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_esp32) },
    { MP_ROM_QSTR(MP_QSTR_Partition), MP_ROM_PTR(&partition_type) },
    { MP_ROM_QSTR(MP_QSTR_WAKEUP_ALL_LOW), MP_ROM_FALSE },
    { MP_ROM_QSTR(MP_QSTR_WAKEUP_ANY_HIGH), MP_ROM_TRUE },
    { MP_ROM_QSTR(MP_QSTR_HEAP_DATA), MP_ROM_INT(4) }, // MALLOC_CAP_8BIT
    { MP_ROM_QSTR(MP_QSTR_HEAP_EXEC), MP_ROM_INT(1) }, // MALLOC_CAP_EXEC
};
static MP_DEFINE_CONST_DICT(esp32_globals, esp32_globals_table);

const mp_obj_module_t esp32_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&esp32_globals,
};
MP_REGISTER_MODULE(MP_QSTR_esp32, esp32_module);
