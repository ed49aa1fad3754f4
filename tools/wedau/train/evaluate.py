"""Train forests on the grid and judge them on data that they have not seen.

The protocol, fixed before any figure was looked at: five folds (fewer if there are fewer groups).
With a group column no group is in both parts of a fold, so the accuracy is that for groups (people,
machines) never seen; without one, recordings are kept whole; without recordings, rows are split at
random, as many of each class in each fold. Every row is judged once, by the model of the fold that
held it out. The model that ships is that of the first fold, so the rows that it is judged by on the
board are rows it never saw.

What the defaults were chosen by: see docs/reference/features.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, StratifiedKFold

from wedau.models import Votes, trees
from wedau.train import grid
from wedau.train.dataset import Dataset
from wedau.train.settings import TrainSettings

FOLDS = 5


@dataclass(frozen=True)
class Fold:
    """A model and the rows it was judged by.

    Attributes:
        program: what was trained, on all rows but `rows`.
        scale: float32, shape (n_features,): its grid, from the same training rows.
        importance: float64, shape (n_features,): mean decrease in impurity.
        rows: int64: the indices of the rows held out.
        x: int16, shape (len(rows), n_features): those rows on the grid.
        predicted: int64, shape (len(rows),): class index that it gives.
        outputs: float64, shape (len(rows), n_classes): what scikit-learn gives for each row.
    """

    program: Votes
    scale: NDArray[np.float32]
    importance: NDArray[np.float64]
    rows: NDArray[np.int64]
    x: NDArray[np.int16]
    predicted: NDArray[np.int64]
    outputs: NDArray[np.float64]


@dataclass(frozen=True)
class CrossValidation:
    """All folds; every row is held out once.

    Attributes:
        folds: the folds; the first one's forest is the model that ships.
        by: what was kept apart: group, recording or row.
        accuracy: share of all rows that the fold which held them out got right.
        confusion: int64, shape (n_classes, n_classes): rows of true class i given class j.
    """

    folds: tuple[Fold, ...]
    by: str
    accuracy: float
    confusion: NDArray[np.int64]


def fit(
    x: NDArray[np.int16], y: NDArray[np.int64], n_classes: int, settings: TrainSettings
) -> tuple[tuple[trees.TreeArrays, ...], NDArray[np.float64]]:
    """Train a random forest on the grid and harden its leaves.

    Args:
        x: int16, shape (n_rows, n_features), on the grid.
        y: int64, shape (n_rows,): class index.
        n_classes: number of classes of the model; some may be missing in y.
        settings: trees, depth, leaves and seed are used.

    Returns:
        The trees, and the importance of each feature, shape (n_features,).
    """
    forest = RandomForestClassifier(
        n_estimators=settings.trees,
        max_depth=settings.depth,
        max_leaf_nodes=settings.leaves,
        random_state=settings.seed,
        n_jobs=-1,  # each tree has a seed of its own: the number of jobs changes nothing
    )
    forest.fit(x, y)
    hardened = tuple(trees.harden(e.tree_, forest.classes_) for e in forest.estimators_)
    return hardened, forest.feature_importances_


def split(data: Dataset, seed: int) -> tuple[str, list[NDArray[np.int64]]]:
    """Return what is kept apart, and the rows that each fold holds out."""
    if not data.parts[0]:
        smallest = int(np.bincount(data.y).min())
        random = StratifiedKFold(min(FOLDS, smallest), shuffle=True, random_state=seed)
        return "row", [test for _, test in random.split(data.x, data.y)]
    n = min(FOLDS, len(set(data.parts.tolist())))
    if data.card.group:
        return "group", [t for _, t in GroupKFold(n).split(data.x, data.y, data.parts)]
    whole = StratifiedGroupKFold(n, shuffle=True, random_state=seed)
    return "recording", [t for _, t in whole.split(data.x, data.y, data.parts)]


def cross_validate(
    data: Dataset, settings: TrainSettings, say: Callable[[str], None] = lambda _: None
) -> CrossValidation:
    """Judge the settings on data: every row by a forest that has not seen its group.

    Args:
        data: the rows.
        settings: trees, depth, leaves and seed are used.
        say: called with a line of progress for each fold.
    """
    by, held_out = split(data, settings.seed)
    folds = []
    for number, rows in enumerate(held_out, 1):
        say(f"training fold {number} of {len(held_out)}")
        folds.append(_fold(data, rows, settings))
    everything = np.concatenate([f.rows for f in folds])
    predicted = np.concatenate([f.predicted for f in folds])
    confusion = confusion_matrix(data.y[everything], predicted, len(data.labels))
    accuracy = float(np.trace(confusion) / confusion.sum())
    return CrossValidation(tuple(folds), by, accuracy, confusion)


def _fold(data: Dataset, rows: NDArray[np.int64], settings: TrainSettings) -> Fold:
    training = np.setdiff1d(np.arange(len(data.x)), rows)
    scale = grid.fit_scale(data.x[training])
    x = grid.quantize(data.x, scale)
    n_classes = len(data.labels)
    forest, importance = fit(x[training], data.y[training], n_classes, settings)
    program = Votes(forest, x.shape[1], n_classes)
    predicted, outputs = program.predict(x[rows]), program.outputs(x[rows])
    return Fold(program, scale, importance, rows, x[rows], predicted, outputs)


def confusion_matrix(
    y: NDArray[np.int64], predicted: NDArray[np.int64], n_classes: int
) -> NDArray[np.int64]:
    """Count rows of true class i that were given class j; int64, shape (n_classes, n_classes)."""
    counts = np.bincount(y * n_classes + predicted, minlength=n_classes * n_classes)
    matrix: NDArray[np.int64] = counts.reshape(n_classes, n_classes).astype(np.int64)
    return matrix


def metrics(data: Dataset, result: CrossValidation, number: int = 0) -> Mapping[str, Any]:
    """Return the figures for the card of a fold's model.

    `accuracy_unseen` is over all folds; `held_out` is that of this model alone.
    """
    fold = result.folds[number]
    own = confusion_matrix(data.y[fold.rows], fold.predicted, len(data.labels))
    return {
        "accuracy_unseen": result.accuracy,
        "by": result.by,
        "confusion": result.confusion.tolist(),
        "folds": [_fold_metrics(data, f) for f in result.folds],
        "held_out": {
            "rows": len(fold.rows),
            "accuracy": float(np.trace(own) / own.sum()),
            "confusion": own.tolist(),
        },
    }


def _fold_metrics(data: Dataset, fold: Fold) -> Mapping[str, Any]:
    return {
        "groups": sorted(set(data.groups[fold.rows].tolist()) - {""}),
        "rows": len(fold.rows),
        "accuracy": float(np.mean(fold.predicted == data.y[fold.rows])),
        "nodes": fold.program.n_nodes,
    }
