// setjmp and longjmp for the windowed ABI, in windows.S.
#ifndef WEDAU_SIM_SETJMP_H
#define WEDAU_SIM_SETJMP_H

// a0-a7 of the caller, the return address; padded to a multiple of 16 bytes.
typedef unsigned long jmp_buf[12];

int setjmp(jmp_buf env) __attribute__((returns_twice));
void longjmp(jmp_buf env, int value) __attribute__((noreturn));

#endif // WEDAU_SIM_SETJMP_H
