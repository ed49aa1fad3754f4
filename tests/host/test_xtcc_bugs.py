"""What clang does wrong for Xtensa: each way round it is run on the simulated core.

docs/explanation/compiler.md has the list. A newer clang that behaves in another way fails here.
"""

import itertools
import random
import struct
import subprocess
from pathlib import Path

import pytest
import xtensa_program

from wedau.build import clang

LEVELS = ("-O0", "-Os", "-O2")


def bits(value: float) -> int:
    (word,) = struct.unpack("<I", struct.pack("<f", value))
    return int(word)


def run_words(folder: Path, *options: str, source: str) -> list[int]:
    program = xtensa_program.build(folder, [source], *options)
    return xtensa_program.words(xtensa_program.run(program))


# Bug 1: a choice between two float constants cannot be compiled.

CONSTANTS = {
    "2.0f": bits(2.0),
    "0.5f": bits(0.5),
    "0.0f": 0,
    "-0.0f": 0x80000000,
    "0.1f": bits(0.1),
    "1e-45f": 1,
    "3.4028235e38f": 0x7F7FFFFF,
    "__builtin_inff()": 0x7F800000,
    "-__builtin_inff()": 0xFF800000,
    '__builtin_nanf("")': 0x7FC00000,
}


@pytest.mark.parametrize("level", LEVELS)
def test_select_of_float_constants_gives_the_right_one(level: str, tmp_path: Path) -> None:
    chosen = list(itertools.permutations(CONSTANTS, 2))[::3]
    functions = "\n".join(
        f"__attribute__((noinline)) float f{i}(int x, float y) {{ return {test} ? {a} : {b}; }}"
        for i, (a, b) in enumerate(chosen)
        for test in [("x", "x > 3", "y < 1.5f", "y == y")[i % 4]]
    )
    calls = "\n".join(
        f"test_put(test_bits(f{i}(x, y))); test_put(test_bits(f{i}(0, z)));"
        for i in range(len(chosen))
    )
    source = f"""{functions}
        int main(void) {{
            volatile int x = 7; volatile float y = 1.0f, z = __builtin_nanf("");
            {calls}
            return 0;
        }}"""
    expected = [CONSTANTS[name] for pair in chosen for name in pair]
    assert run_words(tmp_path, level, source=source) == expected


@pytest.mark.parametrize("level", LEVELS)
def test_truth_value_as_float_is_one_or_zero(level: str, tmp_path: Path) -> None:
    source = """
        __attribute__((noinline)) float from_bool(_Bool x) { return x; }
        __attribute__((noinline)) float from_test(int x) { return (float)(x > 2); }
        __attribute__((noinline)) float negative(float x) { return (float)-(x > 2.0f); }
        int main(void) {
            for (volatile int i = 1; i < 5; i += 3) {
                test_put(test_bits(from_bool(i > 2)));
                test_put(test_bits(from_test(i)));
                test_put(test_bits(negative((float)i)));
            }
            return 0;
        }"""
    expected = [bits(v) for v in (0.0, 0.0, 0.0, 1.0, 1.0, -1.0)]
    got = run_words(tmp_path, level, source=source)
    assert [word & 0x7FFFFFFF if not word << 1 else word for word in got] == expected


def test_debug_information_does_not_stop_the_rewriting(tmp_path: Path) -> None:
    source = "float f(int x) { return x ? 2.0f : 0.5f; }\nint main(void) { volatile int x = 1;"
    source += "test_put(test_bits(f(x))); return 0; }"
    assert run_words(tmp_path, "-g", "-Os", source=source) == [bits(2.0)]


