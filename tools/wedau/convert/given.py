"""A fitted scikit-learn estimator to a model's folder, which `wedau build` takes."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wedau.errors import ConvertError, DataError
from wedau.models import ANOMALY_LABELS, Program, class_labels, from_sklearn, last_step
from wedau.models.program import Floats, Rows
from wedau.train import grid
from wedau.train.card import Card, DataCard
from wedau.train.dataset import table_sha256
from wedau.train.held_out import HeldOut
from wedau.train.metrics import fold_metrics, overall
from wedau.train.model import TrainedModel, check_replaceable
from wedau.train.pipeline import VERSIONS
from wedau.train.targets import Targets


def to_module(
    estimator: Any,
    folder: Path | str,
    x: Any,
    y: Any = None,
    *,
    name: str | None = None,
    version: str = "1.0.0",
    features: Sequence[str] | None = None,
    units: Sequence[str] | None = None,
    scale: Any = None,
    threshold: float | None = None,
    may_change: int = 0,
) -> TrainedModel:
    """Convert a fitted estimator and save it as a model; `wedau build FOLDER` makes its module.

    Args:
        estimator: fitted, of a family that can be converted, or a Pipeline of scalers and one.
        folder: for the model; an older model there is replaced.
        x: numbers, shape (n_rows, n_features), in data units: rows that it has not been trained
            on. The board replays all of them.
        y: what is true of these rows, shape (n_rows,): classes or values; of an anomaly model 1 or
            True for an anomaly, and None if all are normal.
        name: the module's name on the board; None for the folder's.
        version: the model's version.
        features: names of the columns; None for those that the estimator was fitted with.
        units: unit of each column.
        scale: data units per LSB of the int16 grid, one number or shape (n_features,); None to
            choose by the largest values in x. Integers keep the scale 1.
        threshold: of a GaussianMixture: what has a lower log-likelihood is an anomaly.
        may_change: so many rows of x may be decided otherwise because the grid rounds them.

    Returns:
        The model, as it was saved.

    Raises:
        ConvertError: the family or a setting cannot be converted, or the grid changes more rows.
        DataError: the rows, names or the folder cannot be used.
    """
    folder = Path(folder)
    check_replaceable(folder)
    given = _numbers(x)
    step = _scale(scale, given)
    rows = grid.quantize(given.astype(np.float32), step)
    _check_width(estimator, given)
    program = from_sklearn(estimator, step.astype(np.float64), threshold)
    truth = _truth(estimator, program, y, rows)
    predicted, outputs = _ask(estimator, program, rows * step.astype(np.float64), threshold)
    held_out = HeldOut(rows, truth, ("",) * len(rows), predicted, outputs)
    card = _card(
        estimator, program, held_out, step, name or folder.resolve().name, version, features, units
    )
    _check_changes(estimator, program, given, predicted, threshold, may_change)
    TrainedModel(card, program, held_out).save(folder)
    return TrainedModel.load(folder)


def _numbers(x: Any) -> Floats:
    try:
        values = np.asarray(x, np.float64)
    except (TypeError, ValueError) as error:
        raise DataError("x does not hold numbers only", "leave text columns out") from error
    if values.ndim != 2 or not len(values):
        raise DataError(
            f"x has the shape {values.shape}", "give a table with at least one row, two-dimensional"
        )
    if not np.all(np.isfinite(values)):
        raise DataError("x holds NaN or infinity", "leave rows with gaps out")
    return values


def _check_width(estimator: Any, x: Floats) -> None:
    width = getattr(estimator, "n_features_in_", x.shape[1])
    if width != x.shape[1]:
        raise DataError(
            f"x has {x.shape[1]} columns, the estimator takes {width}",
            "give the columns that it was fitted with, in their order",
        )


def _scale(scale: Any, x: Floats) -> Any:
    if scale is None:
        return grid.fit_scale(x.astype(np.float32))
    chosen = np.broadcast_to(np.asarray(scale, np.float32), x.shape[1:]).copy()
    if not np.all(np.isfinite(chosen) & (chosen > 0)):
        raise DataError("a scale is not a number above 0", "give data units per LSB, such as 0.01")
    return chosen


def _ask(
    estimator: Any, program: Program, values: Floats, threshold: float | None
) -> tuple[Targets, Floats]:
    """Return what scikit-learn itself says: its predictions and its outputs."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "X does not have valid feature names")
        return _answers(estimator, program, values, threshold)


