"""Recipes: the C core against NumPy and SciPy in float64, and the file that a user writes."""

import json
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from wedau import _core
from wedau.bench import features as bench
from wedau.errors import DataError
from wedau.train import dataset, filters, plan, recipe, windows
from wedau.train.recipe import Recipe

RATE_HZ = 100.0
CHANNELS = ("a", "b", "c")


@st.composite
def filter_plans(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(filters.KINDS))
    low = draw(st.floats(3, 20))
    cutoff = [low, draw(st.floats(low + 5, 45))] if kind.startswith("band") else low
    channels = draw(st.lists(st.sampled_from(CHANNELS), min_size=1, max_size=3, unique=True))
    order = draw(st.integers(1, 2 if kind.startswith("band") else 4))
    return {"kind": kind, "order": order, "cutoff_hz": cutoff, "channels": channels}


@st.composite
def plans(draw: st.DrawFn) -> dict[str, Any]:
    several = {"max_size": 3, "unique": True}
    chosen: dict[str, Any] = {
        "filters": draw(st.lists(filter_plans(), max_size=2)),
        "magnitudes": draw(st.sampled_from([{}, {"abc": ["a", "b", "c"]}])),
        "statistics": draw(st.lists(st.sampled_from(recipe.STATISTICS), **several)),
        "bands_hz": draw(st.sampled_from([[], [0, 10, 50], [5, 20, 30], "octaves"])),
        "quantiles": draw(st.lists(st.sampled_from([0, 0.01, 0.25, 0.5, 0.9, 1]), **several)),
        "hann": draw(st.booleans()),
    }
    named = [*CHANNELS, *chosen["magnitudes"]]
    chosen["differences"] = draw(st.lists(st.sampled_from(named), **several))
    named += [f"{name}.diff" for name in chosen["differences"]]
    pairs = st.lists(st.sampled_from(named), min_size=2, max_size=2, unique=True)
    chosen["correlations"] = draw(st.lists(pairs, max_size=3, unique_by=tuple))
    chosen["quantiles"] = chosen["quantiles"] or [0.5]
    if draw(st.booleans()):
        mel = {"bands": draw(st.integers(1, 4)), "low_hz": 1, "high_hz": draw(st.floats(30, 50))}
        chosen["mel"] = mel | {"floor": draw(st.sampled_from([1e-10, 1e-2]))}
    return chosen


def triangles(plan_: Recipe, n_bins: int) -> Iterable[np.ndarray]:
    k = np.arange(n_bins)
    for low, top, high in zip(
        plan_.mel_edges, plan_.mel_edges[1:], plan_.mel_edges[2:], strict=False
    ):
        yield np.clip(np.minimum((k - low) / (top - low), (high - k) / (high - top)), 0, None)


def spectrum(d: np.ndarray, made: Recipe) -> np.ndarray:
    n, n_fft = len(d), recipe.fft_length(len(d))
    weight = (1 - np.cos(2 * np.pi * np.arange(n) / n)) / 2 if made.hann else np.ones(n)
    power = np.abs(np.fft.rfft(d * weight[:, None], n_fft, axis=0)) ** 2
    power[[0, -1]] /= 2
    return power * 2 / (n_fft * (weight**2).sum())


def of_window(w: np.ndarray, made: Recipe) -> np.ndarray:
    """The features of a window of filtered samples in float64, by their formulas."""
    columns = list(w.T)
    columns += [np.linalg.norm(w[:, list(of)], axis=1) for _, of in made.magnitudes]
    for _, of in made.differences:
        steps = np.diff(columns[of])
        columns.append(np.concatenate([steps[:1], steps]))
    x = np.stack(columns, 1)
    d = x - x.mean(0)
    std = x.std(0)
    quarter = np.quantile(x, [0.25, 0.5, 0.75], axis=0)
    parts = {
        "mean": x.mean(0),
        "std": std,
        "min": x.min(0),
        "max": x.max(0),
        "rms": np.sqrt((x**2).mean(0)),
        "peak_to_peak": np.ptp(x, axis=0),
        "zero_crossings": ((d < 0)[1:] != (d < 0)[:-1]).sum(0),
        "mean_abs_diff": np.abs(np.diff(x, axis=0)).mean(0),
        "median": quarter[1],
        "iqr": quarter[2] - quarter[0],
        "skewness": (d**3).mean(0) / std**3,
        "kurtosis": (d**4).mean(0) / std**4,
    }
    wanted = [parts[s] for s in recipe.STATISTICS if s in made.statistics]
    power = spectrum(d, made)
    bands = [np.sqrt(power[a:b].sum(0)) for a, b in pairwise(made.band_edges)]
    z = d / std
    mel = [np.log(np.maximum(t @ power, made.mel_floor)) for t in triangles(made, len(power))]
    quantiles = [np.quantile(x, np.float32(q), axis=0) for q in made.quantiles]
    rows = [np.stack(part, 1).ravel() for part in (wanted, bands) if part]
    rows.append(np.array([(z[:, a] * z[:, b]).mean() for a, b in made.correlations]))
    rows += [np.stack(part, 1).ravel() for part in (mel, quantiles) if part]
    return np.concatenate(rows)


