"""The extension against NumPy, in float32 where the bits have to agree."""

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from wedau import _core
from wedau.errors import DataError
from wedau.train import grid, recipe, windows

FLOAT32 = st.floats(width=32, allow_nan=False)
SCALE = st.floats(2.0**-100, 2.0**100, width=32)


@given(
    x=hnp.arrays(np.float32, (7, 3), elements=FLOAT32),
    scale=hnp.arrays(np.float32, (3,), elements=SCALE),
)
def test_quantize_is_one_float32_division_rounded_half_to_even(
    x: np.ndarray, scale: np.ndarray
) -> None:
    with np.errstate(over="ignore", under="ignore"):
        expected = np.clip(np.rint(x / scale), -32767, 32767).astype(np.int16)
    np.testing.assert_array_equal(grid.quantize(x, scale), expected)


@given(hnp.arrays(np.float32, (9, 4), elements=st.floats(-(2.0**90), 2.0**90, width=32)))
def test_the_grid_holds_twice_the_training_data_and_uses_an_eighth_of_int16(x: np.ndarray) -> None:
    scale = grid.fit_scale(x)
    q = grid.quantize(x, scale).astype(np.int64)
    whole = np.all(x == np.rint(x), axis=0) & (np.abs(x).max(axis=0) <= 32767)
    assert np.all(scale[whole] == 1)
    np.testing.assert_array_equal(q[:, whole], x[:, whole])
    other = np.abs(q[:, ~whole]).max(axis=0, initial=0)
    subnormal = np.abs(x[:, ~whole]).max(axis=0, initial=0) < 2.0**-100
    assert np.all(other <= 16384)
    assert np.all((other >= 8191) | subnormal)
    assert np.all(np.frexp(scale)[0] == 0.5)  # powers of two


def test_scale_of_a_column_of_zeros_is_one() -> None:
    assert grid.fit_scale(np.zeros((3, 1), np.float32)).tolist() == [1]


def test_quantize_by_an_example() -> None:
    x = np.array([[0.5, 1.5, -2.5, 1e9]], np.float32)
    assert grid.quantize(x, np.ones(4, np.float32)).tolist() == [[0, 2, -2, 32767]]


@pytest.mark.parametrize(
    ("x", "scale", "text"),
    [
        ([[np.nan]], [1], _core.ERRORS["NAN"]),
        ([[1]], [0], _core.ERRORS["SCALE"]),
        ([[1]], [-1], _core.ERRORS["SCALE"]),
        ([[1]], [np.inf], _core.ERRORS["SCALE"]),
        ([[1, 2]], [1], "the widths of x, scale and out differ"),
    ],
)
def test_quantize_refuses(x: list[list[float]], scale: list[float], text: str) -> None:
    with pytest.raises(DataError, match=text):
        grid.quantize(np.array(x, np.float32), np.array(scale, np.float32))


@given(st.integers(0, 3000), st.integers(4, 300), st.integers(1, 300))
def test_windows_are_whole_and_all_there(n: int, length: int, hop: int) -> None:
    starts = windows.starts(n, length, hop)
    assert starts.tolist() == [s for s in range(0, n, hop) if s + length <= n]


def test_default_hop_is_half_a_window() -> None:
    assert windows.length_and_hop(4000, None, 50) == (200, 100)
    assert windows.length_and_hop(4000, 500, 50) == (200, 25)


def reference(w: np.ndarray, plan: recipe.Recipe) -> np.ndarray:
    """The features of windows in float64, as docs/reference/features.md defines them."""
    mean = w.mean(1)
    d = w - mean[:, None]
    std = d.std(1)
    below = d < 0
    q25, q50, q75 = np.quantile(w, [0.25, 0.5, 0.75], axis=1)
    parts = {
        "mean": mean,
        "std": std,
        "min": w.min(1),
        "max": w.max(1),
        "rms": np.sqrt((w**2).mean(1)),
        "peak_to_peak": np.ptp(w, axis=1),
        "zero_crossings": (below[:, 1:] != below[:, :-1]).sum(1),
        "mean_abs_diff": np.abs(np.diff(w, axis=1)).mean(1),
        "median": q50,
        "iqr": q75 - q25,
        "skewness": (d**3).mean(1) / std**3,
        "kurtosis": (d**4).mean(1) / std**4,
    }
    statistics = np.stack([parts[s] for s in recipe.STATISTICS], 2)
    n = 1 << (plan.length - 1).bit_length()
    turn = 2 * np.pi * np.arange(plan.length) / plan.length
    weight = (1 - np.cos(turn)) / 2 if plan.hann else np.ones(plan.length)
    power = np.abs(np.fft.rfft(d * weight[None, :, None], n, axis=1)) ** 2
    power[:, [0, -1]] /= 2
    power *= 2 / (n * (weight**2).sum())
    bands = np.sqrt(np.stack([power[:, a:b].sum(1) for a, b in pairwise(plan.band_edges)], 2))
    z = d / std[:, None]
    pairs = np.stack([(z[:, :, a] * z[:, :, b]).mean(1) for a, b in plan.correlations], 1)
    rows = len(w)
    return np.hstack([statistics.reshape(rows, -1), bands.reshape(rows, -1), pairs])


