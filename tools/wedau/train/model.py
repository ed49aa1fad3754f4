"""A trained model and the folder that holds it, in files that a person can read.

The folder has ``model.json`` (the card: what the model is and what it was trained on),
``trees.json`` (the forest) and ``held_out.csv`` (rows of the grid that training never saw, with
what the model says to each). The card carries the hashes of the other two. Nothing is unpickled.
The same data, settings and seed give the same bytes.
"""

import csv
import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from wedau.errors import DataError
from wedau.models import trees
from wedau.train.names import check_model_name
from wedau.train.recipe import Recipe

FORMAT = 1
CARD, TREES, HELD_OUT = "model.json", "trees.json", "held_out.csv"
_HELD_OUT_COLUMNS = ["label", "group", "predicted"]
_AGAIN = "the model's files were damaged or edited: run 'wedau train' again"
_OTHER_FOLDER = "choose another folder with -o, one that you may write to"

Metrics = Mapping[str, Any]


@dataclass(frozen=True)
class DataCard:
    """What a model was trained on.

    Attributes:
        source: name of the file, folder or data set; no path of the machine.
        sha256: hash of the data's values, labels, groups and column names.
        columns: names of the columns or channels that were used.
        rows: number of rows or windows, those held out included.
        recordings: number of recordings; 0 where the data are ready features.
        groups: names of the groups, sorted; empty where there is no group column.
        label: name of the label column.
        group: name of the group column, or an empty string.
    """

    source: str
    sha256: str
    columns: tuple[str, ...]
    rows: int
    recordings: int
    groups: tuple[str, ...]
    label: str
    group: str


@dataclass(frozen=True)
class Card:
    """What a model is.

    Attributes:
        name: Python identifier, the module's name on the board.
        version: text such as ``1.0.0``.
        labels: class names in the order of the class index.
        features: names of the features in the order of the input.
        units: unit of each feature, ``1`` for a count or ratio, empty where not known.
        scale: float32, shape (n_features,), > 0: units per LSB of the int16 grid.
        recipe: how the features come from a window; None where the data are ready features.
        data: what the model was trained on.
        settings: the training's settings, seed included.
        metrics: accuracies and confusion matrices; see `wedau.train.evaluate`.
        importance: mean decrease in impurity of each feature, shape (n_features,), sums to 1.
        versions: versions of wedau, scikit-learn and numpy.
    """

    name: str
    version: str
    labels: tuple[str, ...]
    features: tuple[str, ...]
    units: tuple[str, ...]
    scale: NDArray[np.float32]
    recipe: Recipe | None
    data: DataCard
    settings: Mapping[str, Any]
    metrics: Metrics
    importance: tuple[float, ...]
    versions: Mapping[str, str]


@dataclass(frozen=True)
class HeldOut:
    """Rows that the model was not trained on.

    Attributes:
        x: int16, shape (n_rows, n_features), on the grid.
        y: int64, shape (n_rows,): class index.
        group: the group of each row; empty strings where there are no groups.
        predicted: int64, shape (n_rows,): the class index that the model gives.
    """

    x: NDArray[np.int16]
    y: NDArray[np.int64]
    group: tuple[str, ...]
    predicted: NDArray[np.int64]