def reference(samples: np.ndarray, starts: np.ndarray, made: Recipe) -> np.ndarray:
    x = samples.astype(np.float64)
    for each in made.filters:
        for c in each.channels:
            settled = signal.sosfilt_zi(each.sos) * x[0, c]
            x[:, c] = signal.sosfilt(each.sos, x[:, c], zi=settled)[0]
    return np.stack([of_window(x[s : s + made.length], made) for s in starts])


@settings(max_examples=60, deadline=None)
@given(plans(), st.integers(64, 200), st.integers(1, 300), st.integers(0, 2**32 - 1))
def test_any_recipe_equals_its_formulas(
    asked: dict[str, Any], length: int, hop: int, seed: int
) -> None:
    made = plan.recipe(asked, CHANNELS, ("g",) * 3, RATE_HZ, length, hop)
    rng = np.random.default_rng(seed)
    samples = rng.normal([1, -2, 0.5], [2, 1, 3], (3 * length, 3)).astype(np.float32)
    starts = windows.starts(len(samples), length, hop)
    got, exact = made.extract(samples, starts), reference(samples, starts, made)
    count = np.array([name.endswith("zero_crossings") for name in made.feature_names])
    np.testing.assert_allclose(got[:, ~count], exact[:, ~count], rtol=2e-3, atol=3e-4)
    assert np.abs(got[:, count] - exact[:, count]).max(initial=0) <= 2  # a sample near the mean
    assert made.info["hop"] == hop
    again = Recipe.from_json(json.loads(json.dumps(made.to_json())))
    assert again == made and again.blob == made.blob


@given(plans(), st.data())
def test_a_damaged_recipe_is_an_error_of_the_list_or_another_recipe(
    asked: dict[str, Any], data: st.DataObject
) -> None:
    made = plan.recipe(asked, CHANNELS, ("",) * 3, RATE_HZ, 100, 50)
    blob = bytearray(made.blob)
    for _ in range(data.draw(st.integers(1, 3))):
        blob[data.draw(st.integers(0, len(blob) - 1))] = data.draw(st.integers(0, 255))
    try:
        info = _core.info(bytes(blob))
    except ValueError as error:
        assert str(error) in _core.ERRORS.values()
        return
    samples = np.ones((info["length"], info["channels"]), np.float32)
    out = np.empty((1, info["n_features"]), np.float32)
    _core.filter(bytes(blob), samples, samples.copy())
    _core.extract(bytes(blob), samples, np.zeros(1, np.int64), out)


def test_a_filter_begins_as_if_the_first_sample_had_always_been_there() -> None:
    still = np.full((500, 1), 9.81, np.float32)
    for kind, cutoff, expected in (("highpass", 1.0, 0.0), ("lowpass", 1.0, 9.81)):
        made = filters.design(kind, 2, (cutoff,), (0,), RATE_HZ)
        one = Recipe(("a",), ("",), RATE_HZ, 100, 50, statistics=("mean",), filters=(made,))
        np.testing.assert_allclose(one.filtered(still), expected, atol=5e-3)


def test_a_mel_band_of_a_sine_holds_its_energy() -> None:
    rate_hz, hz = 16000.0, 1000.0
    t = np.arange(512) / rate_hz
    samples = (3 * np.sin(2 * np.pi * hz * t)).astype(np.float32)[:, None]
    edges = (16.0, 32.0, 48.0, 64.0)  # the sine is bin 32, the top of the first triangle
    made = Recipe(("a",), ("",), rate_hz, 512, 512, mel_edges=edges, mel_floor=1e-3)
    got = made.extract(samples, np.zeros(1, np.int64))[0]
    np.testing.assert_allclose(got, [np.log(9 / 2), np.log(1e-3)], rtol=1e-5)
    assert made.feature_names == ("a.mel_0_1000hz", "a.mel_1_1500hz")
    assert made.feature_units == ("1", "1")


def test_extraction_is_the_same_on_any_number_of_threads() -> None:
    rng = np.random.default_rng(0)
    made = recipe.standard(CHANNELS, ("g",) * 3, RATE_HZ, 128, 64)
    items = [rng.normal(size=(n, 3)).astype(np.float32) for n in (128, 700, 1000)]
    starts = [windows.starts(len(x), 128, 64) for x in items]
    one, four = (dataset.extract(made, items, starts, n_jobs=n) for n in (1, 4))
    for a, b, x, s in zip(one, four, items, starts, strict=True):
        np.testing.assert_array_equal(a, b)
        single = [made.extract(x, s[i : i + 1]) for i in range(len(s))]
        np.testing.assert_array_equal(a, np.concatenate(single))


