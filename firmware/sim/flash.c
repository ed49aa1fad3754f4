// sim.Flash: the flash chip, a file that is mapped. As on NOR flash, programming only clears bits
// and erasing a block sets all of them.

#include <string.h>

#include "py/mperrno.h"
#include "py/runtime.h"
#include "extmod/vfs.h"
#include "flash.h"
#include "host.h"
#include "sim.h"

static uint8_t *flash;
static size_t flash_bytes;

void sim_flash_map(const char *path) {
    flash = host_map_file(path, &flash_bytes);
    if (flash == NULL || flash_bytes % SIM_FLASH_BLOCK_BYTES != 0) {
        sim_fatal("the flash file cannot be mapped or is not a multiple of 4096 bytes long");
    }
}

static mp_obj_t flash_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 0, 0, false);
    if (flash == NULL) {
        mp_raise_OSError(MP_ENODEV);
    }
    return MP_OBJ_FROM_PTR(mp_obj_malloc(mp_obj_base_t, type));
}

// The place in the flash that (block, buffer, offset) names.
static uint8_t *flash_range(const mp_obj_t *args, size_t n_args, size_t len) {
    mp_int_t block = mp_obj_get_int(args[1]);
    mp_int_t offset = n_args == 4 ? mp_obj_get_int(args[3]) : 0;
    if (block < 0 || offset < 0 || offset >= SIM_FLASH_BLOCK_BYTES
        || (size_t)block >= flash_bytes / SIM_FLASH_BLOCK_BYTES) {
        mp_raise_OSError(MP_EINVAL);
    }
    size_t start = (size_t)block * SIM_FLASH_BLOCK_BYTES + (size_t)offset;
    if (len > flash_bytes - start) {
        mp_raise_OSError(MP_EINVAL);
    }
    return flash + start;
}

static mp_obj_t flash_readblocks(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t buf;
    mp_get_buffer_raise(args[2], &buf, MP_BUFFER_WRITE);
    memcpy(buf.buf, flash_range(args, n_args, buf.len), buf.len);
    return MP_OBJ_NEW_SMALL_INT(0);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(flash_readblocks_obj, 3, 4, flash_readblocks);

// Without an offset the blocks are erased first, as the esp32 port's Partition does.
static mp_obj_t flash_writeblocks(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t buf;
    mp_get_buffer_raise(args[2], &buf, MP_BUFFER_READ);
    uint8_t *to = flash_range(args, n_args, buf.len);
    if (n_args == 3) {
        memset(to, 0xff, buf.len);
    }
    for (size_t i = 0; i < buf.len; ++i) {
        to[i] &= ((const uint8_t *)buf.buf)[i];
    }
    return MP_OBJ_NEW_SMALL_INT(0);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(flash_writeblocks_obj, 3, 4, flash_writeblocks);

static mp_obj_t flash_ioctl(mp_obj_t self_in, mp_obj_t op_in, mp_obj_t arg_in) {
    switch (mp_obj_get_int(op_in)) {
        case MP_BLOCKDEV_IOCTL_INIT:
        case MP_BLOCKDEV_IOCTL_DEINIT:
        case MP_BLOCKDEV_IOCTL_SYNC:
            return MP_OBJ_NEW_SMALL_INT(0);
        case MP_BLOCKDEV_IOCTL_BLOCK_COUNT:
            return mp_obj_new_int_from_uint(flash_bytes / SIM_FLASH_BLOCK_BYTES);
        case MP_BLOCKDEV_IOCTL_BLOCK_SIZE:
            return MP_OBJ_NEW_SMALL_INT(SIM_FLASH_BLOCK_BYTES);
        case MP_BLOCKDEV_IOCTL_BLOCK_ERASE: {
            const mp_obj_t where[] = { self_in, arg_in };
            memset(flash_range(where, 2, SIM_FLASH_BLOCK_BYTES), 0xff, SIM_FLASH_BLOCK_BYTES);
            return MP_OBJ_NEW_SMALL_INT(0);
        }
        default:
            return mp_const_none;
    }
}
static MP_DEFINE_CONST_FUN_OBJ_3(flash_ioctl_obj, flash_ioctl);

static const mp_rom_map_elem_t flash_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_readblocks), MP_ROM_PTR(&flash_readblocks_obj) },
    { MP_ROM_QSTR(MP_QSTR_writeblocks), MP_ROM_PTR(&flash_writeblocks_obj) },
    { MP_ROM_QSTR(MP_QSTR_ioctl), MP_ROM_PTR(&flash_ioctl_obj) },
};
static MP_DEFINE_CONST_DICT(flash_locals, flash_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(
    sim_flash_type,
    MP_QSTR_Flash,
    MP_TYPE_FLAG_NONE,
    make_new, flash_make_new,
    locals_dict, &flash_locals
    );
