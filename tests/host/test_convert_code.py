"""The generated C computes what the program computes; its exponentials are as near as stated."""

import ctypes
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import families
from hostc import SANITIZERS, HostModel
from wedau import models
from wedau.cli.proving import BOUND, Case, boundary_rows
from wedau.errors import ConvertError
from wedau.models import Program, Sums, Votes
from wedau.paths import resource

pytestmark = pytest.mark.filterwarnings("ignore")


def check(program: Program, model: HostModel, rows: np.ndarray) -> None:
    """Compare the C with the program: equal classes, outputs within the bound.

    Classes of trees are equal everywhere. Of float32 they are, but where float64's best two outputs
    are as near as the bound.
    """
    expected, got = program.outputs(rows), model.outputs(rows)
    largest = float(np.abs(expected).max(initial=1.0))
    assert np.all(np.abs(got - expected) <= BOUND * largest)
    if program.task == "regressor":
        return
    unlike = model.predict(rows) != program.predict(rows)
    if isinstance(program, Votes | Sums):
        assert not np.any(unlike)
    elif program.task == "anomaly":
        assert np.all(np.abs(expected[unlike]) <= BOUND * largest)
    else:
        best = np.sort(expected[unlike], axis=1)
        assert np.all(best[:, -1] - best[:, -2] <= 2 * BOUND)


def inputs(fitted: families.Fitted, everywhere: bool = True) -> np.ndarray:
    """Its data, all boundary inputs, and rows from the whole grid."""
    random = np.random.default_rng(1)
    n = fitted.program.n_features
    boundary = boundary_rows(fitted.program, fitted.rows)
    corners = np.array([[-32768] * n, [32767] * n, [0] * n], np.int16)
    anything = random.integers(-32768, 32768, (200 * everywhere, n)).astype(np.int16)
    return np.concatenate([fitted.rows, boundary, corners, anything])


@pytest.mark.parametrize("name", families.ALL)
def test_c_of_every_family_under_the_sanitizer(name: str, tmp_path: Path):
    for n_classes in (2, 3):
        folder = tmp_path / str(n_classes)
        folder.mkdir()
        rows, y = families.data(5, n_classes=n_classes)
        scaler = "alone" if name in families.TREES else "standard"
        fitted = families.fit(name, rows, y, scaler=scaler)
        model = HostModel(fitted.program, folder, ("-O1", *SANITIZERS))
        check(fitted.program, model, inputs(fitted))


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    name=st.sampled_from(sorted(families.ALL)),
    seed=st.integers(0, 2**31),
    n_features=st.integers(1, 8),
    n_classes=st.integers(2, 6),
    spread=st.sampled_from([1, 3, 100, 16000]),
)
def test_c_of_random_estimators(
    name: str,
    seed: int,
    n_features: int,
    n_classes: int,
    spread: int,
    tmp_path_factory: pytest.TempPathFactory,
):
    if name == "elliptic envelope" or name.startswith("mixture"):
        spread = max(spread, 100)
    rows, y = families.data(seed, n_features, n_classes, spread)
    scaler = "alone" if name in families.TREES else "standard"
    fitted = families.fit(name, rows, y, scaler=scaler)
    model = HostModel(fitted.program, tmp_path_factory.mktemp("c"), ("-O0",))
    check(fitted.program, model, inputs(fitted, name in families.TREES))


def test_sums_at_the_ends_of_32_bits_do_not_overflow(tmp_path: Path):
    rows, y = families.data(5)
    for factor in (1e-30, 1.0, 1e30):
        folder = tmp_path / str(factor)
        folder.mkdir()
        make = families.ALL["extra trees, regression"]
        estimator = make().fit(rows, (y - 1) * factor)
        program = models.from_sklearn(estimator)
        model = HostModel(program, folder, ("-O1", *SANITIZERS))
        expected = estimator.predict(rows)
        given_back = model.outputs(rows)[:, 0]
        assert np.all(np.abs(given_back - expected) <= 1e-6 * np.abs(expected).max())


# The exponential and the hyperbolic tangent.


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Callable]:
    """wd_exp and wd_tanh over arrays of float32."""
    folder = tmp_path_factory.mktemp("exp")
    source, library, core = folder / "e.c", folder / "e.so", resource("modules", "core")
    loop = "void {0}s(const float *x, long n, float *y) {{ while (n--) *y++ = {0}(*x++); }}\n"
    names = ("wd_exp", "wd_tanh")
    source.write_text('#include "models/wd_exp.h"\n' + "".join(loop.format(n) for n in names))
    files = [source, core / "models" / "wd_exp.c", core / "wd_mathf.c"]
    flags = ["-std=c99", "-O2", "-ffp-contract=off", "-shared", "-fPIC", f"-I{core}"]
    subprocess.run(["gcc", *flags, "-o", library, *files], check=True)
    loaded = ctypes.CDLL(str(library))

    def over(name: str) -> Callable[[np.ndarray], np.ndarray]:
        def call(x: np.ndarray) -> np.ndarray:
            x, y = np.ascontiguousarray(x, np.float32), np.empty(len(x), np.float32)
            pointers = (x.ctypes.data_as(ctypes.c_void_p), y.ctypes.data_as(ctypes.c_void_p))
            getattr(loaded, f"{name}s")(pointers[0], ctypes.c_long(len(x)), pointers[1])
            return y

        return call

    return {name: over(name) for name in names}


