// The flash chip, a file that is mapped. As on NOR flash, programming only clears bits and erasing a
// sector sets all of them. Each erased sector and each programmed range is one operation; it can be
// logged, and power can be lost at it. tools/wedau/sim/nor.py does the same on the host.

#include <string.h>

#include "py/mperrno.h"
#include "py/runtime.h"
#include "extmod/vfs.h"
#include "flash.h"
#include "host.h"
#include "sim.h"

static uint8_t *flash;
static size_t flash_bytes;
static int log_fd = -1;
static uint32_t n_operations;

void sim_flash_map(const char *path) {
    flash = host_map_file(path, &flash_bytes);
    if (flash == NULL || flash_bytes % SIM_FLASH_BLOCK_BYTES != 0) {
        sim_fatal("the flash file cannot be mapped or is not a multiple of 4096 bytes long");
    }
    if (sim_args.oplog != NULL) {
        log_fd = host_open_log(sim_args.oplog);
        if (log_fd < 0) {
            sim_fatal("the operation log cannot be opened");
        }
    }
}

size_t sim_flash_bytes(void) {
    return flash_bytes;
}

static void log_record(uint32_t kind, uint32_t address, const void *data, uint32_t len) {
    const uint32_t record[] = { kind, address, len };
    if (log_fd >= 0 && !(host_write(log_fd, record, sizeof(record))
                         && (data == NULL || host_write(log_fd, data, len)))) {
        sim_fatal("the operation log cannot be written");
    }
}

const uint8_t *sim_flash_read(uint32_t address, size_t len) {
    log_record(SIM_OP_READ, address, NULL, len);
    return flash + address;
}

// Count and log an operation; returns SIM_CUT_NEVER or how power is lost at it.
static uint32_t begin_operation(uint32_t kind, uint32_t address, const void *data, uint32_t len) {
    log_record(kind, address, data, len);
    uint32_t cut = n_operations == sim_args.cut_at ? sim_args.cut_mode : SIM_CUT_NEVER;
    sim_set_flash_ops(++n_operations);
    return cut;
}

static void end_operation(uint32_t cut) {
    if (cut != SIM_CUT_NEVER) {
        host_exit(SIM_EXIT_POWER_LOSS);
    }
}

// Half erased: the first half of the sector.
static void erase_sector(uint32_t address) {
    uint32_t cut = begin_operation(SIM_OP_ERASE, address, NULL, SIM_FLASH_BLOCK_BYTES);
    if (cut != SIM_CUT_BEFORE) {
        memset(flash + address, 0xff, SIM_FLASH_BLOCK_BYTES / (cut == SIM_CUT_HALF ? 2 : 1));
    }
    end_operation(cut);
}

void sim_flash_erase(uint32_t address, size_t len) {
    for (size_t done = 0; done < len; done += SIM_FLASH_BLOCK_BYTES) {
        erase_sector(address + done);
    }
}

// Half programmed: the first half of the bytes, and of a byte in the middle the upper half.
void sim_flash_program(uint32_t address, const void *data, size_t len) {
    if (len == 0) {
        return;
    }
    const uint8_t *from = data;
    uint8_t *to = flash + address;
    uint32_t cut = begin_operation(SIM_OP_PROGRAM, address, data, len);
    size_t whole = cut == SIM_CUT_BEFORE ? 0 : cut == SIM_CUT_HALF ? len / 2 : len;
    for (size_t i = 0; i < whole; ++i) {
        to[i] &= from[i];
    }
    if (cut == SIM_CUT_HALF && len % 2 != 0) {
        to[whole] &= from[whole] | 0x0f;
    }
    end_operation(cut);
}

static mp_obj_t flash_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 0, 0, false);
    if (flash == NULL) {
        mp_raise_OSError(MP_ENODEV);
    }
    return MP_OBJ_FROM_PTR(mp_obj_malloc(mp_obj_base_t, type));
}

// The place in the flash that (block, buffer, offset) names.
static uint32_t flash_range(const mp_obj_t *args, size_t n_args, size_t len) {
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
    return start;
}

static mp_obj_t flash_readblocks(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t buf;
    mp_get_buffer_raise(args[2], &buf, MP_BUFFER_WRITE);
    memcpy(buf.buf, sim_flash_read(flash_range(args, n_args, buf.len), buf.len), buf.len);
    return MP_OBJ_NEW_SMALL_INT(0);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(flash_readblocks_obj, 3, 4, flash_readblocks);

// Without an offset the blocks are erased first, as the esp32 port's Partition does.
static mp_obj_t flash_writeblocks(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t buf;
    mp_get_buffer_raise(args[2], &buf, MP_BUFFER_READ);
    uint32_t to = flash_range(args, n_args, buf.len);
    if (n_args == 3) {
        if (buf.len % SIM_FLASH_BLOCK_BYTES != 0) {
            mp_raise_OSError(MP_EINVAL);
        }
        sim_flash_erase(to, buf.len);
    }
    sim_flash_program(to, buf.buf, buf.len);
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
            erase_sector(flash_range(where, 2, SIM_FLASH_BLOCK_BYTES));
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
