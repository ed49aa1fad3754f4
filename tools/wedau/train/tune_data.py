"""The data of a search: every feature that a trial may use is computed once.

A trial takes some of the columns. They are those that the recipe for the trial's parts alone would
compute, in the same order, and equal to them in every bit.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wedau.errors import DataError
from wedau.train import dataset, evaluate, families, grid, plan
from wedau.train.dataset import Dataset
from wedau.train.families import Training
from wedau.train.recipe import STATISTICS, Recipe
from wedau.train.recordings import Recordings
from wedau.train.settings import TrainSettings
from wedau.train.tune_space import Choice

Rows = NDArray[np.int64]

SHORTER = (1.0, 2 / 3, 1 / 2)
"""Windows that are tried, as parts of the user's: a longer one would answer later than asked."""

_PARTS = ("bands_hz", "correlations", "mel", "quantiles")
_MAX_CORRELATED = 8


@dataclass(frozen=True)
class Material:
    """What trials are trained on.

    Attributes:
        settings: the user's.
        plan: all parts of the recipe; None where the features are ready.
        rows: all features of each length of window, the user's first.
        part: the part that each column of `rows` belongs to.
        aside: indices of the rows of `rows` that the search never looks at: one fold of five, the
            same groups or recordings for every window.
        parts: what may be left out; ready features the most important first.
    """

    settings: TrainSettings
    plan: Mapping[str, Any] | None
    rows: Mapping[float | None, Dataset]
    part: Mapping[float | None, tuple[str, ...]]
    aside: Mapping[float | None, Rows]
    parts: tuple[str, ...]

    def some(self, choice: Choice) -> Dataset:
        """Return all rows with the columns of a choice; its recipe is left out."""
        rows = self.rows[choice.window_ms]
        used = [i for i, part in enumerate(self.part[choice.window_ms]) if part in choice.parts]
        return replace(
            rows,
            x=np.ascontiguousarray(rows.x[:, used]),
            features=tuple(rows.features[i] for i in used),
            units=tuple(rows.units[i] for i in used),
            recipe=None,
        )

    def seen(self, choice: Choice) -> Dataset:
        """Return the rows that the search may look at, with the columns of a choice."""
        rows = self.some(choice)
        return _only(rows, np.setdiff1d(np.arange(len(rows.x)), self.aside[choice.window_ms]))

    def settings_of(self, choice: Choice) -> TrainSettings:
        """Return what makes `wedau train` train the choice."""
        chosen = replace(self.settings, model=choice.model, **dict(choice.options))
        if self.plan is None or choice.window_ms is None:
            unused = [part for part in self.parts if part not in choice.parts]
            return replace(chosen, ignore=(*self.settings.ignore, *sorted(unused)))
        made = _narrowed(self.plan, choice.parts)
        return replace(chosen, window_ms=choice.window_ms, recipe=made)

    def folds(self, choice: Choice) -> tuple[str, list[Rows]]:
        """Return what is kept apart, and the folds to judge the chosen model by.

        The first one, whose model ships, holds out the rows set aside; the others are those that
        the search judged by.
        """
        aside = self.aside[choice.window_ms]
        kept = np.setdiff1d(np.arange(len(self.rows[choice.window_ms].x)), aside)
        by, held_out = evaluate.split(self.seen(choice), self.settings.seed)
        return by, [aside, *(kept[rows] for rows in held_out)]


def of_table(rows: Dataset, settings: TrainSettings) -> Material:
    """Return the material of ready features.

    How important they are, a random forest says that never sees the rows set aside.

    Raises:
        DataError: too few rows are left to search with.
    """
    aside = evaluate.split(rows, settings.seed)[1][0]
    seen = _checked(_only(rows, np.setdiff1d(np.arange(len(rows.x)), aside)))
    scale = grid.fit_scale(seen.x)
    training = Training(grid.quantize(seen.x, scale), seen.y, seen.parts, seen.labels, scale)
    forest = families.fit(training, TrainSettings(seed=settings.seed))
    order = np.argsort([-(share or 0.0) for share in forest.importance], kind="stable")
    parts = tuple(rows.features[i] for i in order)
    return Material(settings, None, {None: rows}, {None: rows.features}, {None: aside}, parts)