def stated_units(name: str) -> float:
    """Read from the header how near the function is said to be."""
    text = resource("modules", "core", "models", "wd_exp.h").read_text(encoding="utf-8")
    before = text.partition(f"float {name}(")[0].rpartition("\n\n")[2]
    return float(before.partition("within ")[2].split()[0])


def every_float(step: int, sign: int = 0) -> np.ndarray:
    """Finite floats of one sign over all exponents, every step-th."""
    bits = np.arange(0, 0x7F800000, step, dtype=np.uint32) | np.uint32(sign << 31)
    return bits.view(np.float32)


def units(got: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """How far each is off in units of the last place of the exact value."""
    with np.errstate(all="ignore"):
        place = np.spacing(np.abs(exact).astype(np.float32)).astype(np.float64)
    return np.abs(got.astype(np.float64) - exact) / place


def test_exponential_is_as_near_as_its_header_states(functions):
    x = np.concatenate([every_float(997), every_float(997, 1)])
    dense = np.arange(-88, 89, 2.0**-12, dtype=np.float64).astype(np.float32)
    x = np.concatenate([x, dense])
    exact = np.exp(x.astype(np.float64))
    got = functions["wd_exp"](x)
    finite = (exact < 3.4028235e38) & (x > -87.33)
    off = units(got[finite], exact[finite])
    assert off.max() <= stated_units("wd_exp")
    assert off.max() > 0.8 * stated_units("wd_exp")
    below = (x <= -87.33) & (x > -104)
    assert np.all(np.abs(got[below] - exact[below]) <= stated_units("wd_exp") * 2.0**-149)
    assert np.all(got[x <= -104] == 0)
    assert np.all(np.isinf(got[x > 88.7229]))


def test_tangent_is_as_near_as_its_header_states(functions):
    dense = np.arange(0, 12, 2.0**-16, dtype=np.float64).astype(np.float32)
    x = np.concatenate([every_float(997), dense])
    got = functions["wd_tanh"](x)
    off = units(got, np.tanh(x.astype(np.float64)))
    assert off.max() <= stated_units("wd_tanh")
    assert off.max() > 0.8 * stated_units("wd_tanh")
    np.testing.assert_array_equal(functions["wd_tanh"](-x), -got)
    assert np.all(np.abs(got) <= 1)


def test_special_values(functions):
    odd = np.array([0, -0.0, np.inf, -np.inf, np.nan, 1e-45, -1e-45, 88.73, 3e38], np.float32)
    expected = np.array([1, 1, np.inf, 0, np.nan, 1, 1, np.inf, np.inf], np.float32)
    np.testing.assert_array_equal(functions["wd_exp"](odd), expected)
    expected = np.array([0, -0.0, 1, -1, np.nan, 1e-45, -1e-45, 1, 1], np.float32)
    np.testing.assert_array_equal(functions["wd_tanh"](odd), expected)


@pytest.mark.parametrize("name", ["wd_exp", "wd_tanh"])
def test_never_falls_by_more_than_its_error(functions, name: str):
    """Between neighbouring floats it may fall by what it is off, at the seams too; never more."""
    x = np.sort(np.concatenate([every_float(4099), every_float(4099, 1)]))
    seams = [-104, -88.73, -87.336, -10, -0.625, 0.34657, 0.625, 10, 88.7228]
    for seam in seams:
        near = np.float32(seam).view(np.uint32) + np.arange(-3000, 3000)
        x = np.concatenate([x, near.astype(np.uint32).view(np.float32)])
    x = np.unique(x[x >= -104.5])
    y = functions[name](x).astype(np.float64)
    fall = y[:-1] - y[1:]
    with np.errstate(all="ignore"):
        place = np.spacing(np.abs(y[1:]).astype(np.float32))
    falls = np.isfinite(y[1:]) & (fall > 0)
    assert np.all(fall[falls] <= 2 * stated_units(name) * place[falls])


def test_a_row_that_the_program_decides_otherwise_is_not_blamed_on_the_compiler():
    rows, y = families.data(5)
    program = families.fit("random forest, soft", rows, y).program
    predicted = program.predict(rows)
    other = (predicted + (np.arange(len(rows)) == 4)) % 3
    case = Case(program, rows, other, program.outputs(rows))
    decided, given_back = program.predict(case.rows), case.outputs.astype(np.float32)
    with pytest.raises(ConvertError, match="held-out row 6") as caught:
        case.check(decided, given_back)
    assert "two classes are level" in caught.value.hint
    wrong = Case(program, rows, predicted, program.outputs(rows))
    with pytest.raises(ConvertError) as caught:
        wrong.check(decided + 1, given_back)
    assert "compiler" in caught.value.hint
