"""The run-time helpers against NumPy and Python, on random and on special values."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xtensa_program

SPECIAL_BITS = np.array(
    [
        *(0x00000000, 0x00000001, 0x00000002, 0x007FFFFF, 0x00800000, 0x00800001, 0x00FFFFFF),
        *(0x33800000, 0x33800001, 0x3EFFFFFF, 0x3F000000, 0x3F000001, 0x3F7FFFFF, 0x3F800000),
        *(0x3F800001, 0x3FC00000, 0x40200000, 0x40490FDB, 0x4AFFFFFF, 0x4B000000, 0x4B7FFFFF),
        *(0x4B800000, 0x4EFFFFFF, 0x4F000000, 0x5F000000, 0x5EFFFFFF, 0x5F800000, 0x7E7FFFFF),
        *(0x7F000000, 0x7F7FFFFF, 0x7F800000, 0x7FC00000),
    ],
    np.uint32,
)
SPECIAL = np.concatenate([SPECIAL_BITS, SPECIAL_BITS | np.uint32(0x80000000)]).view(np.float32)
SPECIAL_INT = np.array(
    [0, 1, 2, 3, 10, 0xFFFF, 0x10000, 0xFFFFFFFF, 1 << 32, (1 << 32) + 1, (1 << 53) + 1]
    + [(1 << 63) - 1, 1 << 63, (1 << 64) - 1, (1 << 64) - 2, 0xFFFFFF7FFFFFFFFF, 0x1000001],
    np.uint64,
)
QUIET_NAN = 0x7FC00000


def floats(rng: np.random.Generator, count: int) -> np.ndarray:
    """Floats of all exponents, NaN and infinity among them: uniform bits and near-equal ones."""
    wide = rng.integers(0, 1 << 32, count, np.uint64).astype(np.uint32).view(np.float32)
    near = rng.normal(size=count).astype(np.float32)
    return np.concatenate([SPECIAL, wide, near])


def pairs(values: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Every special value with every other, then random pairs."""
    count = len(SPECIAL) if values.dtype == np.float32 else len(SPECIAL_INT)
    first, second = np.meshgrid(values[:count], values[:count])
    other = rng.permutation(values)
    return np.concatenate([first.ravel(), values]), np.concatenate([second.ravel(), other])


def call(
    folder: Path, function: str, result: str, argument: str, *inputs: np.ndarray
) -> np.ndarray:
    """Apply one helper to each element of the inputs, on the simulated core."""
    names = ["a", "b"][: len(inputs)]
    source = f"""
        {result} {function}({", ".join(argument for _ in names)});
        int main(void) {{
            {argument} x[2];
            while (test_read(x, sizeof(x[0]) * {len(names)})) {{
                {result} y = {function}({", ".join(f"x[{i}]" for i in range(len(names)))});
                test_write(&y, sizeof(y));
            }}
            return 0;
        }}"""
    data = np.stack(inputs, axis=1).tobytes()
    output = xtensa_program.run(xtensa_program.build(folder, [source], "-Os"), data)
    return np.frombuffer(output, np.uint64 if len(output) == 8 * len(inputs[0]) else np.uint32)


def float_bits(values: np.ndarray) -> np.ndarray:
    """Bits of float32 results, every NaN as the one that the helpers give."""
    values = values.astype(np.float32)
    return np.where(np.isnan(values), np.uint32(QUIET_NAN), values.view(np.uint32))


def test_divsf3_equals_numpy(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    a, b = pairs(floats(rng, 50_000), rng)
    with np.errstate(all="ignore"):
        expected = float_bits(a / b)
    np.testing.assert_array_equal(call(tmp_path, "__divsf3", "float", "float", a, b), expected)


def test_sqrtf_equals_numpy(tmp_path: Path) -> None:
    values = floats(np.random.default_rng(2), 50_000)
    with np.errstate(all="ignore"):
        expected = float_bits(np.sqrt(values))
    np.testing.assert_array_equal(call(tmp_path, "sqrtf", "float", "float", values), expected)


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("floorf", np.floor),
        ("ceilf", np.ceil),
        ("truncf", np.trunc),
        ("rintf", np.rint),
        ("roundf", lambda x: np.copysign(np.floor(np.abs(x.astype(float)) + 0.5), x)),
    ],
)
def test_rounding_equals_numpy(
    name: str, reference: Callable[[np.ndarray], np.ndarray], tmp_path: Path
) -> None:
    rng = np.random.default_rng(3)
    halves = (np.arange(-2000, 2000) / 4).astype(np.float32)
    values = np.concatenate([floats(rng, 20_000), halves])
    values = values[~np.isnan(values)]
    expected = reference(values).astype(np.float32).view(np.uint32)
    np.testing.assert_array_equal(call(tmp_path, name, "float", "float", values), expected)


