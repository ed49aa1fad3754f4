"""Teach a classifier to say "unknown", at a rate of false alarms that the user states.

Three signals: the output of the class decided for is small; a feature lies outside the range of the
training rows, widened by a margin; the row is far from the median of the class decided for, in
units of that class's spread. Each gets its limit from rows that the models of the cross-validation
had not seen, at one common rank, so that at most floor(rate (n + 1)) - 1 of these n rows are
unknown: by split conformal prediction a further row of the known classes is then unknown with a
probability of about the rate at most. The limits of a fold's model come from the other folds' rows,
so that its own held-out rows, by which it is judged, had no part in them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wedau.errors import DataError
from wedau.models import Program
from wedau.models.program import GRID_MAX, GRID_MIN, Floats, Ints, Rows
from wedau.models.unknown import LABEL, MAX_WEIGHT, WithUnknown, distance
from wedau.train import families, grid
from wedau.train.dataset import Dataset
from wedau.train.evaluate import CrossValidation, Fold
from wedau.train.families import Training
from wedau.train.metrics import overall
from wedau.train.settings import TrainSettings

_STEPS = 16  # the margin of the range grows in sixteenths of it
_BELOW = 4e-4  # less than half a vote of a thousand


@dataclass(frozen=True)
class Shape:
    """Where the training rows of a model lie; see WithUnknown."""

    low: Ints
    high: Ints
    median: Ints
    weight: Ints

    @property
    def span(self) -> Ints:
        """Width of each feature's range, 1 or more."""
        span: Ints = np.maximum(self.high - self.low, 1)
        return span


@dataclass(frozen=True)
class Signals:
    """What speaks against each of some rows: confidence by being low, the others by being high."""

    confidence: Floats
    margin: Ints
    novelty: Ints

    @classmethod
    def joined(cls, parts: list["Signals"]) -> "Signals":
        """Return the signals of several groups of rows."""
        return cls(
            np.concatenate([part.confidence for part in parts]),
            np.concatenate([part.margin for part in parts]),
            np.concatenate([part.novelty for part in parts]),
        )


def check_labels(labels: tuple[str, ...]) -> None:
    """Raise DataError if the data have a class of that name already."""
    if LABEL in labels:
        raise DataError(
            f"the data have a label '{LABEL}', which is what --unknown makes the board say",
            "give that label another name, or leave --unknown out",
        )


def add(
    data: Dataset,
    result: CrossValidation,
    settings: TrainSettings,
    say: Callable[[str], None] = lambda _: None,
) -> tuple[Dataset, CrossValidation, dict[str, Any]]:
    """Give each fold's model the class "unknown", and judge the folds again.

    Args:
        data: the rows.
        result: of `evaluate.cross_validate` on them.
        settings: `unknown` is the rate.
        say: called with a line of progress for each class that is left out.

    Returns:
        The data with the label more, the folds, and how often "unknown" is said: see `figures`.

    Raises:
        DataError: there is such a label, or there are too few rows for the rate.
    """
    check_labels(data.labels)
    rate = settings.unknown
    assert rate is not None
    shapes = [_shape_of(data, fold.rows, fold.scale) for fold in result.folds]
    signals = [_signals(f.program, s, f.x) for f, s in zip(result.folds, shapes, strict=True)]
    folds = []
    for number, (fold, shape) in enumerate(zip(result.folds, shapes, strict=True)):
        others = [each for i, each in enumerate(signals) if i != number]
        folds.append(_refit(fold, with_unknown(fold.program, shape, Signals.joined(others), rate)))
    labels = (*data.labels, LABEL)
    everything = np.concatenate([fold.rows for fold in folds])
    predicted = np.concatenate([fold.predicted for fold in folds])
    metrics = overall("classifier", data.y[everything], predicted, labels)
    more = CrossValidation(tuple(folds), result.by, metrics)
    left_out = {
        label: _left_out(data, result.folds[0], settings, index, say)
        for index, label in enumerate(data.labels)
        if len(data.labels) > 2
    }
    figures = {
        "rate": rate,
        "false_alarm_rate_unseen": float(np.mean(predicted == len(data.labels))),
        "left_out": left_out,
    }
    return replace(data, labels=labels), more, figures


