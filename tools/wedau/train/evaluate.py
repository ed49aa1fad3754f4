"""Train models on the grid and judge them on data that they have not seen.

The protocol, fixed before any figure was looked at: five folds (fewer if there are fewer groups).
With a group column no group is in both parts of a fold, so the figures are those for groups
(people, machines) never seen; without one, recordings are kept whole; without recordings, rows are
split at random, as many of each class in each fold. Every row is judged once, by the model of the
fold that held it out. The model that ships is that of the first fold, so the rows that it is judged
by on the board are rows it never saw. An anomaly model learns from the normal rows only; the others
are shared out among the folds and judge it.

What the defaults were chosen by: see docs/reference/features.md.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

from wedau.errors import DataError
from wedau.models import Program
from wedau.models.program import Floats
from wedau.train import families, grid
from wedau.train.card import Metrics
from wedau.train.dataset import Dataset
from wedau.train.families import Training
from wedau.train.held_out import TOLERANCE, first_difference
from wedau.train.metrics import fold_metrics, overall
from wedau.train.settings import TrainSettings
from wedau.train.targets import Targets

FOLDS = 5


@dataclass(frozen=True)
class Fold:
    """A model and the rows it was judged by.

    Attributes:
        program: what was trained, on all rows but `rows`.
        scale: float32, shape (n_features,): its grid, from the same training rows.
        importance: mean decrease in impurity, shape (n_features,); None where not measured.
        rows: int64: the indices of the rows held out.
        x: int16, shape (len(rows), n_features): those rows on the grid.
        predicted: int64 or float64, shape (len(rows),): what scikit-learn's predict gives.
        outputs: float64, shape (len(rows), n_outputs): what scikit-learn gives for each row.
    """

    program: Program
    scale: NDArray[np.float32]
    importance: tuple[float | None, ...]
    rows: NDArray[np.int64]
    x: NDArray[np.int16]
    predicted: Targets
    outputs: Floats


@dataclass(frozen=True)
class CrossValidation:
    """All folds; every row is held out once.

    Attributes:
        folds: the folds; the first one's model is the one that ships.
        by: what was kept apart: group, recording or row.
        metrics: the figures over all rows, each judged by the fold that held it out.
    """

    folds: tuple[Fold, ...]
    by: str
    metrics: Metrics


def split(data: Dataset, seed: int) -> tuple[str, list[NDArray[np.int64]]]:
    """Return what is kept apart, and the rows that each fold of a classifier holds out."""
    if not data.parts[0]:
        smallest = int(np.bincount(data.y).min())
        random = StratifiedKFold(min(FOLDS, smallest), shuffle=True, random_state=seed)
        return "row", [test for _, test in random.split(data.x, data.y)]
    n = min(FOLDS, len(set(data.parts.tolist())))
    if data.card.group:
        return "group", [t for _, t in GroupKFold(n).split(data.x, data.y, data.parts)]
    whole = StratifiedGroupKFold(n, shuffle=True, random_state=seed)
    return "recording", [t for _, t in whole.split(data.x, data.y, data.parts)]


def split_learnt(
    data: Dataset, learnt: NDArray[np.bool_], seed: int
) -> tuple[str, list[NDArray[np.int64]]]:
    """Return what is kept apart, and the rows that each fold holds out, where y are no classes.

    Args:
        data: the rows.
        learnt: shape (n_rows,): which rows are trained on when they are not held out; these are
            split evenly. The others go with their part, or are shared out as evenly.
        seed: of the random split.
    """
    by = "row" if not data.parts[0] else "group" if data.card.group else "recording"
    fold = np.zeros(len(data.x), np.int64)
    n = 0
    known: dict[str, int] = {}
    for chosen in (np.flatnonzero(learnt), np.flatnonzero(~learnt)):
        new = chosen
        if by != "row":
            new = np.array([i for i in chosen if data.parts[i] not in known], np.int64)
            fold[chosen] = [known.get(data.parts[i], 0) for i in chosen]
        n = n or min(FOLDS, len(_units(data, new, by)))
        for number, rows in enumerate(_even(data, new, by, n, seed)):
            fold[rows] = number
        known |= {data.parts[i]: int(fold[i]) for i in new}
    return by, [np.flatnonzero(fold == number) for number in range(n)]


def _units(data: Dataset, rows: NDArray[np.int64], by: str) -> set[str]:
    """Return what can be shared out: each row, or each part."""
    return set(map(str, rows)) if by == "row" else set(data.parts[rows].tolist())


def _even(
    data: Dataset, rows: NDArray[np.int64], by: str, n: int, seed: int
) -> list[NDArray[np.int64]]:
    """Share rows out to at most n folds."""
    n = min(n, len(_units(data, rows, by)))
    if n < 2:
        return [rows]
    if by == "row":
        random = KFold(n, shuffle=True, random_state=seed)
        return [rows[test] for _, test in random.split(rows)]
    return [rows[test] for _, test in GroupKFold(n).split(rows, groups=data.parts[rows])]


def cross_validate(
    data: Dataset,
    settings: TrainSettings,
    say: Callable[[str], None] = lambda _: None,
    folds: tuple[str, list[NDArray[np.int64]]] | None = None,
) -> CrossValidation:
    """Judge the settings on data: every row by a model that has not seen its group.

    Args:
        data: the rows.
        settings: the model's kind, its options and the seed are used.
        say: called with a line of progress for each fold.
        folds: what is kept apart and the rows that each fold holds out, where they are not those
            of the protocol above.

    Raises:
        DataError: the kind of model cannot learn from these rows.
        ConvertError: what was learnt cannot be put on the grid.
    """
    if folds is not None:
        by, held_out = folds
    elif settings.task == "classifier":
        by, held_out = split(data, settings.seed)
    else:
        is_anomaly = settings.task == "anomaly"
        learnt = np.asarray(data.y == 0) if is_anomaly else np.ones(len(data.x), bool)
        by, held_out = split_learnt(data, learnt, settings.seed)
    judged = []
    for number, rows in enumerate(held_out, 1):
        say(f"training fold {number} of {len(held_out)}")
        judged.append(_fold(data, rows, settings))
    everything = np.concatenate([f.rows for f in judged])
    predicted = np.concatenate([f.predicted for f in judged])
    figures = overall(settings.task, data.y[everything], predicted, data.labels)
    return CrossValidation(tuple(judged), by, figures)


def _fold(data: Dataset, rows: NDArray[np.int64], settings: TrainSettings) -> Fold:
    training = np.setdiff1d(np.arange(len(data.x)), rows)
    scale = grid.fit_scale(data.x[training])
    x = grid.quantize(data.x, scale)
    seen = Training(x[training], data.y[training], data.parts[training], data.labels, scale)
    fitted = families.fit(seen, settings)
    predicted, outputs = fitted.ask(x[rows])
    different = first_difference(fitted.program, x[rows], predicted, outputs)
    if different is not None:
        raise _inexact(settings, different[1])
    return Fold(fitted.program, scale, fitted.importance, rows, x[rows], predicted, outputs)


def _inexact(settings: TrainSettings, what: str) -> DataError:
    has_neighbors = settings.option("neighbors") is not None
    if what == "number" and not has_neighbors:
        return DataError(
            f"{settings.model} cannot be put on the grid: its numbers would be further than "
            f"{TOLERANCE:g} of the largest from scikit-learn's",
            "train with fewer trees, other options, or another kind of model",
        )
    message = (
        f"{settings.model} cannot be put on the grid exactly: a held-out row lies just between two "
        "answers, and which one scikit-learn gives is chance"
    )
    if has_neighbors:
        hint = "where few values occur, many rows are equally near: train another kind of model"
    else:
        hint = "train with another seed, other options, or another kind of model"
    return DataError(message, hint)


def metrics(data: Dataset, result: CrossValidation, number: int = 0) -> Metrics:
    """Return the figures for the card of a fold's model.

    Those at the top are over all folds; `held_out` are those of this model alone.
    """
    fold = result.folds[number]
    task = fold.program.task
    own = fold_metrics(task, data.y[fold.rows], fold.predicted, data.labels)
    return {
        **result.metrics,
        "by": result.by,
        "folds": [
            {
                "groups": sorted(set(data.groups[f.rows].tolist()) - {""}),
                "rows": len(f.rows),
                **_short(fold_metrics(task, data.y[f.rows], f.predicted, data.labels)),
                "size": f.program.size,
            }
            for f in result.folds
        ],
        "held_out": {"rows": len(fold.rows), **own},
    }


def _short(figures: Metrics) -> Metrics:
    return {name: value for name, value in figures.items() if name != "confusion"}