@pytest.mark.parametrize(("name", "reference"), [("fmaxf", np.fmax), ("fminf", np.fmin)])
def test_extremum_equals_numpy(
    name: str, reference: Callable[[np.ndarray, np.ndarray], np.ndarray], tmp_path: Path
) -> None:
    rng = np.random.default_rng(4)
    a, b = pairs(floats(rng, 5_000), rng)
    both_zero = (a == 0) & (b == 0)  # NumPy does not say which zero
    expected = float_bits(reference(a, b))
    got = call(tmp_path, name, "float", "float", a, b)
    got = np.where(got & 0x7FFFFFFF > 0x7F800000, np.uint32(QUIET_NAN), got)
    np.testing.assert_array_equal(got[~both_zero], expected[~both_zero])
    signs = (a.view(np.uint32) >> 31) + (b.view(np.uint32) >> 31)
    negative = signs == 2 if name == "fmaxf" else signs > 0
    np.testing.assert_array_equal(got[both_zero] >> 31 == 1, negative[both_zero])


@pytest.mark.parametrize(
    ("name", "result", "argument", "source", "target"),
    [
        ("__extendsfdf2", "double", "float", np.float32, np.float64),
        ("__floatsidf", "double", "int", np.int32, np.float64),
        ("__floatdisf", "float", "int64_t", np.int64, np.float32),
        ("__floatundisf", "float", "uint64_t", np.uint64, np.float32),
        ("__truncdfsf2", "float", "double", np.float64, np.float32),
    ],
)
def test_conversion_to_float_equals_numpy(
    name: str, result: str, argument: str, source: type, target: type, tmp_path: Path
) -> None:
    values = conversion_inputs(source)
    with np.errstate(all="ignore"):
        expected = values.astype(target)
    got = call(tmp_path, name, result, argument, values).view(target)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
    known = ~np.isnan(expected)
    bits = np.uint64 if target is np.float64 else np.uint32
    np.testing.assert_array_equal(got[known].view(bits), expected[known].view(bits))


def conversion_inputs(kind: type) -> np.ndarray:
    rng = np.random.default_rng(5)
    if kind is np.float32:
        return floats(rng, 20_000)
    bits = rng.integers(0, 1 << 64, 40_000, np.uint64, endpoint=False)
    shifted = bits >> rng.integers(0, 64, len(bits)).astype(np.uint64)
    if (
        kind is np.float64
    ):  # around float's range, its ties and its subnormals, then all of double's
        with np.errstate(invalid="ignore"):
            near = floats(rng, 20_000).astype(np.float64)
        ties = (near.view(np.uint64) + rng.integers(0, 4, len(near), np.uint64) * (1 << 28)).view(
            float
        )
        return np.concatenate([near, ties, bits.view(np.float64)])
    return np.concatenate([SPECIAL_INT, bits, shifted]).astype(kind)