@dataclass(frozen=True)
class TrainedModel:
    """A forest on the int16 grid, its card, and rows to judge it by.

    Attributes:
        card: what the model is.
        trees: the forest as arrays, each leaf one class.
        held_out: rows it has not seen.
        estimator: scikit-learn's RandomForestClassifier made of the same trees; its ``classes_``
            are the indices into ``card.labels``.
    """

    card: Card
    trees: tuple[trees.TreeArrays, ...]
    held_out: HeldOut
    estimator: RandomForestClassifier = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        built = trees.forest(self.trees, len(self.card.features), len(self.card.labels))
        object.__setattr__(self, "estimator", built)

    @property
    def n_nodes(self) -> int:
        """Number of nodes of all trees, leaves included."""
        return sum(t.n_nodes for t in self.trees)

    def save(self, folder: Path | str) -> None:
        """Write the model's folder, the whole or nothing; an older model there is replaced.

        Raises:
            DataError: the folder holds something that is not a model, or cannot be written.
        """
        folder = Path(folder)
        check_replaceable(folder)
        files = _files(self)
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".wedau-", dir=folder.parent) as beside:
                new = Path(beside, "new")
                new.mkdir()
                for name, data in files.items():
                    Path(new, name).write_bytes(data)
                _replace(new, folder, Path(beside, "old"))
        except OSError as error:
            raise DataError(
                f"cannot write the model folder {folder}: {error.strerror}",
                _OTHER_FOLDER,
            ) from error

    @classmethod
    def load(cls, folder: Path | str) -> "TrainedModel":
        """Read a model's folder and check all of it.

        Raises:
            DataError: a file is missing, damaged, not of this model, or of an unknown format, or
                the trees do not predict what ``held_out.csv`` says.
        """
        folder = Path(folder)
        card, hashes = _load_card(folder)
        data = {name: _read(folder, name) for name in (TREES, HELD_OUT)}
        for name, content in data.items():
            if hashlib.sha256(content).hexdigest() != hashes.get(name):
                raise DataError(f"{folder / name} is not the file that {CARD} names", _AGAIN)
        forest = _load_trees(folder, data[TREES], card)
        model = cls(card, forest, _load_rows(folder, data[HELD_OUT], card))
        model._check_predictions(folder / HELD_OUT)
        return model

    def _check_predictions(self, path: Path) -> None:
        if not len(self.held_out.x):
            return
        wrong = np.flatnonzero(self.estimator.predict(self.held_out.x) != self.held_out.predicted)
        if len(wrong):
            raise DataError(f"{path}: row {wrong[0] + 2}: the trees predict another label", _AGAIN)


def check_replaceable(folder: Path) -> None:
    """Raise DataError if saving a model there would fail, or hit something else than a model."""
    if folder.is_dir() and any(folder.iterdir()) and not Path(folder, CARD).is_file():
        raise DataError(
            f"the folder {folder} holds other files and no model",
            "choose a new or empty folder with -o",
        )
    if folder.exists() and not folder.is_dir():
        raise DataError(f"{folder} is a file", "choose a new or empty folder with -o")
    parent = next((p for p in folder.absolute().parents if p.exists()), folder)
    if not (parent.is_dir() and os.access(parent, os.W_OK)):
        reason = "you may not write to it" if parent.is_dir() else "it is a file"
        raise DataError(
            f"cannot write the model folder {folder}: {parent}: {reason}", _OTHER_FOLDER
        )


def _replace(new: Path, folder: Path, old: Path) -> None:
    """Put `new` in the place of `folder`; other files in there, such as a report, move along."""
    if not folder.exists():
        new.rename(folder)
        return
    for other in folder.iterdir():
        if other.name not in (CARD, TREES, HELD_OUT):
            copy = shutil.copytree if other.is_dir() else shutil.copy2
            copy(other, Path(new, other.name))
    folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        old.rename(folder)
        raise


def _files(model: TrainedModel) -> dict[str, bytes]:
    files = {
        TREES: _json([t.to_json() for t in model.trees], indent=None),
        HELD_OUT: _rows_csv(model.held_out, model.card),
    }
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    files[CARD] = _json(_card_json(model.card) | {"files": hashes}, indent=1)
    return files


def _json(data: Any, indent: int | None) -> bytes:
    if indent is None:  # one line a tree
        return ("[\n" + ",\n".join(json.dumps(d) for d in data) + "\n]\n").encode()
    return (json.dumps(data, indent=indent, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _card_json(card: Card) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "name": card.name,
        "version": card.version,
        "labels": list(card.labels),
        "features": [
            {"name": n, "unit": u, "scale": float(s), "importance": i}
            for n, u, s, i in zip(
                card.features, card.units, card.scale, card.importance, strict=True
            )
        ],
        "recipe": None if card.recipe is None else card.recipe.to_json(),
        "data": {k: list(v) if isinstance(v, tuple) else v for k, v in vars(card.data).items()},
        "settings": dict(card.settings),
        "metrics": dict(card.metrics),
        "versions": dict(card.versions),
    }


def _rows_csv(rows: HeldOut, card: Card) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_HELD_OUT_COLUMNS, *card.features])
    for x, y, group, predicted in zip(
        rows.x.tolist(), rows.y.tolist(), rows.group, rows.predicted.tolist(), strict=True
    ):
        writer.writerow([card.labels[y], group, card.labels[predicted], *x])
    return text.getvalue().encode()


