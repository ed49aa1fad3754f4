// Loops whose passes are bounded, so that `wedau build` can state the worst case of instructions.
//
//     WD_FOR(WD_N_FEATURES, size_t i = 0; i < WD_N_FEATURES; i++) {
//         sum += x[i];
//     }
//
// is that for loop, and the promise that its body is entered at most WD_N_FEATURES times each time
// the loop is reached, whatever the input. A while loop is WD_FOR(n, ; condition;). The number is an
// integer constant expression above 0. break, continue and return work as in any loop.
//
// WD_FOR_SIZE(init; condition; step) promises at most as many passes as the third argument of its
// function says (memset and the like); where that is no constant, the caller has no bound.
//
// When a native module is built for Xtensa (WD_LOOP_RECORDS) the promise becomes a record beside the
// code, no instruction: "here loop ID is reached" and "here a pass of loop ID begins, the N-th at
// most". Both are needed: compilers unroll, peel and dissolve loops, and copy the records as they
// go, but never change how often and in which order they are passed. tools/wedau/build/bounds/
// reads them; a loop in the machine code without them has no bound, and a build with a budget fails.

#ifndef WD_LOOP_H
#define WD_LOOP_H

#if defined(__XTENSA__) && defined(WD_LOOP_RECORDS)

// A record: address, loop, passes (0 where the loop is reached). The address must be that of an
// instruction of the same block: for clang, wedau.build.literals adds a nop where there is none.
#ifdef __clang__
#define WD_LOOP_PLACE
#else
#define WD_LOOP_PLACE "\n\tnop"
#endif
#define WD_LOOP_RECORD(loop, passes) \
    __asm__ volatile( \
        "771:\n" \
        "\t.pushsection .wd_loop,\"\",@progbits\n" \
        "\t.long 771b, %c0, %c1\n" \
        "\t.popsection" WD_LOOP_PLACE \
        : \
        : "i"(loop), "i"(passes))

#define WD_FOR_LOOP(loop, n, ...) \
    WD_LOOP_RECORD(loop, 0); \
    for (__VA_ARGS__) \
        if (({ WD_LOOP_RECORD(loop, n); 0; })) { \
        } else
#define WD_FOR_NUMBERED(loop, n, ...) WD_FOR_LOOP(loop, n, __VA_ARGS__)
#define WD_FOR(n, ...) WD_FOR_NUMBERED(__COUNTER__, n, __VA_ARGS__)
#define WD_FOR_SIZE(...) WD_FOR(-1, __VA_ARGS__)

#else

#define WD_FOR(n, ...) for (__VA_ARGS__)
#define WD_FOR_SIZE(...) for (__VA_ARGS__)

#endif

// Passes of a loop over n in steps of four, and of one over what is left; 1 where there are none.
#define WD_FOURS(n) ((n) >= 4 ? (n) / 4 : 1)
#define WD_REST(n) ((n) % 4 ? (n) % 4 : 1)

#endif
