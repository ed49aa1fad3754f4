"""The extraction of features on the host: the C core against NumPy, a window at a time."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import NDArray

from wedau.train import dataset, datasets, recipe, windows
from wedau.train.recipe import Recipe

_LENGTH, _HOP = 300, 15  # samples: the windows of the demo, closer together, for a longer run
_ROUNDS = 5
_NUMPY_WINDOWS = 400


@dataclass(frozen=True)
class Figures:
    """What was measured, the best of several rounds of each.

    Attributes:
        windows: how many windows the C core computed in a round.
        features: of each window.
        numpy_windows_per_s: NumPy in one thread, a window at a time.
        wedau_windows_per_s: the C core in one thread.
        speedup: the ratio of the two.
        jobs: threads that joblib ran on this machine.
        speedup_jobs: how much faster that many threads are than one.
        max_difference: largest distance of a feature from NumPy's, relative to 1 + its size.
    """

    windows: int
    features: int
    numpy_windows_per_s: float
    wedau_windows_per_s: float
    speedup: float
    jobs: int
    speedup_jobs: float
    max_difference: float


def measure(jobs: int = -1) -> Figures:
    """Extract the standard recipe's features of the smartwatch recordings.

    Args:
        jobs: threads, as joblib counts them.

    Raises:
        DataError: the data set is not installed.
    """
    data = datasets.smartwatch()
    made = recipe.standard(data.channels, data.units, data.rate_hz, _LENGTH, _HOP)
    samples = [np.ascontiguousarray(item.samples) for item in data.items]
    starts = [windows.starts(len(x), _LENGTH, _HOP) for x in samples]
    n = sum(map(len, starts))
    rows = dataset.extract(made, samples, starts, 1)
    some = _some_windows(samples, starts)
    expected = np.stack([of_window(w, made) for w in some])
    got = np.concatenate(rows)[: len(some)]
    numpy_s = _best(lambda: [of_window(w, made) for w in some]) / len(some)
    wedau_s = _best(lambda: dataset.extract(made, samples, starts, 1)) / n
    jobs_s = _best(lambda: dataset.extract(made, samples, starts, jobs)) / n
    return Figures(
        windows=n,
        features=len(made.feature_names),
        numpy_windows_per_s=round(1 / numpy_s, 1),
        wedau_windows_per_s=round(1 / wedau_s, 1),
        speedup=round(numpy_s / wedau_s, 2),
        jobs=effective_n_jobs(jobs),
        speedup_jobs=round(wedau_s / jobs_s, 2),
        max_difference=float(np.max(np.abs(got - expected) / (1 + np.abs(expected)))),
    )


def _some_windows(
    samples: Sequence[NDArray[np.float32]], starts: Sequence[NDArray[np.int64]]
) -> list[NDArray[np.float32]]:
    """Return the first windows, as views."""
    found = [x[s : s + _LENGTH] for x, each in zip(samples, starts, strict=True) for s in each]
    return found[:_NUMPY_WINDOWS]


def _best(run: Callable[[], Any]) -> float:
    times = []
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def of_window(w: NDArray[np.float32], made: Recipe) -> NDArray[np.float32]:
    """Return the features of the standard recipe as one writes them with NumPy.

    Args:
        w: float32, shape (length, n_channels): all channels are computed at once.
        made: of `recipe.standard`.

    Returns:
        float32, shape (n_features,).
    """
    mean = w.mean(0)
    d = w - mean
    below = d < 0
    quarter = np.quantile(w, [0.25, 0.5, 0.75], axis=0)
    statistics = [
        mean,
        d.std(0),
        w.min(0),
        w.max(0),
        np.sqrt((w * w).mean(0)),
        np.ptp(w, axis=0),
        (below[1:] != below[:-1]).sum(0),
        np.abs(np.diff(w, axis=0)).mean(0),
        quarter[1],
        quarter[2] - quarter[0],
    ]
    n_fft = recipe.fft_length(len(w))
    power = np.abs(np.fft.rfft(d, n_fft, axis=0)) ** 2
    power[[0, -1]] /= 2
    power *= 2 / (n_fft * len(w))
    bands = [np.sqrt(power[a:b].sum(0)) for a, b in pairwise(made.band_edges)]
    pairs = np.atleast_2d(np.corrcoef(w.T))[np.triu_indices(w.shape[1], 1)]
    parts = np.stack(statistics, 1).ravel(), np.stack(bands, 1).ravel(), pairs
    row: NDArray[np.float32] = np.concatenate(parts).astype(np.float32)
    return row