def _read(folder: Path, name: str) -> bytes:
    path = folder / name
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{folder} is not a model folder: no {name} in it",
            "give the folder that 'wedau train ... -o FOLDER' has made",
        ) from error


def _load_json(folder: Path, name: str, content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{folder / name} is not JSON: {error}", _AGAIN) from error


def _load_card(folder: Path) -> tuple[Card, Mapping[str, str]]:
    content = _load_json(folder, CARD, _read(folder, CARD))
    path = folder / CARD
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DataError(
            f"{path} is not a model card of format {FORMAT}",
            "train it again with this version, or install the wedau that made it",
        )
    try:
        card = _parse_card(content)
        hashes = dict(content["files"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"{type(error).__name__}: {error}".replace("\n", " ")
        raise DataError(f"{path} is incomplete or damaged ({what})", _AGAIN) from error
    _check_card(card, path)
    return card, hashes


def _parse_card(content: Mapping[str, Any]) -> Card:
    features = content["features"]
    data = dict(content["data"])
    for name in ("columns", "groups"):
        data[name] = tuple(str(v) for v in data[name])
    recipe = content["recipe"]
    return Card(
        name=str(content["name"]),
        version=str(content["version"]),
        labels=tuple(str(v) for v in content["labels"]),
        features=tuple(str(f["name"]) for f in features),
        units=tuple(str(f["unit"]) for f in features),
        scale=np.array([float(f["scale"]) for f in features], np.float32),
        recipe=None if recipe is None else Recipe.from_json(recipe),
        data=DataCard(**data),
        settings=dict(content["settings"]),
        metrics=dict(content["metrics"]),
        importance=tuple(float(f["importance"]) for f in features),
        versions=dict(content["versions"]),
    )


def _check_card(card: Card, path: Path) -> None:
    check_model_name(card.name)
    problem = None
    if len(set(card.labels)) < max(2, len(card.labels)):
        problem = "labels: fewer than two, or one twice"
    elif len(set(card.features)) < max(1, len(card.features)):
        problem = "features: none, or one twice"
    elif not np.all(np.isfinite(card.scale) & (card.scale > 0)):
        problem = "a scale is not a number above 0"
    elif card.recipe is not None and card.recipe.feature_names != card.features:
        problem = "the recipe gives other features"
    if problem:
        raise DataError(f"{path}: {problem}", _AGAIN)


def _load_trees(folder: Path, content: bytes, card: Card) -> tuple[trees.TreeArrays, ...]:
    data = _load_json(folder, TREES, content)
    if not isinstance(data, list) or not data:
        raise DataError(f"{folder / TREES} holds no trees", _AGAIN)
    n_features, n_classes = len(card.features), len(card.labels)
    return tuple(
        trees.tree_from_json(d, n_features, n_classes, f"{folder / TREES}: tree {i}")
        for i, d in enumerate(data)
    )


def _load_rows(folder: Path, content: bytes, card: Card) -> HeldOut:
    path = folder / HELD_OUT
    try:
        header, *rows = csv.reader(io.StringIO(content.decode()), strict=True)
    except (ValueError, csv.Error) as error:
        raise DataError(f"{path} is not the CSV that was saved: {error}", _AGAIN) from error
    if header != [*_HELD_OUT_COLUMNS, *card.features]:
        raise DataError(f"{path} has other columns than {CARD}", _AGAIN)
    index = {label: i for i, label in enumerate(card.labels)}
    x = np.zeros((len(rows), len(card.features)), np.int16)
    y, predicted = (np.zeros(len(rows), np.int64) for _ in range(2))
    for i, row in enumerate(rows):
        try:
            y[i], predicted[i] = index[row[0]], index[row[2]]
            x[i] = [_int16(v) for v in row[3:]]
        except (ValueError, KeyError, IndexError) as error:
            raise DataError(f"{path}: row {i + 2} is damaged", _AGAIN) from error
    return HeldOut(x, y, tuple(row[1] for row in rows), predicted)


def _int16(text: str) -> int:
    value = int(text)
    if not trees.GRID_MIN <= value <= trees.GRID_MAX:
        raise ValueError(text)
    return value
