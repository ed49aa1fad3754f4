"""What a classifier is trained on: rows of features, with labels and groups."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wedau.errors import DataError
from wedau.train import recipe, tables, windows
from wedau.train.model import DataCard
from wedau.train.recipe import Recipe
from wedau.train.recordings import Recordings
from wedau.train.settings import TrainSettings


@dataclass(frozen=True)
class Dataset:
    """Rows of features.

    Attributes:
        x: float32, shape (n_rows, n_features), in the features' units.
        y: int64, shape (n_rows,): index into labels.
        parts: shape (n_rows,), str: what a row belongs to and must not be split from: its group,
            else its recording, else an empty string.
        groups: shape (n_rows,), str: the group of each row; empty strings if there are none.
        labels: class names, sorted.
        features: names of the features.
        units: unit of each feature.
        recipe: how the features come from a window; None if they came ready.
        card: what the data are.
    """

    x: NDArray[np.float32]
    y: NDArray[np.int64]
    parts: NDArray[np.str_]
    groups: NDArray[np.str_]
    labels: tuple[str, ...]
    features: tuple[str, ...]
    units: tuple[str, ...]
    recipe: Recipe | None
    card: DataCard


def from_recordings(recordings: Recordings, settings: TrainSettings) -> Dataset:
    """Cut recordings into windows and compute their features in the C core.

    Raises:
        DataError: a recording is shorter than a window, or the features are not finite.
    """
    length, hop = windows.length_and_hop(settings.window_ms, settings.hop_ms, recordings.rate_hz)
    plan = recipe.standard(recordings.channels, recordings.units, recordings.rate_hz, length, hop)
    rows, counts = [], []
    for item in recordings.items:
        starts = windows.starts(len(item.samples), length, hop)
        if not len(starts):
            raise DataError(
                f"{recordings.source}: the recording {item.name} has {len(item.samples)} samples, "
                f"a window {length}",
                "choose shorter windows with --window-ms, or leave the recording out",
            )
        rows.append(plan.extract(item.samples, starts))
        counts.append(len(starts))
    items = recordings.items
    groups = np.repeat([i.group for i in items], counts)
    names = np.repeat([f"{i.name} {n}" for n, i in enumerate(items)], counts)
    labels, y = np.unique(np.repeat([i.label for i in items], counts), return_inverse=True)
    x = np.concatenate(rows)
    _check_finite(x, plan.feature_names, names)
    return Dataset(
        x=x,
        y=y.astype(np.int64),
        parts=groups if recordings.group else names,
        groups=groups,
        labels=tuple(labels.tolist()),
        features=plan.feature_names,
        units=plan.feature_units,
        recipe=plan,
        card=DataCard(
            source=recordings.source,
            sha256=recordings.sha256(),
            columns=recordings.channels,
            rows=len(x),
            recordings=len(items),
            groups=tuple(sorted({i.group for i in items})) if recordings.group else (),
            label=recordings.label,
            group=recordings.group,
        ),
    )


def _check_finite(
    x: NDArray[np.float32], features: tuple[str, ...], names: NDArray[np.str_]
) -> None:
    bad = np.argwhere(~np.isfinite(x))
    if len(bad):
        row, column = bad[0]
        name = names[row].rsplit(" ", 1)[0]
        raise DataError(
            f"the feature {features[column]} of a window of recording {name} overflows",
            "the samples are too large for float32: use another unit",
        )


def from_table(path: Path, settings: TrainSettings) -> Dataset:
    """Read a file with one row of ready features for each sample.

    Raises:
        DataError: see `wedau.train.tables`.
    """
    named = [c for c in (settings.label, settings.group, *settings.ignore) if c]
    table = tables.read(path, named)
    table.require(settings.label, "label", "--label")
    if settings.group:
        table.require(settings.group, "group", "--group")
    features = tuple(c for c in table.columns if c not in named)
    if not features:
        raise DataError(
            f"{path}: there is no column besides the label's",
            "give a file with a column for each feature",
        )
    texts = table.texts(settings.label, "label")
    tables.check_labels(path, settings.label, texts)
    x = np.stack([table.numbers(c).astype(np.float32) for c in features], axis=1)
    labels, y = np.unique(texts, return_inverse=True)
    groups = table.texts(settings.group, "group") if settings.group else [""] * len(x)
    return Dataset(
        x=x,
        y=y.astype(np.int64),
        parts=np.array(groups),
        groups=np.array(groups),
        labels=tuple(labels.tolist()),
        features=features,
        units=tuple(settings.units.get(c, "") for c in features),
        recipe=None,
        card=DataCard(
            source=path.name,
            sha256=table_sha256(features, texts, groups, x),
            columns=features,
            rows=len(x),
            recordings=0,
            groups=tuple(sorted(set(groups))) if settings.group else (),
            label=settings.label,
            group=settings.group or "",
        ),
    )


def table_sha256(
    features: tuple[str, ...], labels: list[str], groups: list[str], x: NDArray[np.float32]
) -> str:
    """Hash of all that training sees of a table: columns, labels, groups and values."""
    digest = hashlib.sha256(repr((features, labels, groups)).encode())
    digest.update(np.ascontiguousarray(x, "<f4").tobytes())
    return digest.hexdigest()


def check_enough(data: Dataset) -> None:
    """Raise DataError unless every class can be both trained and judged."""
    rows = Counter(data.y.tolist())
    split = bool(data.parts[0])
    for index, label in enumerate(data.labels):
        if not split and rows[index] < 2:
            raise DataError(
                f"{data.card.source}: the class {label!r} has 1 row; it needs 2 at least, one to "
                "learn from and one to be judged by",
                "add rows of this class, or leave it out",
            )
        parts = set(data.parts[data.y == index].tolist())
        if split and len(parts) < 2:
            what = "group" if data.card.group else "recording"
            raise DataError(
                f"{data.card.source}: the class {label!r} occurs in 1 {what}; it needs 2 at least, "
                "one to learn from and one to be judged by",
                f"record it in a second {what}"
                + (", or leave --group out" if data.card.group else ""),
            )
