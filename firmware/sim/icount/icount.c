// A QEMU plugin that counts executed instructions, exactly, in a page that others map.
//
//     qemu-xtensa -plugin libicount.so,page=FILE ...
//
// An instruction that QEMU starts anew because a register window has to be spilled or filled first
// counts twice; where that happens is the same on each run.
//
// FILE is at least SIM_PAGE_BYTES long and zeroed by the caller. Debian ships QEMU without its
// plugin header, so what is used of version 1 of the interface is declared here.

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "simboard.h"

#define EXPORTED __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
typedef struct qemu_info_t qemu_info_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
typedef void (*qemu_plugin_tb_trans_cb_t)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, qemu_plugin_tb_trans_cb_t cb);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn,
    enum qemu_plugin_op op, void *counter, uint64_t step);

EXPORTED extern int qemu_plugin_version;
EXPORTED int qemu_plugin_version = 1;
EXPORTED int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv);

static uint64_t *counter;

static void count_block(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
    (void)id;
    size_t n = qemu_plugin_tb_n_insns(tb);
    for (size_t i = 0; i < n; ++i) {
        qemu_plugin_register_vcpu_insn_exec_inline(qemu_plugin_tb_get_insn(tb, i),
            QEMU_PLUGIN_INLINE_ADD_U64, counter, 1);
    }
}

static void *map_page(const char *path) {
    int fd = open(path, O_RDWR);
    if (fd < 0) {
        return NULL;
    }
    off_t length = lseek(fd, 0, SEEK_END);
    void *page = MAP_FAILED;
    if (length >= SIM_PAGE_BYTES) {
        page = mmap(NULL, SIM_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    close(fd);
    return page == MAP_FAILED ? NULL : page;
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv) {
    (void)info;
    static const char option[] = "page=";
    if (argc != 1 || strncmp(argv[0], option, sizeof(option) - 1) != 0) {
        fprintf(stderr, "icount: page=FILE has to be given\n");
        return -1;
    }
    char *page = map_page(argv[0] + sizeof(option) - 1);
    if (page == NULL) {
        fprintf(stderr, "icount: %s cannot be mapped\n", argv[0]);
        return -1;
    }
    counter = (uint64_t *)(void *)(page + SIM_PAGE_INSNS);
    qemu_plugin_register_vcpu_tb_trans_cb(id, count_block);
    return 0;
}
