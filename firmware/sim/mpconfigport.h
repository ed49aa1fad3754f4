// MicroPython's configuration for the simulated board: the feature level of the esp32 port.

#include <alloca.h>
#include <stddef.h>
#include <stdint.h>

#include "mpconfigboard.h"

#define MICROPY_CONFIG_ROM_LEVEL (MICROPY_CONFIG_ROM_LEVEL_EXTRA_FEATURES)

// Memory, NLR and emitters.
#define MICROPY_ALLOC_PATH_MAX (128)
#define MICROPY_ENABLE_GC (1)
#define MICROPY_NLR_SETJMP (1)
#define MICROPY_GCREGS_SETJMP (0)
#define MICROPY_STACK_CHECK_MARGIN (1024)
#define MICROPY_ENABLE_EMERGENCY_EXCEPTION_BUF (1)
#define MICROPY_EMIT_XTENSAWIN (1)
#define MICROPY_PERSISTENT_CODE_LOAD (1)
// As on the chip: code may point into the middle of a module's constants only, which the garbage
// collector does not see.
#define MICROPY_PERSISTENT_CODE_TRACK_FUN_DATA (1)
#define MICROPY_PERSISTENT_CODE_TRACK_BSS_RODATA (1)

// A cached lookup would make the same call cost more the first time than the second. Counts must
// depend on the code and its input alone (sim.count).
#define MICROPY_OPT_LOAD_ATTR_FAST_PATH (1)
#define MICROPY_OPT_MAP_LOOKUP_CACHE (0)

// Language.
#define MICROPY_LONGINT_IMPL (MICROPY_LONGINT_IMPL_MPZ)
#define MICROPY_FLOAT_IMPL (MICROPY_FLOAT_IMPL_FLOAT)
#define MICROPY_WARNINGS (1)
#define MICROPY_PY_STR_BYTES_CMP_WARN (1)
#define MICROPY_PY_ALL_INPLACE_SPECIAL_METHODS (1)
#define MICROPY_USE_INTERNAL_ERRNO (1)
#define MICROPY_USE_INTERNAL_PRINTF (1)
#define MICROPY_SCHEDULER_DEPTH (8)
#define MICROPY_SCHEDULER_STATIC_NODES (1)
#define MP_NEED_LOG2 (1)

// Files.
#define MICROPY_VFS (1)
#define MICROPY_READER_VFS (1)

// Modules.
#define MICROPY_PY_SYS_PLATFORM "esp32-sim"
#define MICROPY_PY_IO_BUFFEREDWRITER (1)
#define MICROPY_PY_TIME_GMTIME_LOCALTIME_MKTIME (1)
#define MICROPY_PY_TIME_TIME_TIME_NS (1)
#define MICROPY_PY_TIME_INCLUDEFILE "port_time.c"
#define MICROPY_PY_OS_INCLUDEFILE "port_os.c"
#define MICROPY_PY_OS_SYNC (1)
#define MICROPY_PY_OS_UNAME (1)
#define MICROPY_PY_OS_URANDOM (1)
#define MICROPY_PY_RANDOM_SEED_INIT_FUNC (sim_random32())
#define MICROPY_PY_MACHINE (1)
#define MICROPY_PY_MACHINE_INCLUDEFILE "port_machine.c"
#define MICROPY_PY_MACHINE_RESET (1)
#define MICROPY_PY_MACHINE_BARE_METAL_FUNCS (1)
#define MICROPY_PY_MACHINE_MEMX (0)
#define MICROPY_PY_MACHINE_SIGNAL (0)
#define MICROPY_PY_WEBSOCKET (1)

#define MP_STATE_PORT MP_STATE_VM
#define MP_SSIZE_MAX (0x7fffffff)
typedef long mp_off_t;
// MicroPython defines these itself from 1.27 on, alike.
typedef intptr_t mp_int_t;
typedef uintptr_t mp_uint_t;
#define UINT_FMT "%u"
#define INT_FMT "%d"
#define HEX_FMT "%x"

// Ctrl-C in a busy loop: one look at the shared page (see hal.c).
void sim_take_input(void);
uint32_t sim_random32(void);
void sim_wait(int timeout_ms);
extern volatile uint32_t *sim_input_flag;
#define MICROPY_VM_HOOK_LOOP if (*sim_input_flag) { sim_take_input(); }
#define MICROPY_VM_HOOK_RETURN MICROPY_VM_HOOK_LOOP

// Waiting for events sleeps in the host until there is input or a watched socket is ready.
#define MICROPY_INTERNAL_WFE(timeout_ms) sim_wait((int)(timeout_ms))
