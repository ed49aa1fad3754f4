"""What a user asks of a feature recipe: a JSON file in names and Hz, before the data are known.

docs/reference/features.md describes the file.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import isfinite, log10
from pathlib import Path
from typing import Any

import numpy as np

from wedau import _core, files
from wedau.errors import DataError
from wedau.train import filters
from wedau.train.filters import Filter
from wedau.train.recipe import STATISTICS, Recipe, fft_length, octaves

_LOOK = "see the section on recipes in docs/reference/features.md"
_LARGEST_BYTES = 1 << 20
_MAX_MEL = _core.LIMITS["MAX_MEL_EDGES"] - 2
# fmt: off
KEYS = (
    "window_ms", "hop_ms", "filters", "magnitudes", "differences", "statistics", "bands_hz",
    "correlations", "mel", "quantiles", "hann",
)
# fmt: on


@dataclass(frozen=True)
class _Channels:
    """Names of the recorded and the derived channels, as they are counted."""

    names: tuple[str, ...]

    def index(self, name: Any, what: str) -> int:
        if name not in self.names:
            raise _wrong(f"{what} name the channel {name!r}", f"there are {', '.join(self.names)}")
        return self.names.index(name)


def read(path: Path) -> dict[str, Any]:
    """Read a recipe file; its content is checked when it meets the data.

    Raises:
        DataError: there is no such file, it is not JSON, or it has a key that is not known.
    """
    try:
        content = json.loads(files.read(path, _LARGEST_BYTES, DataError, _LOOK).decode("utf-8"))
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}", "give --recipe a file") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not JSON: {error}", _LOOK) from error
    if not isinstance(content, dict):
        raise DataError(f"{path} is JSON, but not an object with keys", _LOOK)
    check_keys(content)
    return content


def check_keys(plan: Mapping[str, Any]) -> None:
    """Raise DataError if a key is not known."""
    _only(plan, KEYS, "the recipe")


def times(plan: Mapping[str, Any], window_ms: float, hop_ms: float | None) -> tuple[float, Any]:
    """Return window and hop in ms: those of the plan if it has any, else those given."""
    if "window_ms" in plan:
        window_ms, hop_ms = _number(plan["window_ms"], "window_ms", above=0), None
    if "hop_ms" in plan:
        hop_ms = _number(plan["hop_ms"], "hop_ms", above=0)
    return window_ms, hop_ms


def recipe(
    plan: Mapping[str, Any],
    channels: Sequence[str],
    units: Sequence[str],
    rate_hz: float,
    length: int,
    hop: int,
) -> Recipe:
    """Return the recipe that a plan is for certain data.

    Args:
        plan: JSON's types, as of read().
        channels: names of the recorded channels.
        units: unit of each.
        rate_hz: samples a second.
        length: samples in a window.
        hop: samples from one window's start to the next one's.

    Raises:
        DataError: a value is of another type or out of range, or names a channel that is not there.
    """
    check_keys(plan)
    recorded = _Channels(tuple(channels))
    magnitudes = _magnitudes(plan.get("magnitudes", {}), recorded)
    named = _Channels((*recorded.names, *(name for name, _ in magnitudes)))
    differences = _differences(plan.get("differences", []), named)
    every = _Channels((*named.names, *(name for name, _ in differences)))
    _distinct(every.names, "channels")
    edges, floor = _mel(plan.get("mel"), rate_hz, length)
    made = Recipe(
        channels=recorded.names,
        units=tuple(units),
        rate_hz=rate_hz,
        length=length,
        hop=hop,
        magnitudes=magnitudes,
        statistics=_statistics(plan.get("statistics", [])),
        band_edges=_bands(plan.get("bands_hz", []), rate_hz, length),
        hann=_flag(plan.get("hann", False), "hann"),
        correlations=_correlations(plan.get("correlations", []), every),
        filters=tuple(_filter(f, recorded, rate_hz) for f in _list(plan, "filters")),
        differences=differences,
        mel_edges=edges,
        mel_floor=floor,
        quantiles=_quantiles(plan.get("quantiles", [])),
    )
    if not made.feature_names:
        raise _wrong("the recipe asks for no feature", "give statistics, bands_hz, mel, ...")
    _distinct(made.feature_names, "features")
    _ = made.blob
    return made


def _wrong(message: str, hint: str = _LOOK) -> DataError:
    return DataError(message, hint)


def _only(value: Any, keys: Sequence[str], what: str) -> None:
    if not isinstance(value, Mapping):
        raise _wrong(f"{what} must be an object with keys, not {value!r}")
    for key in value:
        if key not in keys:
            raise _wrong(f"{what} has the unknown key {key!r}", f"the keys are {', '.join(keys)}")


def _distinct(names: Sequence[str], what: str) -> None:
    double = [name for name in names if names.count(name) > 1]
    if double:
        raise _wrong(f"the recipe gives two {what} the name {double[0]!r}", "leave one of them out")


def _number(value: Any, what: str, above: float = -float("inf")) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise _wrong(f"{what} must be a number, not {value!r}")
    if not value > above:
        raise _wrong(f"{what} is {value:g}, it must be above {above:g}")
    return float(value)


def _whole(value: Any, what: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise _wrong(f"{what} must be a whole number from {low} to {high}, not {value!r}")
    return value


def _flag(value: Any, what: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong(f"{what} must be true or false, not {value!r}")
    return value


def _list(holder: Mapping[str, Any], key: str) -> list[Any]:
    return _as_list(holder.get(key, []), key)


def _as_list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise _wrong(f"{what} must be a list, not {value!r}")
    return value


def _magnitudes(value: Any, channels: _Channels) -> tuple[tuple[str, tuple[int, int, int]], ...]:
    if not isinstance(value, Mapping):
        raise _wrong(f"magnitudes must be an object of names and three channels, not {value!r}")
    found = []
    for name, of in value.items():
        if len(_as_list(of, f"the magnitude {name}")) != 3:
            raise _wrong(f"the magnitude {name} must have three channels, not {len(of)}")
        a, b, c = (channels.index(channel, "magnitudes") for channel in of)
        found.append((name, (a, b, c)))
    return tuple(found)


def _differences(value: Any, channels: _Channels) -> tuple[tuple[str, int], ...]:
    names = _as_list(value, "differences")
    return tuple((f"{name}.diff", channels.index(name, "differences")) for name in names)


def _statistics(value: Any) -> tuple[str, ...]:
    for name in _as_list(value, "statistics"):
        if name not in STATISTICS:
            raise _wrong(f"the statistic {name!r} is not known", f"use {', '.join(STATISTICS)}")
    return tuple(value)


def _quantiles(value: Any) -> tuple[float, ...]:
    found = tuple(_number(q, "a quantile") for q in _as_list(value, "quantiles"))
    most = _core.LIMITS["MAX_QUANTILES"]
    if len(found) > most or not all(0 <= q <= 1 for q in found):
        raise _wrong(f"quantiles must be up to {most} numbers from 0 to 1")
    return found


def _bands(value: Any, rate_hz: float, length: int) -> tuple[int, ...]:
    if value == "octaves":
        return octaves(length)
    bin_hz = rate_hz / fft_length(length)
    if not isinstance(value, list):
        raise _wrong(f"bands_hz must be a list of frequencies or 'octaves', not {value!r}")
    edges_hz = [_number(hz, "a frequency of bands_hz", above=-1e-9) for hz in value]
    if len(edges_hz) == 1 or any(hz > rate_hz / 2 for hz in edges_hz):
        raise _wrong(
            f"bands_hz must be two frequencies or more, up to half the rate, {rate_hz / 2:g}"
        )
    half = fft_length(length) // 2
    edges = [half + 1 if hz >= rate_hz / 2 else round(hz / bin_hz) for hz in edges_hz]
    for i in range(1, len(edges)):
        if edges[i] <= edges[i - 1]:
            raise _wrong(
                f"bands_hz: {edges_hz[i - 1]:g} and {edges_hz[i]:g} Hz do not rise, or fall into "
                f"the same bin of the spectrum, {bin_hz:g} Hz wide",
                "take them further apart, or make the window longer",
            )
    return tuple(edges)


def _correlations(value: Any, channels: _Channels) -> tuple[tuple[int, int], ...]:
    if value == "all":
        return tuple(combinations(range(len(channels.names)), 2))
    pairs = []
    for pair in _as_list(value, "correlations"):
        if len(_as_list(pair, "a correlation")) != 2:
            raise _wrong(f"a correlation must be of two channels, not {pair!r}")
        pairs.append(tuple(channels.index(name, "correlations") for name in pair))
    return tuple((a, b) for a, b in pairs)


def _filter(value: Any, channels: _Channels, rate_hz: float) -> Filter:
    _only(value, ("kind", "order", "cutoff_hz", "channels"), "a filter")
    cutoff = value.get("cutoff_hz", [])
    cutoff = cutoff if isinstance(cutoff, list) else [cutoff]
    names = _list(value, "channels") if "channels" in value else list(channels.names)
    if not names:
        raise _wrong("a filter has no channels", "leave channels out for all of them")
    return filters.design(
        str(value.get("kind")),
        _whole(value.get("order"), "a filter's order", 1, 2 * filters.MAX_SECTIONS),
        tuple(_number(hz, "cutoff_hz", above=0) for hz in cutoff),
        tuple(channels.index(name, "filters") for name in names),
        rate_hz,
    )


def _mel(value: Any, rate_hz: float, length: int) -> tuple[tuple[float, ...], float]:
    if value is None:
        return (), 1e-10
    _only(value, ("bands", "low_hz", "high_hz", "floor"), "mel")
    bands = _whole(value.get("bands"), "the number of mel bands", 1, _MAX_MEL)
    low = _number(value.get("low_hz", 0), "mel's low_hz")
    high = _number(value.get("high_hz", rate_hz / 2), "mel's high_hz")
    floor = _number(value.get("floor", 1e-10), "mel's floor", above=0)
    if not 0 <= low < high <= rate_hz / 2:
        raise _wrong(
            f"the mel bands go from {low:g} to {high:g} Hz",
            f"they must rise, from 0 on, up to half the rate, {rate_hz / 2:g} Hz",
        )
    edges = mel_edges(bands, low, high, rate_hz / fft_length(length))
    if any(np.floor(a) + 1 >= c for a, c in zip(edges, edges[2:], strict=False)):
        raise _wrong(
            f"{bands} mel bands from {low:g} Hz are too many: one holds no bin of the spectrum",
            "use fewer bands, a higher low_hz or a longer window",
        )
    return edges, float(np.float32(floor))


def mel_edges(bands: int, low_hz: float, high_hz: float, bin_hz: float) -> tuple[float, ...]:
    """Return the edges of triangles that are equally wide on the mel scale.

    Args:
        bands: number of triangles.
        low_hz: where the first one begins.
        high_hz: where the last one ends.
        bin_hz: how far the spectrum's bins lie apart.

    Returns:
        bands + 2 float32 values in bins.

    Source: mel = 2595 log10(1 + f / 700), O'Shaughnessy, Speech Communication (1987).
    """
    low, high = (2595 * log10(1 + hz / 700) for hz in (low_hz, high_hz))
    mel = np.linspace(low, high, bands + 2)
    hz = np.clip(700 * (10 ** (mel / 2595) - 1), low_hz, high_hz)
    return tuple((hz / bin_hz).astype(np.float32).tolist())
