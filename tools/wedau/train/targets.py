"""What a model learns to say: classes, numbers, or whether something is normal."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from wedau.errors import DataError
from wedau.models import ANOMALY_LABELS
from wedau.train.card import Card
from wedau.train.names import nearest
from wedau.train.settings import TrainSettings

NORMAL, ANOMALY = ANOMALY_LABELS

Targets = NDArray[np.int64] | NDArray[np.float64]


def from_texts(
    texts: Sequence[str], settings: TrainSettings, source: str
) -> tuple[tuple[str, ...], Targets]:
    """Turn the label column into what the settings' kind of model is trained on.

    Args:
        texts: the cell of each row; empty texts where there is no label column.
        settings: its `task` and `normal` are used.
        source: names the data in messages.

    Returns:
        The labels by class index, none for a regressor; and int64, shape (n_rows,), the class
        indices, or float64, the numbers.

    Raises:
        DataError: a regressor's cell is no number, or nothing says which labels are normal.
    """
    if settings.task == "classifier":
        labels, y = np.unique(np.asarray(texts), return_inverse=True)
        return tuple(labels.tolist()), y.astype(np.int64)
    if settings.task == "regressor":
        return (), _numbers(texts, settings, source)
    normal = _normal(texts, settings, source)
    return ANOMALY_LABELS, np.array([text not in normal for text in texts], np.int64)


def _numbers(texts: Sequence[str], settings: TrainSettings, source: str) -> NDArray[np.float64]:
    values = numbers(texts)
    if values is None:
        wrong = next(text for text in texts if numbers([text]) is None)
        raise DataError(
            f"{source}: the label column {settings.label!r} holds {wrong!r}, which is no number",
            no_numbers_hint(settings),
        )
    return values


def no_numbers_hint(settings: TrainSettings) -> str:
    """Say what to do where a regressor's label is no number."""
    return (
        f"{settings.model} predicts numbers: correct the cell, name a column of numbers with "
        "--label, or train a classifier, such as --model random-forest"
    )


def numbers(texts: Sequence[str]) -> NDArray[np.float64] | None:
    """Return texts as finite numbers of float32's range, or None if one is not."""
    try:
        values = np.array([float(text) for text in texts], np.float64)
    except ValueError:
        return None
    return values if np.all(np.abs(values) < np.finfo(np.float32).max) else None


def _normal(texts: Sequence[str], settings: TrainSettings, source: str) -> set[str]:
    labels = sorted(set(texts))
    for name in settings.normal:
        if name not in labels:
            near = nearest(name, labels)
            raise DataError(
                f"{source}: no row has the label {name!r}; the labels are {', '.join(labels)}",
                f"did you mean --normal {near}?" if near else "name one of these with --normal",
            )
    if not settings.normal and len(labels) > 1:
        raise DataError(
            f"{source}: nothing says which of the {len(labels)} labels is normal",
            f"name it, such as --normal {labels[0]}; several are possible",
        )
    return set(settings.normal or labels)


def of_new_data(texts: Sequence[str], card: Card) -> tuple[str, ...] | None:
    """Return what a model should say to new rows, None if their labels do not tell.

    Args:
        texts: the label of each row; some may be empty.
        card: of the model.
    """
    if not texts or not all(texts):
        return None
    if card.task == "regressor":
        return None if numbers(texts) is None else tuple(texts)
    normal = set(card.settings.get("normal", ()))
    if card.task == "anomaly" and normal:
        return tuple(NORMAL if text in normal else ANOMALY for text in texts)
    return tuple(texts) if set(texts) & set(card.labels) else None
