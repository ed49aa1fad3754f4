// <stdarg.h> for clang's Xtensa target with the windowed calling convention.
//
// LLVM 22's va_arg reads the wrong words: it counts the next argument from a2, but its pointer to the
// register area starts at the first unnamed register. The layout that va_start leaves behind is right,
// so these macros decode it themselves. Compile with -fomit-frame-pointer: a frame pointer (a7) would
// overwrite the sixth argument word before va_start's code saves it.
//
// This va_list is not the one of GCC: never pass it between code of the two compilers.
#ifndef WEDAU_XTENSA_STDARG_H
#define WEDAU_XTENSA_STDARG_H

#ifndef __xtensa__
#error "this stdarg.h is for the Xtensa target only"
#endif

// Argument words come in a2..a7 (six), then on the stack.
#define WD_VA_REGISTER_WORDS (6)

typedef struct _wd_va_list_t {
    unsigned *registers; // where the word of a2 is, or would be
    unsigned *stack; // the seventh word
    int index; // of the next word, 0 is a2
} wd_va_list_t;

typedef wd_va_list_t va_list[1];
typedef va_list __gnuc_va_list;
#define _VA_LIST_DEFINED

// What LLVM's va_start fills in.
typedef struct _wd_llvm_va_list_t {
    unsigned *stack; // 32 bytes below the seventh word
    unsigned *registers; // the first unnamed register's word
    int offset; // bytes from a2's word to the next argument; 32 and more: on the stack
} wd_llvm_va_list_t;

_Static_assert(sizeof(__builtin_va_list) == sizeof(wd_llvm_va_list_t), "unknown va_list of the compiler");

#define va_start(ap, last) \
    do { \
        __builtin_va_list wd_builtin_; \
        wd_llvm_va_list_t wd_llvm_; \
        __builtin_va_start(wd_builtin_, last); \
        __builtin_memcpy(&wd_llvm_, &wd_builtin_, sizeof(wd_llvm_)); \
        (ap)->index = wd_llvm_.offset >= 32 ? WD_VA_REGISTER_WORDS : wd_llvm_.offset >> 2; \
        (ap)->registers = wd_llvm_.registers - (ap)->index; \
        (ap)->stack = wd_llvm_.stack + 8; \
    } while (0)

// Arguments of eight bytes start at an even word.
static inline __attribute__((always_inline, unused)) unsigned *wd_va_next(wd_va_list_t *ap, int words, int even) {
    int index = ap->index + (even & ap->index & 1);
    ap->index = index + words;
    return index < WD_VA_REGISTER_WORDS ? ap->registers + index : ap->stack + (index - WD_VA_REGISTER_WORDS);
}

#define va_arg(ap, type) \
    (*(type *)wd_va_next((ap), (int)((sizeof(type) + 3) / 4), _Alignof(type) >= 8))
#define va_copy(to, from) ((to)[0] = (from)[0])
#define va_end(ap) ((void)(ap))

#endif // WEDAU_XTENSA_STDARG_H