def _answers(
    estimator: Any, program: Program, values: Floats, threshold: float | None
) -> tuple[Targets, Floats]:
    if program.task == "anomaly":
        decision = (
            estimator.decision_function(values)
            if threshold is None
            else estimator.score_samples(values) - threshold
        )
        return (decision < 0).astype(np.int64), np.asarray(decision, np.float64)[:, np.newaxis]
    predicted = np.asarray(estimator.predict(values))
    if program.task == "regressor":
        floats = predicted.astype(np.float64).ravel()
        return floats, floats[:, np.newaxis]
    index = np.searchsorted(last_step(estimator).classes_, predicted).astype(np.int64)
    return index, np.asarray(estimator.predict_proba(values), np.float64)


def _check_changes(
    estimator: Any,
    program: Program,
    given: Floats,
    predicted: Targets,
    threshold: float | None,
    may_change: int,
) -> None:
    """Refuse if rounding to the grid changes decisions of the estimator itself."""
    if program.task == "regressor":
        return
    plain, _ = _ask(estimator, program, given, threshold)
    changed = int(np.count_nonzero(plain != predicted))
    if changed > may_change:
        raise ConvertError(
            f"{changed} of {len(given)} rows are decided otherwise once they are rounded to the "
            "int16 grid: they lie at thresholds",
            f"fit it to rows of the grid, choose another scale, or accept it: may_change={changed}",
        )


def _truth(estimator: Any, program: Program, y: Any, rows: Rows) -> Targets:
    if program.task == "anomaly":
        truth = np.zeros(len(rows)) if y is None else np.asarray(y)
        if truth.shape != (len(rows),) or not np.all(np.isin(truth, (0, 1))):
            raise DataError("y is not 0 or 1 for each row of x", "give 1 for an anomaly, else 0")
        return truth.astype(np.int64)
    truth = np.asarray(y) if y is not None else np.zeros(0)
    if truth.shape != (len(rows),):
        raise DataError(
            f"y has the shape {truth.shape} for {len(rows)} rows of x",
            "give what is true of each row: the model is judged by it",
        )
    if program.task == "regressor":
        return _numbers(truth[:, np.newaxis])[:, 0]
    index = {label: i for i, label in enumerate(last_step(estimator).classes_.tolist())}
    unknown = [label for label in truth.tolist() if label not in index]
    if unknown:
        raise DataError(
            f"y holds {unknown[0]!r}, which the estimator has never seen", "leave those rows out"
        )
    return np.array([index[label] for label in truth.tolist()], np.int64)


def _card(
    estimator: Any,
    program: Program,
    rows: HeldOut,
    scale: Any,
    name: str,
    version: str,
    features: Sequence[str] | None,
    units: Sequence[str] | None,
) -> Card:
    n, task = program.n_features, program.task
    named = getattr(estimator, "feature_names_in_", [f"x{i}" for i in range(n)])
    columns = tuple(str(f) for f in (features if features is not None else named))
    if len(columns) != n or (units is not None and len(units) != n):
        raise DataError(f"features or units are not {n} names", "give one for each column of x")
    said: tuple[str, ...] = ANOMALY_LABELS if task == "anomaly" else ()
    if task == "classifier":
        said = class_labels(estimator)
    own = fold_metrics(task, rows.y, rows.predicted, said)
    importance = getattr(last_step(estimator), "feature_importances_", [None] * n)
    values = rows.x * scale
    return Card(
        name=name,
        version=version,
        task=task,
        family=program.kind.partition(",")[0].replace(" ", "-")
        + ("-regressor" if task == "regressor" else ""),
        labels=said,
        target_unit="",
        features=columns,
        units=tuple(units) if units is not None else ("",) * n,
        scale=scale,
        recipe=None,
        data=DataCard(
            source=f"{type(last_step(estimator)).__name__} of scikit-learn",
            sha256=table_sha256(columns, [str(v) for v in rows.y], list(rows.group), values),
            columns=columns,
            rows=len(rows.x),
            recordings=0,
            groups=(),
            label="",
            group="",
        ),
        settings={},
        metrics={
            **overall(task, rows.y, rows.predicted, said),
            "by": "given",
            "folds": [{"groups": [], "rows": len(rows.x), "size": program.size}],
            "held_out": {"rows": len(rows.x), **own},
        },
        importance=tuple(None if v is None else float(v) for v in importance),
        versions=VERSIONS,
    )