@settings(max_examples=40, deadline=None)
@given(st.integers(4, 300), st.booleans(), st.integers(0, 2**32 - 1))
def test_features_equal_their_formulas(length: int, hann: bool, seed: int) -> None:
    bins = (1 << (length - 1).bit_length()) // 2
    plan = recipe.Recipe(
        ("a", "b", "c"),
        ("g",) * 3,
        50.0,
        length,
        length,
        magnitudes=(("norm", (2, 0, 1)),),
        statistics=recipe.STATISTICS,
        band_edges=(0, 1, bins, bins + 1) if bins > 1 else (0, 1),
        hann=hann,
        correlations=((0, 1), (3, 2)),
    )
    samples = np.random.default_rng(seed).normal(1, 2, (3 * length, 3)).astype(np.float32)
    starts = windows.starts(len(samples), length, max(1, length // 2))
    got = plan.extract(samples, starts)
    cut = np.stack([samples[s : s + length] for s in starts]).astype(np.float64)
    norm = np.linalg.norm(cut, axis=2, keepdims=True)
    expected = reference(np.concatenate([cut, norm], 2), plan)
    crossings = [n.endswith("zero_crossings") for n in plan.feature_names]
    np.testing.assert_allclose(got, expected, rtol=2e-4, atol=2e-5)
    np.testing.assert_array_equal(got[:, crossings], expected[:, crossings])


def test_bands_of_a_sine_hold_its_rms_and_share_it_out() -> None:
    t = np.arange(256) / 50
    samples = np.sin(2 * np.pi * 3.125 * t).astype(np.float32)[:, None]
    plan = recipe.Recipe(("a",), ("g",), 50.0, 256, 256, band_edges=(0, 16, 17, 129))
    got = plan.extract(samples, np.zeros(1, np.int64))[0]
    np.testing.assert_allclose(got, [0, np.sqrt(0.5), 0], atol=1e-6)
    assert plan.feature_names == ("a.band_0_3.12hz", "a.band_3.12_3.32hz", "a.band_3.32_25hz")
    assert plan.feature_units == ("g", "g", "g")


def test_names_and_units_follow_the_order_of_the_values() -> None:
    plan = recipe.standard(["ax", "ay"], ["g", ""], 10.0, 40, 10)
    names = plan.feature_names
    assert names[:10] == tuple(f"ax.{s}" for s in recipe.STATISTICS[:10])
    assert names[20] == "ax.band_0.156_0.312hz"
    assert names[-1] == "ax.corr.ay"
    assert plan.feature_units[:8] == ("g",) * 6 + ("1", "g")
    assert len(names) == plan.info["n_features"] == len(plan.feature_units)


def test_stub_describes_the_extension() -> None:
    command = [sys.executable, "-m", "mypy.stubtest", "wedau._core"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@given(st.binary(max_size=40))
def test_any_bytes_are_a_recipe_or_an_error_of_the_list(data: bytes) -> None:
    try:
        info = _core.info(_core.MAGIC + data)
    except ValueError as error:
        assert str(error) in _core.ERRORS.values()
    else:
        assert info["n_features"] > 0


def test_recipe_of_too_many_channels_is_refused() -> None:
    with pytest.raises(DataError, match="has no channels, or too many"):
        _ = recipe.standard([f"c{i}" for i in range(17)], [""] * 17, 50, 100, 50).blob


@pytest.mark.parametrize(
    ("change", "kind", "text"),
    [
        ({"recipe": b"WDR"}, ValueError, "cut short"),
        ({"recipe": "text"}, TypeError, "bytes"),
        ({"samples": np.zeros((9, 2), np.float32)}, ValueError, "the samples have 2 channels"),
        ({"samples": np.zeros((9, 1))}, TypeError, "samples must be an aligned, contiguous float"),
        ({"samples": np.zeros((1, 9), np.float32).T}, None, ""),
        ({"samples": np.zeros((18, 2), np.float32)[::2, :1]}, (TypeError, ValueError), "ontiguous"),
        ({"starts": np.zeros(1, np.int32)}, TypeError, "starts must be"),
        ({"starts": np.array([-1])}, ValueError, "window 0 lies outside the samples"),
        ({"starts": np.array([0, 2**62])}, ValueError, "must be of shape"),
        ({"starts": np.array([6])}, ValueError, "window 0 lies outside the samples"),
        ({"out": np.zeros((1, 2), np.float32)}, ValueError, "out must be of shape (1, 1)"),
        ({"out": b"abcd"}, (BufferError, TypeError), ""),
    ],
)
def test_extract_checks_its_buffers(
    change: dict[str, object], kind: type[Exception] | None, text: str
) -> None:
    plan = recipe.Recipe(("a",), ("",), 1.0, 4, 4, statistics=("mean",))
    good = {
        "recipe": plan.blob,
        "samples": np.zeros((9, 1), np.float32),
        "starts": np.array([5]),
        "out": np.zeros((1, 1), np.float32),
    }
    arguments = (good | change).values()
    if kind is None:
        _core.extract(*arguments)
        return
    with pytest.raises(kind) as caught:
        _core.extract(*arguments)
    assert text in str(caught.value)