def test_a_standard_recipes_json_and_steps_are_those_of_before() -> None:
    made = recipe.standard(("a", "b"), ("g", ""), 50.0, 200, 200)
    assert list(made.to_json())[-1] == "correlations"
    assert made.blob[5] == 3  # no step for the hop, as it is the window
    assert replace(made, hop=100).blob[5] == 4


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({}, "asks for no feature"),
        ({"statistic": ["mean"]}, "unknown key 'statistic'"),
        ({"statistics": ["mode"]}, "statistic 'mode' is not known"),
        ({"statistics": "mean"}, "statistics must be a list"),
        ({"quantiles": [1.5]}, "numbers from 0 to 1"),
        ({"quantiles": [True]}, "a quantile must be a number"),
        ({"quantiles": [0.5, 0.5]}, "two features the name 'a.q50'"),
        ({"bands_hz": [10]}, "two frequencies or more"),
        ({"bands_hz": [10, 60]}, "up to half the rate, 50"),
        ({"bands_hz": [10, 10.1]}, "the same bin"),
        ({"bands_hz": "all"}, "or 'octaves'"),
        ({"magnitudes": {"m": ["a", "b"]}}, "three channels, not 2"),
        ({"magnitudes": {"a": ["a", "b", "c"]}}, "two channels the name 'a'"),
        ({"magnitudes": []}, "must be an object"),
        ({"differences": ["d"]}, "differences name the channel 'd'"),
        ({"correlations": [["a"]]}, "of two channels"),
        ({"correlations": [["a", "a"]]}, "a channel with itself"),
        ({"filters": [{"kind": "low", "order": 2, "cutoff_hz": 5}]}, "'low' is not known"),
        ({"filters": [{"kind": "lowpass", "order": 0, "cutoff_hz": 5}]}, "order must be a whole"),
        ({"filters": [{"kind": "lowpass", "order": 2, "cutoff_hz": 50}]}, "cutoff is 50 Hz"),
        ({"filters": [{"kind": "lowpass", "order": 2}]}, "cutoff is missing"),
        ({"filters": [{"kind": "bandpass", "order": 2, "cutoff_hz": 5}]}, "cutoff is 5 Hz"),
        ({"filters": [{"kind": "bandpass", "order": 13, "cutoff_hz": [5, 9]}]}, "13 sections"),
        ({"filters": [{"kind": "highpass", "order": 2, "cutoff_hz": 0.003}]}, "too fine for float"),
        ({"filters": [{"kind": "lowpass", "order": 2, "cutoff_hz": 5, "channels": []}]}, "no chan"),
        ({"filters": ["lowpass"]}, "a filter must be an object"),
        ({"mel": {"bands": 59, "high_hz": 20}}, "too many: one holds no bin"),
        ({"mel": {"bands": 4, "high_hz": 80}}, "from 0 to 80 Hz"),
        ({"mel": {"bands": 4, "floor": 0}}, "floor is 0"),
        ({"mel": {}}, "number of mel bands"),
        ({"hann": 1}, "hann must be true or false"),
    ],
)
def test_a_wrong_recipe_is_refused(asked: dict[str, Any], text: str) -> None:
    with pytest.raises(DataError) as caught:
        plan.recipe(asked, CHANNELS, ("",) * 3, RATE_HZ, 100, 50)
    assert text in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("content", "text"),
    [("{", "is not JSON"), ("[]", "not an object"), ('{"a": 1}', "unknown key 'a'")],
)
def test_a_wrong_recipe_file_is_refused(content: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / "recipe.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=text):
        plan.read(path)
    with pytest.raises(DataError, match="cannot read"):
        plan.read(tmp_path / "other.json")


def test_the_files_window_counts() -> None:
    assert plan.times({}, 6000, 10) == (6000, 10)
    assert plan.times({"window_ms": 2000}, 6000, 10) == (2000, None)
    assert plan.times({"window_ms": 2000, "hop_ms": 500}, 6000, 10) == (2000, 500)
    with pytest.raises(DataError, match="window_ms must be a number"):
        plan.times({"window_ms": "2 s"}, 6000, None)


def test_numpys_features_of_the_benchmark_are_the_cores() -> None:
    made = recipe.standard(CHANNELS, ("g",) * 3, RATE_HZ, 128, 64)
    samples = np.random.default_rng(0).normal(size=(128, 3)).astype(np.float32)
    got = made.extract(samples, np.zeros(1, np.int64))[0]
    np.testing.assert_allclose(got, bench.of_window(samples, made), rtol=1e-4, atol=1e-5)
