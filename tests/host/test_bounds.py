"""The longest way through machine code, against ways counted by hand."""

import subprocess
import sys
from pathlib import Path

import pytest
from xtensa_program import RUNTIME

from wedau.build import bounds
from wedau.build.bounds import objects, xtensa
from wedau.paths import resource

TABLE = {0: "const_none", 34: "raise", 55: "raise_msg", 65: "get_buffer"}

STRAIGHT = """
    .text
    .global sum
    .type sum, @function
sum:
    entry a1, 48            # 1
    movi.n a3, 0            # 1
    beqz.n a2, short        # 1
    addi a3, a3, 1          # 1, only on the long way
    addi a3, a3, 1          # 1
    j end                   # 1
short:
    nop                     # 1, only on the short way
end:
    mov.n a2, a3            # 1
    retw.n                  # 1
    .size sum, . - sum
"""

# 7 passes: the loop is reached at "reached", and a pass begins at "pass".
LOOP = """
    .text
    .global sum
    .type sum, @function
sum:
    entry a1, 32            # 1
reached:
    movi.n a3, 0            # 1
again:
    beq a3, a2, end         # 8 times
pass:
    addi a3, a3, 1          # 7 times
    j again                 # 7 times
end:
    retw.n                  # 1
    .size sum, . - sum
    .section .wd_loop,"",@progbits
    .long reached, 5, 0
    .long pass, 5, 7
"""

HARDWARE_LOOP = """
    .text
    .global sum
    .type sum, @function
sum:
    entry a1, 32            # 1
    nop                     # 1
    loopnez a2, end         # 1
pass:
    nop                     # 9 times
    nop                     # 9 times
end:
    retw.n                  # 1
    .size sum, . - sum
    .section .wd_loop,"",@progbits
    .long sum, 0, 0
    .long pass, 0, 9
"""

CALLS = """
#include "wd_loop.h"
int inner(const int *x, int n);
int sum(const int *x, int n);
__attribute__((noinline)) int inner(const int *x, int n) {
    int s = 0;
    WD_FOR(4, int i = 0; i < n; i++) {
        s += x[i] / (i + 1);
    }
    return s;
}
int sum(const int *x, int n) {
    int s = 0;
    WD_FOR(3, int i = 0; i < n; i++) {
        s ^= inner(x + i, n);
    }
    return s;
}
"""


def built(folder: Path, source: str, *options: str, suffix: str = ".c") -> bytes:
    path = folder / f"source{suffix}"
    path.write_text(source)
    command = [sys.executable, "-m", "wedau.build.xtcc", "--literals=file", *options]
    command += ["-DWD_LOOP_RECORDS", f"-I{resource('modules', 'core')}"]
    command += ["-c", str(path), "-o", str(folder / "source.o")]
    subprocess.run(command, check=True, timeout=60)
    return (folder / "source.o").read_bytes()


def code(folder: Path, source: str, *options: str, suffix: str = ".c") -> bounds.Code:
    return bounds.Code([built(folder, source, *options, suffix=suffix)], TABLE)


@pytest.fixture(scope="module")
def memset(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    source = (RUNTIME / "memset.c").read_text()
    return built(tmp_path_factory.mktemp("memset"), source, "-fno-builtin", "-Os")


@pytest.mark.parametrize(
    ("assembly", "worst", "least"),
    [(STRAIGHT, 8, 6), (LOOP, 1 + 1 + 8 + 7 + 7 + 1, 4), (HARDWARE_LOOP, 1 + 1 + 1 + 18 + 1, 4)],
)
def test_ways_counted_by_hand(assembly: str, worst: int, least: int, tmp_path: Path) -> None:
    analysed = code(tmp_path, assembly, suffix=".S")
    assert analysed.worst("sum") == bounds.Bound(worst, {})
    assert analysed.least("sum") == least


def test_stack_is_that_of_the_deepest_calls(tmp_path: Path) -> None:
    assert code(tmp_path, STRAIGHT, suffix=".S").stack_bytes("sum") == 48
    analysed = code(tmp_path, CALLS, "-O1")
    assert analysed.stack_bytes("sum") == 32 + analysed.stack_bytes("inner")


def test_calls_in_a_loop_count_each_pass(tmp_path: Path) -> None:
    analysed = code(tmp_path, CALLS, "-O1")
    inner = analysed.worst("inner").instructions
    assert 4 * 4 < inner < 4 * 12
    assert 3 * inner < analysed.worst("sum").instructions < 3 * (inner + 12)
    assert analysed.worst("sum").instructions > analysed.least("sum")


@pytest.mark.parametrize("optimize", ["-O0", "-O2", "-O3", "-Oz"])
def test_optimizers_keep_loops_bounded(optimize: str, tmp_path: Path) -> None:
    analysed = code(tmp_path, CALLS, optimize)
    assert 12 * 4 < analysed.worst("sum").instructions < 12 * 40 + 100


@pytest.mark.parametrize("optimize", ["-O2", "-Oz"])
@pytest.mark.parametrize("inner", [1, 3])
def test_records_of_an_inner_loop_do_not_bound_the_outer(
    optimize: str, inner: int, tmp_path: Path
) -> None:
    source = f"""
        #include "wd_loop.h"
        int sum(const int *x, int n);
        int sum(const int *x, int n) {{
            int s = 0;
            for (int i = 0; i < n; i++) {{
                WD_FOR({inner}, int j = 0; j < {inner}; j++) {{
                    s += x[i + j];
                }}
            }}
            return s;
        }}"""
    with pytest.raises(bounds.NoBoundError, match="does not say how often"):
        code(tmp_path, source, optimize).worst("sum")
    bounded = source.replace("for (int i = 0;", "WD_FOR(8, int i = 0;")
    assert code(tmp_path, bounded, optimize).worst("sum").instructions > 8 * inner


def test_break_and_continue_work(tmp_path: Path) -> None:
    source = """
        #include "wd_loop.h"
        int sum(const int *x, int n);
        int sum(const int *x, int n) {
            int s = 0;
            WD_FOR(6, int i = 0; i < n; i++) {
                if (x[i] == 3) {
                    continue;
                }
                if (x[i] == 4) {
                    break;
                }
                s += x[i];
            }
            return s;
        }"""
    assert 6 * 4 < code(tmp_path, source, "-Oz").worst("sum").instructions < 6 * 14


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("while (*x > 1) { x++; } return *x;", "does not say how often"),
        ("return n > 2 ? sum(x, n - 1) + sum(x, n - 2) : *x;", "calls itself"),
        ("return ((int (*)(int))*x)(n);", "calls through a pointer"),
        ("__builtin_memset(x, 0, n); return *x;", "size that is not constant"),
        ('__asm__ volatile("ill"); return 0;', "never returns"),
        ('__asm__ volatile("jx %0" : : "r"(x)); return 0;', "is not known"),
    ],
)
def test_what_cannot_be_bounded_is_refused(
    body: str, why: str, memset: bytes, tmp_path: Path
) -> None:
    source = f"int sum(int *x, int n);\nint sum(int *x, int n) {{ {body} }}\n"
    made = built(tmp_path, source, "-Os")
    with pytest.raises(bounds.NoBoundError, match=why):
        bounds.Code([made, memset], TABLE).worst("sum")