@pytest.mark.parametrize(
    ("name", "result", "low", "high"),
    [
        ("__fixsfdi", "int64_t", -(1 << 63), (1 << 63) - 1),
        ("__fixunssfdi", "uint64_t", 0, (1 << 64) - 1),
    ],
)
def test_conversion_to_integer_truncates_and_saturates(
    name: str, result: str, low: int, high: int, tmp_path: Path
) -> None:
    rng = np.random.default_rng(6)
    scaled = rng.normal(size=20_000) * 2.0 ** rng.integers(-2, 70, 20_000)
    values = np.concatenate([SPECIAL, scaled.astype(np.float32)])

    def expect(value: float) -> int:
        if np.isnan(value):
            return 0
        if np.isinf(value):
            return high if value > 0 else low
        return max(low, min(high, int(value)))

    expected = [expect(float(v)) % (1 << 64) for v in values]
    got = call(tmp_path, name, result, "float", values)
    assert got.tolist() == expected


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("__muldi3", lambda a, b: a * b),
        ("__udivdi3", lambda a, b: a // b),
        ("__umoddi3", lambda a, b: a % b),
    ],
)
def test_unsigned_64_bit_equals_python(
    name: str, reference: Callable[[int, int], int], tmp_path: Path
) -> None:
    a, b = pairs(conversion_inputs(np.uint64)[:10_000], np.random.default_rng(7))
    a, b = (a, b) if name == "__muldi3" else (a[b != 0], b[b != 0])
    expected = [reference(int(x), int(y)) % (1 << 64) for x, y in zip(a, b, strict=True)]
    assert call(tmp_path, name, "uint64_t", "uint64_t", a, b).tolist() == expected


@pytest.mark.parametrize("name", ["__divdi3", "__moddi3"])
def test_signed_64_bit_truncates_towards_zero(name: str, tmp_path: Path) -> None:
    a, b = pairs(conversion_inputs(np.int64)[:10_000], np.random.default_rng(8))
    a, b = a[b != 0], b[b != 0]

    def expect(x: int, y: int) -> int:
        quotient = abs(x) // abs(y) * (-1 if (x < 0) != (y < 0) else 1)
        return (quotient if name == "__divdi3" else x - quotient * y) % (1 << 64)

    expected = [expect(int(x), int(y)) for x, y in zip(a, b, strict=True)]
    assert call(tmp_path, name, "int64_t", "int64_t", a, b).tolist() == expected


def test_memory_functions_equal_python(tmp_path: Path) -> None:
    source = """
        void *memset(void *, int, size_t);
        void *memcpy(void *, const void *, size_t);
        void *memmove(void *, const void *, size_t);
        int memcmp(const void *, const void *, size_t);
        size_t strlen(const char *);
        int strcmp(const char *, const char *);
        size_t wcslen(const int32_t *);
        int main(void) {
            struct { uint8_t to, from, bytes, value; } q;
            static char b[256], c[256];
            while (test_read(&q, 4)) {
                for (int i = 0; i < 256; i++) {
                    b[i] = c[i] = (char)(i * 7 + 1);
                }
                memmove(b + q.to, b + q.from, q.bytes);
                memcpy(c + q.to, b + q.from, q.bytes);
                memset(c + q.from, q.value, q.bytes / 2);
                test_write(b, 256);
                test_write(c, 256);
                test_put((uint32_t)memcmp(b + q.to, c + q.to, 40));
                b[q.from + q.bytes] = 0;
                test_put(strlen(b));
                int differ = strcmp(b + 5, c + 5);
                test_put((uint32_t)((differ > 0) - (differ < 0)));
                int32_t words[] = { q.to + 1, q.from + 1, 256, -1, 0, 1 };
                words[q.value & 3] *= (q.to & 1);
                test_put(wcslen(words));
            }
            return 0;
        }"""
    rng = np.random.default_rng(9)
    queries = rng.integers(0, 100, (400, 4), np.uint8)
    output = xtensa_program.run(xtensa_program.build(tmp_path, [source]), queries.tobytes())
    rows = np.frombuffer(output, np.uint8).reshape(len(queries), 528)
    for (to, start, count, value), row in zip(queries.tolist(), rows, strict=True):
        b = bytearray((i * 7 + 1) % 256 for i in range(256))
        c = bytearray(b)
        b[to : to + count] = b[start : start + count]
        c[to : to + count] = b[start : start + count]
        c[start : start + count // 2] = bytes([value] * (count // 2))
        assert row[:256].tobytes() == b
        assert row[256:512].tobytes() == c
        order = (b[to : to + 40] > c[to : to + 40]) - (b[to : to + 40] < c[to : to + 40])
        b[start + count] = 0
        x, y = bytes(b[5:]).split(b"\0")[0], bytes(c[5:]).split(b"\0")[0]
        words = 4 if to & 1 else value & 3
        expected = [order, b.index(0), (x > y) - (x < y), words]
        assert row[512:].view(np.int32).tolist() == expected
