// Register windows, setjmp, longjmp and system calls for the windowed ABI.
//
// Where the ABI keeps the registers of a frame F whose window has been spilled:
//   a0-a3 at (stack pointer of the function that F called) - 16
//   a4-a7 at (stack pointer of F's caller) - 32, for functions called with call8

// Every call8 takes two of at most sixteen groups of four registers: nine nested calls push all
// older windows out to the stack.
#define SPILL_DEPTH 9

    .section .text.windows,"ax",@progbits

// void *xt_spill(void): write every live register of the callers to the stack.
// Returns the lowest address that holds any of them (16 below the caller's stack pointer).
    .balign 4
    .global xt_spill
    .type xt_spill,@function
xt_spill:
    entry   a1, 32
    movi    a10, SPILL_DEPTH
    call8   spill
    addi    a2, a1, -16
    l32i    a2, a2, 4           // a1 of the caller
    addi    a2, a2, -16
    retw

    .balign 4
    .type spill,@function
spill:                          // calls itself a2 times
    entry   a1, 32
    beqz    a2, 1f
    addi    a10, a2, -1
    call8   spill
1:  retw

// int setjmp(jmp_buf env): env holds a0-a7 of the caller and the return address into it.
    .balign 4
    .global setjmp
    .type setjmp,@function
setjmp:
    entry   a1, 48
    movi    a10, SPILL_DEPTH
    call8   spill
    addi    a3, a1, -16         // the caller's a0-a3
    l32i    a4, a3, 0
    l32i    a5, a3, 4
    l32i    a6, a3, 8
    l32i    a7, a3, 12
    s32i    a4, a2, 0
    s32i    a5, a2, 4
    s32i    a6, a2, 8
    s32i    a7, a2, 12
    l32i    a3, a1, 48 - 12     // stack pointer of the caller's caller
    addi    a3, a3, -32         // the caller's a4-a7
    l32i    a4, a3, 0
    l32i    a5, a3, 4
    l32i    a6, a3, 8
    l32i    a7, a3, 12
    s32i    a4, a2, 16
    s32i    a5, a2, 20
    s32i    a6, a2, 24
    s32i    a7, a2, 28
    s32i    a0, a2, 32
    movi    a2, 0
    retw

// void longjmp(jmp_buf env, int value): put the saved registers back where the window underflow
// will look for them, take on the frame that setjmp had, and return from it once more.
    .balign 4
    .global longjmp
    .type longjmp,@function
longjmp:
    entry   a1, 48
    movi    a10, SPILL_DEPTH
    call8   spill
    l32i    a8, a2, 4           // stack pointer of setjmp's caller
    addi    a9, a8, -48         // setjmp's own
    addi    a10, a9, -16
    l32i    a4, a2, 0
    l32i    a5, a2, 4
    l32i    a6, a2, 8
    l32i    a7, a2, 12
    s32i    a4, a10, 0
    s32i    a5, a10, 4
    s32i    a6, a10, 8
    s32i    a7, a10, 12
    addi    a10, a8, -16
    l32i    a10, a10, 4
    addi    a10, a10, -32
    l32i    a4, a2, 16
    l32i    a5, a2, 20
    l32i    a6, a2, 24
    l32i    a7, a2, 28
    s32i    a4, a10, 0
    s32i    a5, a10, 4
    s32i    a6, a10, 8
    s32i    a7, a10, 12
    l32i    a0, a2, 32
    movi    a4, 1
    moveqz  a3, a4, a3          // setjmp never returns 0 a second time
    or      a2, a3, a3
    or      a1, a9, a9
    retw

// long xt_syscall(long number, long a, b, c, d, e, f): Linux wants the number in a2 and the
// arguments in a6, a3, a4, a5, a8, a9. The last one comes on the stack.
    .balign 4
    .global xt_syscall
    .type xt_syscall,@function
xt_syscall:
    entry   a1, 32
    or      a8, a7, a7
    or      a10, a6, a6
    or      a6, a3, a3
    or      a3, a4, a4
    or      a4, a5, a5
    or      a5, a10, a10
    l32i    a9, a1, 32
    syscall
    retw