def test_helpers_take_their_constant_size_for_a_bound(memset: bytes, tmp_path: Path) -> None:
    worst = []
    for size in (100, 200):
        source = f"void f(int *x);\nvoid f(int *x) {{ __builtin_memset(x, 0, {size}); }}\n"
        made = built(tmp_path, source, "-Os")
        worst.append(bounds.Code([made, memset], TABLE).worst("f").instructions)
    assert 100 * 2 <= worst[1] - worst[0] <= 100 * 6


FIRMWARE = """
extern void (*const mp_fun_table[])(void *);
int f(void *x);
int f(void *x) {
    int tries = 0;
    mp_fun_table[65](x);
    if (*(int *)x) {
        mp_fun_table[65](x);
        tries = ((int *)x)[1];
    }
    if (tries == 9) {
        mp_fun_table[55](x);
        for (;;) {
        }
    }
    return tries;
}
"""


def test_the_firmwares_functions_are_counted_and_what_raises_is_left_out(tmp_path: Path) -> None:
    bound = code(tmp_path, FIRMWARE, "-Os").worst("f")
    assert bound.firmware == {"get_buffer": 2}
    assert 10 < bound.instructions < 25


SPILLED = """
    .section .literal,"ax",@progbits
    .p2align 2
table: .long mp_fun_table
    .text
    .global f
    .type f, @function
f:
    entry a1, 64
    l32r a8, table
    s32i a8, a1, 4
    addi a11, a1, {address}
    l32i a9, a8, 260
    callx8 a9
    l32i a8, a1, 4
    l32i a9, a8, 260
    callx8 a9
    retw.n
    .size f, . - f
"""


def test_a_pointer_kept_in_the_frame_is_known_where_nothing_else_may_write(tmp_path: Path) -> None:
    kept = code(tmp_path, SPILLED.format(address=8), suffix=".S")
    assert kept.worst("f") == bounds.Bound(10, {"get_buffer": 2})
    exposed = code(tmp_path, SPILLED.format(address=4), suffix=".S")
    with pytest.raises(bounds.NoBoundError, match="calls through a pointer"):
        exposed.worst("f")


def test_ways_through_a_function_can_be_left_out(tmp_path: Path) -> None:
    source = """
        __attribute__((noinline)) int slow(int x) { return (x / 3) ^ (x / 7) ^ (x / 5); }
        int f(int x) { return x < 0 ? slow(x) : x; }"""
    analysed = code(tmp_path, source, "-Os")
    assert analysed.worst("f", avoid=["slow"]).instructions < analysed.worst("slow").instructions
    assert analysed.worst("f").instructions > analysed.worst("slow").instructions


def test_every_instruction_of_the_helpers_is_known(tmp_path: Path) -> None:
    for name in ("divsf3", "sqrtf", "floatdisf", "fixsfdi", "memmove", "udivdi3"):
        source = (RUNTIME / f"{name}.c").read_text()
        made = objects.read([built(tmp_path, source, f"-I{RUNTIME}", "-Os")])
        for function in made.functions.values():
            text = made.code[function.start.object, function.start.section]
            at = function.start.offset
            while at < function.start.offset + function.size:
                at += xtensa.decode(text, at).length
            assert at == function.start.offset + function.size, function.name


def test_function_table_is_read_from_micropythons_source(micropython: Path) -> None:
    table = bounds.function_table(micropython)
    assert {index: table[index] for index in TABLE} == TABLE