def of_recordings(
    data: Recordings, settings: TrainSettings, say: Callable[[str], None] = lambda _: None
) -> Material:
    """Return the material of recordings: the features of every window length, computed once.

    Args:
        data: the recordings.
        settings: the user's; its recipe, or else the standard one with all statistics, says what
            may be computed, its window how long one may be.
        say: called with a line of progress.

    Raises:
        DataError: the data do not go with the settings, or are too few to search with.
    """
    wide = dict(settings.recipe) if settings.recipe is not None else _wide(len(data.channels))
    plan.check_keys(wide)
    longest, hop_ms = plan.times(wide, settings.window_ms, settings.hop_ms)
    wide = {key: value for key, value in wide.items() if key not in ("window_ms", "hop_ms")}
    settings = replace(settings, recipe=wide, hop_ms=hop_ms)
    rows: dict[float | None, Dataset] = {}
    for share in SHORTER:
        window_ms = round(longest * share, 3)
        say(f"computing the features of windows of {window_ms:g} ms")
        try:
            found = dataset.from_recordings(data, replace(settings, window_ms=window_ms))
        except DataError:
            if not rows:
                raise
            continue  # too short for the recipe's bands, or for the core
        if all(found.recipe != other.recipe for other in rows.values()):
            rows[window_ms] = found
    aside = _aside(rows, settings.seed)
    for length, each in rows.items():
        _checked(_only(each, np.setdiff1d(np.arange(len(each.x)), aside[length])))
    part = {length: _parts_of(each.recipe) for length, each in rows.items() if each.recipe}
    first = next(iter(part.values()))
    return Material(settings, wide, rows, part, aside, tuple(dict.fromkeys(first)))


def _wide(n_channels: int) -> dict[str, Any]:
    """Return the plan of the standard recipe, with every statistic."""
    made: dict[str, Any] = {"statistics": list(STATISTICS), "bands_hz": "octaves"}
    if 1 < n_channels <= _MAX_CORRELATED:
        made["correlations"] = "all"
    return made


def _narrowed(wide: Mapping[str, Any], parts: tuple[str, ...]) -> dict[str, Any]:
    """Return the plan with these parts only."""
    made = {key: value for key, value in wide.items() if key not in _PARTS or key in parts}
    made["statistics"] = [name for name in wide.get("statistics", []) if name in parts]
    return made


def _parts_of(recipe: Recipe) -> tuple[str, ...]:
    """Return the part that each feature belongs to, in the order of Recipe.feature_names."""
    n = len(recipe.all_channels)
    statistics = [name for name in STATISTICS if name in recipe.statistics]
    return (
        *(statistics * n),
        *(("bands_hz",) * (n * max(0, len(recipe.band_edges) - 1))),
        *(("correlations",) * len(recipe.correlations)),
        *(("mel",) * (n * max(0, len(recipe.mel_edges) - 2))),
        *(("quantiles",) * (n * len(recipe.quantiles))),
    )


def _aside(rows: Mapping[float | None, Dataset], seed: int) -> dict[float | None, Rows]:
    """Return the rows that are set aside: of every window those of the same parts."""
    first = next(iter(rows.values()))
    parts = set(first.parts[evaluate.split(first, seed)[1][0]].tolist())
    return {
        window_ms: np.flatnonzero([part in parts for part in each.parts])
        for window_ms, each in rows.items()
    }


def _only(data: Dataset, rows: Rows) -> Dataset:
    return replace(
        data, x=data.x[rows], y=data.y[rows], parts=data.parts[rows], groups=data.groups[rows]
    )


def _checked(seen: Dataset) -> Dataset:
    try:
        dataset.check_enough(seen)
    except DataError as error:
        raise DataError(
            f"{error.message}; a fifth of the data is set aside first, for a judgement that the "
            "search cannot have influenced",
            f"{error.hint}; or use 'wedau train', which searches nothing",
        ) from None
    return seen
