"""What a model is trained on: rows of features, with labels and groups."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from wedau.errors import DataError
from wedau.models import Task
from wedau.train import plan, recipe, tables, targets, windows
from wedau.train.model import DataCard
from wedau.train.recipe import Recipe
from wedau.train.recordings import Recordings
from wedau.train.settings import TrainSettings
from wedau.train.targets import Targets

MIN_ROWS = 10


@dataclass(frozen=True)
class Dataset:
    """Rows of features.

    Attributes:
        x: float32, shape (n_rows, n_features), in the features' units.
        y: int64, shape (n_rows,): index into labels; of regressors float64: the value.
        parts: shape (n_rows,), str: what a row belongs to and must not be split from: its group,
            else its recording, else an empty string.
        groups: shape (n_rows,), str: the group of each row; empty strings if there are none.
        labels: class names, sorted; ``normal`` and ``anomaly``; or none, of regressors.
        features: names of the features.
        units: unit of each feature.
        recipe: how the features come from a window; None if they came ready.
        card: what the data are.
    """

    x: NDArray[np.float32]
    y: Targets
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
    made = _recipe(recordings, settings)
    starts = [windows.starts(len(i.samples), made.length, made.hop) for i in recordings.items]
    for item, found in zip(recordings.items, starts, strict=True):
        if not len(found):
            raise DataError(
                f"{recordings.source}: the recording {item.name} has {len(item.samples)} samples, "
                f"a window {made.length}",
                "choose shorter windows with --window-ms, or leave the recording out",
            )
    rows = extract(made, [item.samples for item in recordings.items], starts)
    counts = [len(found) for found in starts]
    items = recordings.items
    groups = np.repeat([i.group for i in items], counts)
    names = np.repeat([f"{i.name} {n}" for n, i in enumerate(items)], counts)
    texts = np.repeat([i.label for i in items], counts).tolist()
    labels, y = targets.from_texts(texts, settings, recordings.source)
    x = np.concatenate(rows)
    _check_finite(x, made.feature_names, names)
    return Dataset(
        x=x,
        y=y,
        parts=groups if recordings.group else names,
        groups=groups,
        labels=labels,
        features=made.feature_names,
        units=made.feature_units,
        recipe=made,
        card=DataCard(
            source=recordings.source,
            sha256=recordings.sha256(),
            columns=recordings.channels,
            rows=len(x),
            recordings=len(items),
            groups=tuple(sorted({i.group for i in items})) if recordings.group else (),
            label=recordings.label if any(texts) else "",
            group=recordings.group,
        ),
    )


def _recipe(recordings: Recordings, settings: TrainSettings) -> Recipe:
    """Return the recipe of the settings, or the standard one."""
    asked = settings.recipe
    times = settings.window_ms, settings.hop_ms
    if asked is not None:
        plan.check_keys(asked)
        times = plan.times(asked, *times)
    length, hop = windows.length_and_hop(*times, recordings.rate_hz)
    data = recordings.channels, recordings.units, recordings.rate_hz, length, hop
    return recipe.standard(*data) if asked is None else plan.recipe(asked, *data)


def extract(
    made: Recipe,
    samples: Sequence[NDArray[np.float32]],
    starts: Sequence[NDArray[np.int64]],
    n_jobs: int = -1,
) -> list[NDArray[np.float32]]:
    """Compute the features of the windows of many recordings, on all cores.

    Args:
        made: the recipe.
        samples: float32, shape (n_samples, n_channels), of each recording.
        starts: int64, shape (n_windows,): index of each window's first sample, of each recording.
        n_jobs: threads, as joblib counts them; -1 for as many as there are cores.

    Returns:
        float32, shape (n_windows, n_features), of each recording.
    """
    _ = made.blob
    jobs = (delayed(made.extract)(*each) for each in zip(samples, starts, strict=True))
    return list(Parallel(n_jobs=n_jobs, prefer="threads")(jobs))


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
    has_label = settings.label in table.columns
    if settings.task != "anomaly" or settings.normal or settings.label != TrainSettings.label:
        table.require(settings.label, "label", "--label")
    if settings.group:
        table.require(settings.group, "group", "--group")
    features = tuple(c for c in table.columns if c not in named)
    if not features:
        raise DataError(
            f"{path}: there is no column besides the label's",
            "give a file with a column for each feature",
        )
    texts = table.texts(settings.label, "label") if has_label else [""] * len(table.frame)
    if settings.task == "regressor":
        texts = [repr(v) for v in _numbers(table, settings).tolist()]
    elif settings.task == "classifier":
        tables.check_labels(path, settings.label, texts)
    x = np.stack([table.numbers(c).astype(np.float32) for c in features], axis=1)
    labels, y = targets.from_texts(texts, settings, str(path))
    groups = table.texts(settings.group, "group") if settings.group else [""] * len(x)
    return Dataset(
        x=x,
        y=y,
        parts=np.array(groups),
        groups=np.array(groups),
        labels=labels,
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
            label=settings.label if has_label else "",
            group=settings.group or "",
        ),
    )


def _numbers(table: tables.Table, settings: TrainSettings) -> NDArray[np.float64]:
    """Return a regressor's label column, float64, shape (n_rows,)."""
    try:
        return table.numbers(settings.label)
    except DataError as error:
        raise DataError(error.message, targets.no_numbers_hint(settings)) from error


def table_sha256(
    features: tuple[str, ...], labels: list[str], groups: list[str], x: NDArray[np.float32]
) -> str:
    """Hash of all that training sees of a table: columns, labels, groups and values."""
    digest = hashlib.sha256(repr((features, labels, groups)).encode())
    digest.update(np.ascontiguousarray(x, "<f4").tobytes())
    return digest.hexdigest()


def check_enough(data: Dataset, task: Task = "classifier") -> None:
    """Raise DataError unless every class, or all that is normal, can be both trained and judged."""
    if task != "classifier":
        _check_many(data, task)
        return
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


def _check_many(data: Dataset, task: Task) -> None:
    """Raise DataError if there are too few rows, or too few parts, of what is learnt from."""
    chosen = np.ones(len(data.x), bool) if task == "regressor" else data.y == 0
    what = "rows" if task == "regressor" else "normal rows"
    if int(chosen.sum()) < MIN_ROWS:
        raise DataError(
            f"{data.card.source}: there are {int(chosen.sum())} {what}; it needs {MIN_ROWS} at "
            "least, some to learn from and some to be judged by",
            "add rows",
        )
    if data.parts[0] and len(set(data.parts[chosen].tolist())) < 2:
        kind = "group" if data.card.group else "recording"
        raise DataError(
            f"{data.card.source}: all {what} are of one {kind}; it needs 2 at least, one to learn "
            "from and one to be judged by",
            f"record a second {kind}" + (", or leave --group out" if data.card.group else ""),
        )
