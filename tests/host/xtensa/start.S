// Start of a test program under qemu-xtensa: calls main() and exits with what it returns.
    .section .literal.start, "ax", @progbits
    .p2align 2
main_address:
    .long main

    .section .text.start, "ax", @progbits
    .p2align 2
    .global _start
_start:
    movi    a0, -16
    and     a1, a1, a0
    addi    a1, a1, -128
    addi    a2, a1, 64          // a frame above main's caller, for its spilled registers
    addi    a3, a1, -12
    s32i    a2, a3, 0
    movi    a0, 0
    l32r    a8, main_address
    callx8  a8
    or      a6, a10, a10
    movi    a2, 119             // exit_group
    syscall

// long test_syscall(long number, long a, long b, long c)
    .section .text.test_syscall, "ax", @progbits
    .p2align 2
    .global test_syscall
    .type test_syscall, @function
test_syscall:
    entry   a1, 32
    or      a6, a3, a3
    or      a3, a4, a4
    or      a4, a5, a5
    syscall
    retw
