"""The rows that a model is judged by, and the CSV files that keep them."""

import csv
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wedau.models import Program
from wedau.models.program import GRID_MAX, GRID_MIN
from wedau.train.card import Card

TOLERANCE = 1e-4
"""Most that a program's numbers may differ from scikit-learn's, relative to the largest; those of
many trees with many classes are rounded, so that equal classes stay so, and come to some 1e-6."""

_COLUMNS = ["label", "group", "predicted"]


@dataclass(frozen=True)
class HeldOut:
    """Rows that the model was not trained on.

    Attributes:
        x: int16, shape (n_rows, n_features), on the grid.
        y: int64, shape (n_rows,): class index, 1 for an anomaly; of a regressor float64: the value.
        group: the group of each row; empty strings where there are no groups.
        predicted: what scikit-learn's predict gives, dtype and shape of y.
        outputs: float64, shape (n_rows, n_outputs): what scikit-learn gives: probabilities, the
            value again, or the decision function.
    """

    x: NDArray[np.int16]
    y: NDArray[np.int64] | NDArray[np.float64]
    group: tuple[str, ...]
    predicted: NDArray[np.int64] | NDArray[np.float64]
    outputs: NDArray[np.float64]


def rows_csv(rows: HeldOut, card: Card) -> bytes:
    """Return the rows, all but the outputs, as a CSV."""
    name: Callable[[float], str] = repr if card.task == "regressor" else _label_of(card)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_COLUMNS, *card.features])
    for x, y, group, predicted in zip(
        rows.x.tolist(), rows.y.tolist(), rows.group, rows.predicted.tolist(), strict=True
    ):
        writer.writerow([name(y), group, name(predicted), *x])
    return text.getvalue().encode()


def _label_of(card: Card) -> Callable[[float], str]:
    return lambda index: card.labels[int(index)]


def outputs_csv(rows: HeldOut, card: Card) -> bytes:
    """Return the outputs as a CSV, each float64 in the digits that give it back."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(output_names(card))
    writer.writerows([repr(v) for v in row] for row in rows.outputs.tolist())
    return text.getvalue().encode()


def output_names(card: Card) -> list[str]:
    """Return the name of each output."""
    if card.task == "classifier":
        return list(card.labels)
    return ["value" if card.task == "regressor" else "decision"]


def parse_rows(content: bytes, card: Card) -> HeldOut:
    """Read what `rows_csv` gave; the outputs are missing, shape (n_rows, 0).

    Raises:
        ValueError: it is not a CSV of this card's model; says what is wrong.
    """
    rows = _parse_csv(content, [*_COLUMNS, *card.features])
    width = len(_COLUMNS) + len(card.features)
    regressor = card.task == "regressor"
    index = {label: i for i, label in enumerate(card.labels)}
    read: Callable[[str], float] = _finite if regressor else index.__getitem__
    x = np.zeros((len(rows), len(card.features)), np.int16)
    dtype: Any = np.float64 if regressor else np.int64
    y, predicted = (np.zeros(len(rows), dtype) for _ in range(2))
    for i, row in enumerate(rows):
        try:
            if len(row) != width:
                raise ValueError(row)
            y[i], predicted[i] = read(row[0]), read(row[2])
            x[i] = [_int16(v) for v in row[3:]]
        except (ValueError, KeyError, IndexError) as error:
            raise ValueError(f"row {i + 2} is damaged") from error
    return HeldOut(x, y, tuple(row[1] for row in rows), predicted, np.zeros((len(rows), 0)))


def parse_outputs(content: bytes, card: Card, n_rows: int) -> NDArray[np.float64]:
    """Read what `outputs_csv` gave.

    Raises:
        ValueError: it is not a CSV of this card's model and this many rows; says what is wrong.
    """
    names = output_names(card)
    rows = _parse_csv(content, names)
    if len(rows) != n_rows:
        raise ValueError(f"has {len(rows)} rows instead of {n_rows}")
    values = np.zeros((n_rows, len(names)))
    for i, row in enumerate(rows):
        try:
            if len(row) != len(names):
                raise ValueError(row)
            values[i] = [_finite(v) for v in row]
        except ValueError as error:
            raise ValueError(f"row {i + 2} is damaged") from error
    return values


def first_difference(
    program: Program,
    x: NDArray[np.int16],
    predicted: NDArray[np.int64] | NDArray[np.float64],
    outputs: NDArray[np.float64],
) -> tuple[int, str] | None:
    """Return the first row on which a program is not scikit-learn, and what differs; or None.

    Classes are equal, or they differ; numbers may be TOLERANCE off.

    Args:
        program: to be judged.
        x: int16, shape (n_rows, n_features), on the grid.
        predicted, outputs: scikit-learn's; see HeldOut.
    """
    if not len(x):
        return None
    with np.errstate(all="ignore"):  # damaged parameters may overflow; that is not close
        if program.task != "regressor":
            wrong = np.flatnonzero(program.predict(x) != predicted)
            if len(wrong):
                return int(wrong[0]), "label"
        away = np.abs(program.outputs(x) - outputs)
    close = away <= TOLERANCE * np.max(np.abs(outputs), initial=2.0**-1000)
    far = np.flatnonzero(~close.all(axis=1))
    return (int(far[0]), "number") if len(far) else None


def _parse_csv(content: bytes, header: Sequence[str]) -> list[list[str]]:
    try:
        first, *rows = csv.reader(io.StringIO(content.decode()), strict=True)
    except (ValueError, csv.Error) as error:
        raise ValueError(f"is not the CSV that was saved: {error}") from error
    if first != list(header):
        raise ValueError("has other columns than model.json")
    return rows


def _int16(text: str) -> int:
    value = int(text)
    if not GRID_MIN <= value <= GRID_MAX:
        raise ValueError(text)
    return value


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value
