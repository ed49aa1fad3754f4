"""New data of the kind that a model was trained on, read as its training read them."""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wedau.errors import DataError
from wedau.train import grid, recordings, tables, targets, windows
from wedau.train.dataset import table_sha256
from wedau.train.model import Card
from wedau.train.recipe import Recipe
from wedau.train.settings import TrainSettings


@dataclass(frozen=True)
class Unseen:
    """Rows to decide about.

    Attributes:
        names: what each row is, for people.
        features: float32, shape (n_rows, n_features), in the features' units.
        grid: int16, the same on the model's grid.
        windows: float32, shape (n_rows, length * n_channels): the samples that the features come
            from, which have been through the recipe's filters; None where the features came ready.
        truth: the label of each row, of a regressor's the number; None if some have none, or the
            model cannot be judged by them.
        trained_on: whether these are the very data that the model was trained and judged on.
    """

    names: tuple[str, ...]
    features: NDArray[np.float32]
    grid: NDArray[np.int16]
    windows: NDArray[np.float32] | None
    truth: tuple[str, ...] | None
    trained_on: bool


def read(path: Path, card: Card) -> Unseen:
    """Read a table of ready features, or recordings, as the card's model takes them.

    Raises:
        DataError: a column is missing, the channels or the rate differ, or a cell is no number.
    """
    if card.recipe is None:
        return _rows(path, card)
    return _windows(path, card, card.recipe)


def _rows(path: Path, card: Card) -> Unseen:
    named = [column for column in (card.data.label, card.data.group) if column]
    table = tables.read(path, named)
    for name in card.features:
        table.require(name, "feature", "the columns of the training data:")
    columns = [table.numbers(name).astype(np.float32) for name in card.features]
    features = np.stack(columns, axis=1)
    labels, groups = _texts(table, card.data.label), _texts(table, card.data.group)
    if card.task == "regressor" and labels:
        labels = _numbers(table, card.target)
    truth = targets.of_new_data(labels or (), card)
    groups = groups or [""] * len(features)
    same = card.data.sha256 == table_sha256(
        card.features, labels or [""] * len(features), groups, features
    )
    names = tuple(f"row {i + 2}" for i in range(len(features)))
    return Unseen(names, features, grid.quantize(features, card.scale), None, truth, same)


def _texts(table: tables.Table, column: str) -> list[str] | None:
    """Return a column that new data may lack, or have gaps in."""
    if column not in table.columns or table.frame[column].isna().any():
        return None
    return table.texts(column, column)


def _numbers(table: tables.Table, column: str) -> list[str] | None:
    """Return a column of numbers as training reads it, None if a cell is no number."""
    try:
        return [repr(v) for v in table.numbers(column).tolist()]
    except DataError:
        return None


def _windows(path: Path, card: Card, recipe: Recipe) -> Unseen:
    data = recordings.read(path, _settings(card), training=False)
    if data.channels != recipe.channels:
        raise DataError(
            f"{path} has the channels {', '.join(data.channels)}, the model was trained on "
            + ", ".join(recipe.channels),
            "give the same columns in the same order; --ignore of the training counts here too",
        )
    if abs(data.rate_hz - recipe.rate_hz) > 0.02 * recipe.rate_hz:
        raise DataError(
            f"{path} was sampled at {data.rate_hz:g} Hz, the training data at {recipe.rate_hz:g}",
            "record at the same rate",
        )
    names, cut, features, truth = [], [], [], []
    for item in data.items:
        starts = windows.starts(len(item.samples), recipe.length, recipe.hop)
        names += [f"{item.name} at sample {start}" for start in starts]
        cut.append(windows.cut(recipe.filtered(item.samples), starts, recipe.length))
        features.append(recipe.extract(item.samples, starts))
        truth += [item.label] * len(starts)
    if not names:
        raise DataError(
            f"{path}: every recording is shorter than a window, {recipe.length} samples",
            "give longer recordings",
        )
    x = np.concatenate(features)
    return Unseen(
        names=tuple(names),
        features=x,
        grid=grid.quantize(x, card.scale),
        windows=np.concatenate(cut),
        truth=targets.of_new_data(truth, card),
        trained_on=data.sha256() == card.data.sha256,
    )


def _settings(card: Card) -> TrainSettings:
    known = {field.name for field in fields(TrainSettings)}
    given = {key: value for key, value in card.settings.items() if key in known}
    return TrainSettings(**given)