def test_clang_itself_still_fails_at_the_select(tmp_path: Path) -> None:
    source = tmp_path / "select.c"
    source.write_text("float f(int x) { return x ? 2.0f : 0.5f; }")
    command = [clang.find(), *clang.compile_flags(), "-Os", "-S", str(source), "-o", "-"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    found = clang.version(clang.find())
    assert "TargetConstantPool" in result.stderr, f"clang {found} needs no wedau.build.selects"


# Bugs 2 and 3: variable arguments.

VARIADIC = """
    #include <stdarg.h>
    typedef struct { int a, b, c; } triple_t;
    static uint32_t sum_list(int n, va_list ap) {
        uint32_t sum = 0;
        while (n--) {
            sum = sum * 31 + va_arg(ap, uint32_t);
        }
        return sum;
    }
    __attribute__((noinline)) uint32_t sum1(int n, ...) {
        va_list ap; va_start(ap, n); uint32_t sum = sum_list(n, ap); va_end(ap); return sum;
    }
    __attribute__((noinline)) uint32_t sum4(int a, int b, int c, int n, ...) {
        va_list ap; va_start(ap, n); uint32_t sum = sum_list(n, ap); va_end(ap);
        return sum + a + b + c;
    }
    __attribute__((noinline)) uint32_t sum6(int a, int b, int c, int d, int e, int n, ...) {
        va_list ap; va_start(ap, n); uint32_t sum = sum_list(n, ap); va_end(ap);
        return sum + a + b + c + d + e;
    }
    __attribute__((noinline)) uint32_t
    sum8(int a, int b, int c, int d, int e, int f, int g, int n, ...) {
        va_list ap; va_start(ap, n); uint32_t sum = sum_list(n, ap); va_end(ap);
        return sum + a + b + c + d + e + f + g;
    }
    // kinds: i int, l 64-bit, d double (its bits), p pointer
    __attribute__((noinline)) void mixed(const char *kinds, ...) {
        va_list ap, copy;
        va_start(ap, kinds);
        va_copy(copy, ap);
        for (int pass = 0; pass < 2; pass++) {
            for (const char *k = kinds; *k; k++) {
                uint64_t value = 0;
                double d;
                switch (*k) {
                    case 'i': value = (uint32_t)(pass ? va_arg(copy, int) : va_arg(ap, int)); break;
                    case 'l': value = pass ? va_arg(copy, uint64_t) : va_arg(ap, uint64_t); break;
                    case 'p':
                        value = (uintptr_t)(pass ? va_arg(copy, void *) : va_arg(ap, void *));
                        break;
                    default:
                        d = pass ? va_arg(copy, double) : va_arg(ap, double);
                        __builtin_memcpy(&value, &d, 8);
                }
                test_write(&value, 8);
            }
        }
        va_end(ap);
        va_end(copy);
    }
"""


@pytest.mark.parametrize("level", [*LEVELS, "-fno-omit-frame-pointer"])
def test_variable_arguments_arrive(level: str, tmp_path: Path) -> None:
    calls, expected = [], []
    for count in range(12):
        values = [1000 * count + i + 1 for i in range(count)]
        total = 0
        for value in values:
            total = (total * 31 + value) % (1 << 32)
        rest = "".join(f", {v}" for v in values)
        for named in (1, 4, 6, 8):
            before = "".join(f"{n}, " for n in range(11, 10 + named))
            calls.append(f"test_put(sum{named}({before}{count}{rest}));")
            expected.append((total + sum(range(11, 10 + named))) % (1 << 32))
    source = VARIADIC + "int main(void) {" + "\n".join(calls) + "return 0; }"
    assert run_words(tmp_path, level, source=source) == expected


def test_clang_itself_still_reads_wrong_arguments(tmp_path: Path) -> None:
    source = """
        __attribute__((noinline)) uint32_t third(int n, ...) {
            __builtin_va_list ap;
            __builtin_va_start(ap, n);
            (void)__builtin_va_arg(ap, int);
            (void)__builtin_va_arg(ap, int);
            return __builtin_va_arg(ap, uint32_t);
        }
        int main(void) { test_put(third(0, 11, 22, 33)); return 0; }"""
    found = clang.version(clang.find())
    assert run_words(tmp_path, "-Os", source=source) != [33], f"clang {found} needs no stdarg.h"


@pytest.mark.parametrize("level", LEVELS)
def test_variable_arguments_of_all_kinds_arrive(level: str, tmp_path: Path) -> None:
    rng = random.Random(1)
    calls, expected = [], []
    for _ in range(60):
        kinds = "".join(rng.choices("ildp", k=rng.randrange(1, 12)))
        arguments, values = [], []
        for kind in kinds:
            value = rng.getrandbits(64 if kind in "ld" else 31) & ~(1 << 62)
            text = {"i": f"{value}", "l": f"{value}ull", "p": f"(void *){value}u"}.get(kind)
            if kind == "d":
                number = rng.uniform(-1e9, 1e9)
                (value,) = struct.unpack("<Q", struct.pack("<d", number))
                text = repr(number)
            arguments.append(text)
            values.append(value)
        calls.append(f'mixed("{kinds}", {", ".join(map(str, arguments))});')
        expected += values * 2
    source = VARIADIC + "int main(void) {" + "\n".join(calls) + "return 0; }"
    output = xtensa_program.run(xtensa_program.build(tmp_path, [source], level))
    assert list(struct.unpack(f"<{len(output) // 8}Q", output)) == expected


@pytest.mark.parametrize("level", ["-O0", "-Os"])
@pytest.mark.parametrize(
    "body", ["char *p = __builtin_alloca(n); use(p, n);", "char p[n]; use(p, n);"]
)
def test_variable_arguments_with_alloca_are_refused(level: str, body: str, tmp_path: Path) -> None:
    source = tmp_path / "lost.c"
    source.write_text(
        "#include <stdarg.h>\nvoid use(char *, int); int last(va_list);"
        "int lost(int n, ...) { va_list ap; va_start(ap, n);"
        f"{body} int r = last(ap); va_end(ap); return r; }}"
    )
    result = xtensa_program.compile_object(source, tmp_path / "lost.o", level)
    assert result.returncode == 1
    assert "error: clang compiles lost() wrongly" in result.stderr
    assert "hint: use an array of fixed length" in result.stderr


def test_alloca_without_variable_arguments_works(tmp_path: Path) -> None:
    source = """
        __attribute__((noinline)) int
        many(volatile char *p, int a, int b, int c, int d, int e, int f, int g) {
            for (int i = 0; i < a; i++) { p[i] = (char)(p[i] + i); }
            return p[a - 1] + b + c + d + e + f + g;
        }
        __attribute__((noinline)) int six(int n, int b, int c, int d, int e, int f) {
            int sum = 0;
            for (int i = 0; i < 3; i++) {
                char *p = __builtin_alloca((size_t)n);
                for (int j = 0; j < n; j++) { p[j] = 1; }
                sum = sum * 3 + many(p, n, 1, 2, 3, 4, 5, 600) + p[0];
            }
            return sum + b + c * 2 + d * 3 + e * 5 + f * 7;
        }
        int main(void) {
            volatile int n = 50;
            test_put((uint32_t)six(n, 1000, 2000, 3000, 4000, 5000));
            return 0;
        }"""
    one = 50 + 615 + 1
    expected = (one * 3 + one) * 3 + one + 1000 + 4000 + 9000 + 20000 + 35000
    for level in LEVELS:
        assert run_words(tmp_path, level, source=source) == [expected]


# Bug 4: structs by value follow a convention of clang's own; within one compiler it has to hold.


@pytest.mark.parametrize("level", LEVELS)
def test_structs_by_value_arrive_within_one_compiler(level: str, tmp_path: Path) -> None:
    sizes = [1, 2, 3, 4, 5, 8, 12, 16, 17, 24, 40]
    types = "".join(f"typedef struct {{ uint8_t b[{n}]; }} s{n}_t;\n" for n in sizes)
    functions = "".join(
        f"""
        s{n}_t make{n}(int seed) {{
            s{n}_t s; for (int i = 0; i < {n}; i++) {{ s.b[i] = (uint8_t)(seed + i); }} return s;
        }}
        uint32_t take{n}(int a, s{n}_t s, uint64_t b, s{n}_t t, float c) {{
            uint32_t h = (uint32_t)a + (uint32_t)b + (uint32_t)(int)c;
            for (int i = 0; i < {n}; i++) {{ h = h * 31 + s.b[i] * 3u + t.b[i]; }}
            return h;
        }}"""
        for n in sizes
    )
    declarations = "".join(
        f"s{n}_t make{n}(int); uint32_t take{n}(int, s{n}_t, uint64_t, s{n}_t, float);\n"
        for n in sizes
    )
    calls = "".join(f"test_put(take{n}(7, make{n}(1), 11, make{n}(100), 13.0f));\n" for n in sizes)
    expected = []
    for n in sizes:
        h = 31
        for i in range(n):
            h = (h * 31 + (1 + i) * 3 + 100 + i) % (1 << 32)
        expected.append(h)
    caller = f"{types}{declarations}int main(void) {{ {calls} return 0; }}"
    program = xtensa_program.build(tmp_path, [caller, types + functions], level)
    assert xtensa_program.words(xtensa_program.run(program)) == expected


# Bug 5: literals.


@pytest.mark.parametrize("mode", ["function", "file"])
def test_literals_are_aligned_behind_code_of_any_length(mode: str, tmp_path: Path) -> None:
    source = "".join(
        f"""__attribute__((noinline)) uint32_t f{i}(uint32_t x) {{
            __asm__ volatile("{"nop.n;" * i}"); return x + {0x12345678 + i}u;
        }}"""
        for i in range(8)
    )
    calls = "".join(f"test_put(f{i}(x));" for i in range(8))
    source += f"int main(void) {{ volatile uint32_t x = 1; {calls} return 0; }}"
    options = (f"--literals={mode}", *(("-ffunction-sections",) if mode == "function" else ()))
    assert run_words(tmp_path, *options, source=source) == [0x12345679 + i for i in range(8)]


def test_literals_of_unused_functions_are_dropped(tmp_path: Path) -> None:
    source = "uint32_t unused(void) { return 0x0badcafeu; } int main(void) { return 0; }"
    program = xtensa_program.build(tmp_path, [source], "-Os", "-ffunction-sections")
    assert struct.pack("<I", 0x0BADCAFE) not in program.read_bytes()
    kept = xtensa_program.build(tmp_path, [source.replace("return 0;", "return !unused();")], "-O0")
    assert struct.pack("<I", 0x0BADCAFE) in kept.read_bytes()


def test_literal_out_of_reach_is_a_link_error(tmp_path: Path) -> None:
    source = tmp_path / "far.c"
    source.write_text('int main(void) { __asm__ volatile(".space 0x48000"); return 0x12345678; }')
    start, far = tmp_path / "start.o", tmp_path / "far.o"
    xtensa_program.compile_object(xtensa_program.SUPPORT / "start.S", start)
    assert xtensa_program.compile_object(source, far, "-Os").returncode == 0
    linked = xtensa_program.link(tmp_path / "far", [start, far])
    assert linked.returncode != 0
    assert "l32r: literal target out of range" in linked.stderr


def test_literal_in_inline_assembly_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "inline.c"
    source.write_text('int f(void) { __asm__ volatile(".literal x, 5"); return 1; }')
    result = xtensa_program.compile_object(source, tmp_path / "inline.o")
    assert result.returncode == 1
    assert "error: the inline assembly in f uses .literal" in result.stderr


# Bug 6: no division of floats; and the rest of what the feature set could get wrong.


@pytest.mark.parametrize("level", LEVELS)
def test_float_arithmetic_is_rounded_at_each_step(level: str, tmp_path: Path) -> None:
    rng = random.Random(2)

    def single(value: float) -> float:
        (result,) = struct.unpack("<f", struct.pack("<f", value))
        return float(result)

    rows = [[single(rng.uniform(-9, 9)) for _ in range(3)] for _ in range(200)]
    table = ",".join("{" + ",".join(f"{v.hex()}f" for v in row) + "}" for row in rows)
    source = f"""
        static const float rows[][3] = {{ {table} }};
        int main(void) {{
            for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {{
                float a = rows[i][0], b = rows[i][1], c = rows[i][2];
                test_put(test_bits(a * b + c));
                test_put(test_bits((a - b) / c));
                test_put((uint32_t)(int32_t)(a * 1000.0f));
            }}
            return 0;
        }}"""
    expected = []
    for a, b, c in rows:
        expected += [bits(single(single(a * b) + c)), bits(single(single(a - b) / c))]
        expected.append(int(single(a * 1000.0)) % (1 << 32))
    assert run_words(tmp_path, level, source=source) == expected


@pytest.mark.parametrize("level", LEVELS)
def test_wide_integers_equal_python(level: str, tmp_path: Path) -> None:
    rng = random.Random(3)
    rows = [(rng.getrandbits(64), rng.getrandbits(64) >> rng.randrange(63) | 1) for _ in range(100)]
    shifts = [rng.randrange(64) for _ in rows]
    table = ",".join(f"{{{a}u, {b}u, {s}u}}" for (a, b), s in zip(rows, shifts, strict=True))
    source = f"""
        static const uint64_t rows[][3] = {{ {table} }};
        static void put(uint64_t value) {{ test_write(&value, 8); }}
        int main(void) {{
            for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {{
                uint64_t a = rows[i][0], b = rows[i][1]; int s = (int)rows[i][2];
                put(a + b); put(a - b); put(a * b); put(a / b); put(a % b);
                put(a << s); put(a >> s); put((uint64_t)((int64_t)a >> s));
                put(a < b); put((int64_t)a < (int64_t)b);
                put((uint64_t)((int64_t)(int32_t)a * (int32_t)b));
            }}
            return 0;
        }}"""

    def signed(value: int, width: int = 64) -> int:
        value %= 1 << width
        return value - (1 << width) if value >> width - 1 else value

    expected = []
    for (a, b), s in zip(rows, shifts, strict=True):
        row = [a + b, a - b, a * b, a // b, a % b, a << s, a >> s, signed(a) >> s, a < b]
        row += [signed(a) < signed(b), signed(a, 32) * signed(b, 32)]
        expected += [int(value) % (1 << 64) for value in row]
    output = xtensa_program.run(xtensa_program.build(tmp_path, [source], level))
    assert list(struct.unpack(f"<{len(output) // 8}Q", output)) == expected


@pytest.mark.parametrize("level", ["-Os", "-O2"])
def test_branches_across_a_large_function_arrive(level: str, tmp_path: Path) -> None:
    """Inlined trees make functions of tens of kilobytes, beyond a conditional branch's reach."""
    rng = random.Random(4)

    def tree(depth: int) -> tuple[str, object]:
        if depth == 0:
            leaf = rng.getrandbits(32)
            return f"return {leaf}u;", leaf
        feature, threshold = rng.randrange(64), rng.randrange(-9000, 9000)
        (yes, a), (no, b) = tree(depth - 1), tree(depth - 1)
        text = f"if (x[{feature}] < {threshold}) {{ {yes} }} else {{ {no} }}"
        return text, (feature, threshold, a, b)

    def walk(node: object, x: list[int]) -> int:
        while isinstance(node, tuple):
            feature, threshold, yes, no = node
            node = yes if x[feature] < threshold else no
        return int(node)  # type: ignore[call-overload]

    text, root = tree(12)
    source = f"""
        __attribute__((noinline)) uint32_t tree(const int16_t *x) {{ {text} }}
        int main(void) {{
            int16_t x[64];
            while (test_read(x, sizeof(x))) {{ test_put(tree(x)); }}
            return 0;
        }}"""
    inputs = [[rng.randrange(-32768, 32768) for _ in range(64)] for _ in range(1000)]
    program = xtensa_program.build(tmp_path, [source], level)
    assert program.stat().st_size > 60_000
    output = xtensa_program.run(program, b"".join(struct.pack("<64h", *x) for x in inputs))
    assert xtensa_program.words(output) == [walk(root, x) for x in inputs]
