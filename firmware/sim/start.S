// Entry point: qemu-user starts here with argc, argv and so on at the stack pointer.
//
// Python runs on a stack of our own, so that addresses, and with them instruction counts, do not
// depend on the length of the host's environment.
#include "mpconfigboard.h"

// Below what MicroPython checks against: room for C code between two checks.
#define STACK_SLACK_BYTES 16384

    .section .stack,"aw",@progbits
    .balign 16
    .global sim_stack
sim_stack:
    .space STACK_SLACK_BYTES + SIM_STACK_BYTES
    .global sim_stack_top
sim_stack_top:
    .space 64                   // stands for the caller's frame, for the first overflow of a window

    .section .literal.start,"ax",@progbits
    .balign 4
.Lmain:
    .long sim_main
.Ltop:
    .long sim_stack_top

    .section .text.start,"ax",@progbits
    .global _start
    .balign 4
_start:
    or      a10, a1, a1         // first argument of sim_main: pointer to argc
    l32r    a1, .Ltop
    addi    a4, a1, 64
    addi    a5, a1, -12
    s32i    a4, a5, 0           // our "caller's" stack pointer, where the overflow code looks for it
    movi    a0, 0
    l32r    a8, .Lmain
    callx8  a8
1:  j       1b                  // sim_main does not return
