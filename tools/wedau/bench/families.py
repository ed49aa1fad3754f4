"""Every family on four data sets: what is trained, and what it is judged by."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.model_selection import train_test_split

from wedau.models import ANOMALY_LABELS, Program
from wedau.models.program import Floats, Ints, Rows
from wedau.train import datasets, families, grid, pipeline
from wedau.train.kinds import KINDS
from wedau.train.settings import TrainSettings


@dataclass(frozen=True)
class Table:
    """Rows of features; the first half of them, at random or by person, is for training.

    Attributes:
        name: of the data set.
        x: float32, shape (n_rows, n_features), in data units.
        y: int64, shape (n_rows,): class index.
        parts: shape (n_rows,), str: the person of a row; empty where there are none.
        labels: class names.
        features: names of the features.
    """

    name: str
    x: NDArray[np.float32]
    y: Ints
    parts: NDArray[np.str_]
    labels: tuple[str, ...]
    features: tuple[str, ...]

    def split(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the indices of the rows to train on and of those to judge by."""
        every = np.arange(len(self.x))
        if self.parts[0]:
            people = np.unique(self.parts)
            seen = np.isin(self.parts, people[: len(people) // 2])
            return every[seen], every[~seen]
        training, judged = train_test_split(every, test_size=0.5, random_state=1, stratify=self.y)
        return np.sort(training), np.sort(judged)


@dataclass(frozen=True)
class Pair:
    """A family trained on a data set.

    Attributes:
        family: kind of model, as `wedau train --model` names it.
        data: name of the data set.
        program: what was trained.
        labels: names of the classes, none for a regressor.
        features: names of the features.
        scale: float32, shape (n_features,), units per LSB.
        held_out: int16, shape (n_held_out, n_features): rows that it has not seen.
        predicted: what scikit-learn says of them.
        outputs: its probabilities, values or decisions, shape (n_held_out, n_outputs).
    """

    family: str
    data: str
    program: Program
    labels: tuple[str, ...]
    features: tuple[str, ...]
    scale: NDArray[np.float32]
    held_out: Rows
    predicted: Ints | Floats
    outputs: Floats


def train(family: str, table: Table) -> Pair:
    """Train a kind of model on half of a data set.

    A regressor learns the class index as a number; to an anomaly model the first class is normal.
    """
    settings = TrainSettings(model=family)
    training, judged = table.split()
    scale = grid.fit_scale(table.x[training])
    x = grid.quantize(table.x, scale)
    task = KINDS[family].task
    labels = {"classifier": table.labels, "regressor": (), "anomaly": ANOMALY_LABELS}[task]
    y: Any = {
        "classifier": table.y,
        "regressor": table.y.astype(np.float64),
        "anomaly": (table.y != 0).astype(np.int64),
    }[task]
    data = families.Training(x[training], y[training], table.parts[training], labels, scale)
    fitted = families.fit(data, settings)
    predicted, outputs = fitted.ask(x[judged])
    return Pair(
        family,
        table.name,
        fitted.program,
        labels,
        table.features,
        scale,
        x[judged],
        predicted,
        outputs,
    )


def _packaged(name: str, load: Callable[..., Any]) -> Table:
    data = load()
    return Table(
        name=name,
        x=data.data.astype(np.float32),
        y=data.target.astype(np.int64),
        parts=np.full(len(data.data), ""),
        labels=tuple(str(label) for label in data.target_names),
        features=tuple(str(feature) for feature in data.feature_names),
    )


def _smartwatch() -> Table:
    data = pipeline.prepare(TrainSettings(), data=datasets.smartwatch())
    return Table(
        "smartwatch", data.x, data.y.astype(np.int64), data.parts, data.labels, data.features
    )


TABLES: Mapping[str, Callable[[], Table]] = {
    "digits": lambda: _packaged("digits", load_digits),
    "wine": lambda: _packaged("wine", load_wine),
    "breast_cancer": lambda: _packaged("breast_cancer", load_breast_cancer),
    "smartwatch": _smartwatch,
}