def with_unknown(program: Program, shape: Shape, seen: Signals, rate: float) -> WithUnknown:
    """Set the limits by rows that the models which the signals come from were not trained on.

    Args:
        program: a classifier.
        shape: of the rows that it was trained on.
        seen: signals of n rows.
        rate: share of rows of the known classes that may be unknown.

    Raises:
        DataError: n is below 1 / rate - 1.
    """
    n = len(seen.confidence)
    budget = int(rate * (n + 1)) - 1
    if budget < 0:
        raise DataError(
            f"{n} rows are too few to hold {100 * rate:g} % of false alarms",
            f"give more rows ({int(np.ceil(1 / rate))} in four of five folds), or allow more",
        )
    confidence = np.sort(seen.confidence)
    margin, novelty = np.sort(seen.margin)[::-1], np.sort(seen.novelty)[::-1]
    best = 0
    for rank in range(budget + 1):
        unknown = seen.confidence < confidence[rank]
        unknown |= (seen.margin > margin[rank]) | (seen.novelty > novelty[rank])
        if np.count_nonzero(unknown) <= budget:
            best = rank
    room = shape.span * margin[best] // _STEPS
    return WithUnknown(
        program,
        np.maximum(shape.low - room, GRID_MIN),
        np.minimum(shape.high + room, GRID_MAX),
        shape.median,
        shape.weight,
        _between(confidence, confidence[best]),
        int(novelty[best]),
    )


def _between(values: Floats, least: float) -> float:
    """Return a float32 between a value that is enough and the next one that is not."""
    lower = values[values < least]
    limit = (least + lower.max()) / 2 if len(lower) else least - _BELOW
    return float(np.float32(max(limit, 0.0)))


def _shape_of(data: Dataset, held_out: Ints, scale: NDArray[np.float32]) -> Shape:
    training = np.setdiff1d(np.arange(len(data.x)), held_out)
    x = grid.quantize(data.x[training], scale)
    return fit_shape(x, np.asarray(data.y[training]), len(data.labels))


def fit_shape(x: Rows, y: NDArray[Any], n_classes: int) -> Shape:
    """Return where the rows of a training lie; a class without rows has weights of 0."""
    median = np.zeros((n_classes, x.shape[1]), np.int64)
    weight = np.zeros_like(median)
    for index in range(n_classes):
        rows = x[y == index].astype(np.int64)
        if len(rows):
            median[index] = np.rint(np.median(rows, axis=0))
            spread = np.sqrt(np.mean((rows - median[index]) ** 2.0, axis=0))
            weight[index] = np.minimum(np.rint(65536 / np.maximum(spread, 1)), MAX_WEIGHT)
    return Shape(x.min(axis=0).astype(np.int64), x.max(axis=0).astype(np.int64), median, weight)


def _signals(program: Program, shape: Shape, rows: Rows) -> Signals:
    classes = np.asarray(program.predict(rows), np.int64)
    wide = rows.astype(np.int64)
    away = np.maximum(np.maximum(shape.low - wide, wide - shape.high), 0)
    return Signals(
        program.outputs(rows)[np.arange(len(rows)), classes],
        (-(-away * _STEPS // shape.span)).max(axis=1),
        distance(rows, classes, shape.median, shape.weight),
    )


def _refit(fold: Fold, program: WithUnknown) -> Fold:
    unknown = program.is_unknown(fold.x)
    return replace(
        fold,
        program=program,
        predicted=np.where(unknown, program.known.n_outputs, fold.predicted),
        outputs=np.column_stack([fold.outputs, unknown]),
    )


def _left_out(
    data: Dataset, fold: Fold, settings: TrainSettings, index: int, say: Callable[[str], None]
) -> float | None:
    """Return the share of a class's held-out rows that a model without that class calls unknown.

    The other held-out rows set the limits. None if these are too few for the rate, or the class has
    no held-out row.
    """
    training = np.setdiff1d(np.arange(len(data.x)), fold.rows)
    known = training[data.y[training] != index]
    new = fold.rows[data.y[fold.rows] == index]
    rate = settings.unknown or 0.0
    n_others = len(fold.rows) - len(new)
    if not len(new) or int(rate * (n_others + 1)) < 1:
        return None
    say(f"training without {data.labels[index]}")
    labels = tuple(label for i, label in enumerate(data.labels) if i != index)
    y = np.asarray(data.y[known]) - (data.y[known] > index)
    scale = grid.fit_scale(data.x[known])
    x = grid.quantize(data.x, scale)
    program = families.fit(
        Training(x[known], y, data.parts[known], labels, scale), settings
    ).program
    shape = fit_shape(x[known], y, len(labels))
    seen = _signals(program, shape, x[fold.rows[data.y[fold.rows] != index]])
    return float(np.mean(with_unknown(program, shape, seen, rate).is_unknown(x[new])))
