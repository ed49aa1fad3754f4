"""How good a model is, in figures: of a classifier, a regressor, an anomaly model."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wedau.models import Task
from wedau.train.card import Metrics
from wedau.train.targets import Targets


def overall(task: Task, y: Targets, predicted: Targets, labels: Sequence[str]) -> Metrics:
    """Return the figures over all folds, as `fold_metrics` does, their names ending in _unseen."""
    figures = fold_metrics(task, y, predicted, labels)
    return {
        name if name == "confusion" else f"{name}_unseen": value for name, value in figures.items()
    }


def fold_metrics(
    task: Task, y: Targets, predicted: Targets, labels: Sequence[str]
) -> dict[str, Any]:
    """Return the figures of one model.

    Args:
        task: what the model is for.
        y: int64 or float64, shape (n_rows,): what is true.
        predicted: what the model says, dtype and shape of y.
        labels: class names by class index.

    Returns:
        Of a regressor ``r2`` (None where all true values are the same), ``mean_absolute_error`` and
        ``range`` (the lowest and the highest true value). Of the others ``accuracy`` and
        ``confusion``; of an anomaly model also ``false_alarm_rate``, the share of normal rows
        called an anomaly, and ``detection_rate``, the share of anomalies found; None where there
        are no such rows.
    """
    if task == "regressor":
        return _regression(np.asarray(y, np.float64), np.asarray(predicted, np.float64))
    confusion = confusion_matrix(np.asarray(y), np.asarray(predicted), len(labels))
    figures: dict[str, Any] = {
        "accuracy": float(np.trace(confusion) / confusion.sum()),
        "confusion": confusion.tolist(),
    }
    if task == "anomaly":
        figures["false_alarm_rate"], figures["detection_rate"] = (
            float(row[1] / row.sum()) if row.sum() else None for row in confusion
        )
    return figures


def _regression(y: NDArray[np.float64], predicted: NDArray[np.float64]) -> dict[str, Any]:
    spread = float(np.sum((y - y.mean()) ** 2))
    missed = float(np.sum((y - predicted) ** 2))
    return {
        "r2": 1 - missed / spread if spread else None,
        "mean_absolute_error": float(np.mean(np.abs(y - predicted))),
        "range": [float(y.min()), float(y.max())],
    }


def confusion_matrix(y: NDArray[Any], predicted: NDArray[Any], n_classes: int) -> NDArray[np.int64]:
    """Count rows of true class i that were given class j; int64, shape (n_classes, n_classes)."""
    counts = np.bincount(y * n_classes + predicted, minlength=n_classes * n_classes)
    matrix: NDArray[np.int64] = counts.reshape(n_classes, n_classes).astype(np.int64)
    return matrix
