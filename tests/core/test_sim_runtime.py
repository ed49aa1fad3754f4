"""The simulated board's float and 64-bit routines, compiled for the host, against NumPy."""

import ctypes
import subprocess

import numpy as np
import pytest

from wedau.paths import resource

_FUNCTIONS = ("__divsf3", "__truncdfsf2", "__extendsfdf2", "__floatsidf", "__floatunsidf")
_FUNCTIONS += ("__muldi3", "__udivdi3", "__umoddi3", "__divdi3", "__moddi3")
_FUNCTIONS += ("fabsf", "copysignf", "nanf")
_DRIVER = """
#include <stddef.h>
#include <stdint.h>
float t___divsf3(float a, float b);
float t___truncdfsf2(double x);
double t___extendsfdf2(float x);
uint64_t t___muldi3(uint64_t a, uint64_t b);
uint64_t t___udivdi3(uint64_t a, uint64_t b);
uint64_t t___umoddi3(uint64_t a, uint64_t b);
int64_t t___divdi3(int64_t a, int64_t b);
int64_t t___moddi3(int64_t a, int64_t b);
void divide(const float *a, const float *b, float *q, size_t n) {
    for (size_t i = 0; i < n; ++i) { q[i] = t___divsf3(a[i], b[i]); }
}
void narrow(const double *x, float *y, size_t n) {
    for (size_t i = 0; i < n; ++i) { y[i] = t___truncdfsf2(x[i]); }
}
void widen(const float *x, double *y, size_t n) {
    for (size_t i = 0; i < n; ++i) { y[i] = t___extendsfdf2(x[i]); }
}
"""


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    folder = tmp_path_factory.mktemp("runtime")
    (folder / "driver.c").write_text(_DRIVER)
    names = [name.strip("_") for name in _FUNCTIONS if name.endswith(("f2", "f3", "i3"))]
    rt = resource("firmware", "xtensa", "rt")
    sources = [resource("firmware", "sim", "math.c"), *(rt / f"{name}.c" for name in names)]
    renamed = [f"-D{name}=t_{name}" for name in _FUNCTIONS]
    command = [
        "cc",
        "-O1",
        "-shared",
        "-fPIC",
        "-fno-builtin",
        "-Wall",
        "-Wextra",
        "-Werror",
        f"-I{rt}",
    ]
    library = folder / "runtime.so"
    subprocess.run([*command, *renamed, "-o", library, folder / "driver.c", *sources], check=True)
    return ctypes.CDLL(str(library))


def _pointer(array: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def _floats(rng: np.random.Generator, n: int) -> np.ndarray:
    """Floats of all kinds: random bits, subnormals, powers of two, zeros, infinities, NaNs."""
    bits = rng.integers(0, 1 << 32, n, dtype=np.uint32)
    bits[::5] &= np.uint32(0x807FFFFF)
    bits[1::7] &= np.uint32(0xFF800000)
    bits[2::11] = rng.choice(
        np.array([0, 1, 0x7F800000, 0x80000000, 0x7FC00000, 0x3F800000, 0x7F7FFFFF], np.uint32),
        len(bits[2::11]),
    )
    return bits.view(np.float32)


def _same(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    bits = np.uint32 if a.dtype == np.float32 else np.uint64
    return (np.isnan(a) & np.isnan(b)) | (a.view(bits) == b.view(bits))


def test_runtime_divides_floats_as_ieee_754_does(runtime: ctypes.CDLL) -> None:
    rng = np.random.default_rng(1)
    a, b = _floats(rng, 1_000_000), _floats(rng, 1_000_000)
    got = np.empty_like(a)
    runtime.divide(_pointer(a), _pointer(b), _pointer(got), ctypes.c_size_t(len(a)))
    with np.errstate(all="ignore"):
        assert _same(got, a / b).all()


def test_runtime_divides_floats_that_end_subnormal(runtime: ctypes.CDLL) -> None:
    rng = np.random.default_rng(2)
    a = (rng.random(500_000) * 2.0 ** rng.integers(-126, -100, 500_000)).astype(np.float32)
    b = (rng.random(500_000) * 2.0 ** rng.integers(5, 40, 500_000) + 1).astype(np.float32)
    got = np.empty_like(a)
    runtime.divide(_pointer(a), _pointer(b), _pointer(got), ctypes.c_size_t(len(a)))
    assert _same(got, a / b).all()
    assert (np.abs(got) < np.finfo(np.float32).tiny).mean() > 0.3


def test_runtime_converts_between_float_and_double(runtime: ctypes.CDLL) -> None:
    rng = np.random.default_rng(3)
    x = _floats(rng, 300_000)
    wide = np.empty(len(x))
    runtime.widen(_pointer(x), _pointer(wide), ctypes.c_size_t(len(x)))
    with np.errstate(invalid="ignore"):
        assert _same(wide, x.astype(np.float64)).all()
    y = rng.integers(0, 1 << 64, 300_000, dtype=np.uint64).view(np.float64)
    y[::2] = rng.standard_normal(150_000) * 2.0 ** rng.integers(-155, 130, 150_000)
    y[::9] = np.nan_to_num(x[: len(y[::9])])
    narrow = np.empty(len(y), np.float32)
    runtime.narrow(_pointer(y), _pointer(narrow), ctypes.c_size_t(len(y)))
    with np.errstate(all="ignore"):
        assert _same(narrow, y.astype(np.float32)).all()


def test_runtime_calculates_with_64_bit_integers(runtime: ctypes.CDLL) -> None:
    rng = np.random.default_rng(4)
    functions = [
        ("muldi3", ctypes.c_uint64, lambda a, b: a * b % 2**64),
        ("udivdi3", ctypes.c_uint64, lambda a, b: a // b),
        ("umoddi3", ctypes.c_uint64, lambda a, b: a % b),
        ("divdi3", ctypes.c_int64, lambda a, b: abs(a) // abs(b) * (1 if a * b > 0 else -1)),
        ("moddi3", ctypes.c_int64, lambda a, b: abs(a) % abs(b) * (1 if a > 0 else -1)),
    ]
    for name, kind, expected in functions:
        call = runtime[f"t___{name}"]
        call.restype, call.argtypes = kind, [kind, kind]
        for _ in range(3000):
            bits = [int(word) for word in rng.integers(0, 1 << 64, 2, dtype=np.uint64)]
            shifts = rng.integers(0, 64, 2).tolist()
            a, b = (kind(word >> n).value for word, n in zip(bits, shifts, strict=True))
            if b:
                assert call(a, b) == kind(expected(a, b)).value, (name, a, b)
