"""What every alternative has to decide: forests and perceptrons on three data sets."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from wedau.bench import digits, families
from wedau.models import Program, Votes, trees
from wedau.models.program import Ints, Rows
from wedau.train import grid

DATA = ("digits", "smartwatch", "wine")
MLP = "mlp"
MODELS = {"trees-10": 10, "trees-20": 20, "trees-100": 100, MLP: None}
DEPTH = 8


@dataclass(frozen=True)
class Task:
    """A trained model and what scikit-learn makes of rows that it has not seen.

    Attributes:
        data: name of the data set.
        trees: how many the forest has, each at most 8 deep; None: a perceptron.
        program: the model, on the int16 grid; of a forest each leaf holds one class.
        labels: names of the classes.
        features: names of the features.
        scale: float32, shape (n_features,), units per LSB.
        rows: int16, shape (n_held_out, n_features).
        predicted: int64, shape (n_held_out,): class indices by scikit-learn.
    """

    data: str
    trees: int | None
    program: Program
    labels: tuple[str, ...]
    features: tuple[str, ...]
    scale: NDArray[np.float32]
    rows: Rows
    predicted: Ints

    @property
    def name(self) -> str:
        """A name for it that is a Python identifier."""
        return f"{self.data}_{self.trees or MLP}"


@cache
def tasks(data: str) -> tuple[Task, ...]:
    """Train the models of a data set: on one half, at random or by person.

    Args:
        data: one of DATA.

    Returns:
        one task for each of MODELS.

    Raises:
        DataError: the smartwatch recordings are not installed.
    """
    table = families.TABLES[data]()
    return tuple(_trained(table, n_trees) for n_trees in MODELS.values())


def _trained(table: families.Table, n_trees: int | None) -> Task:
    if n_trees is None:
        return _perceptron(table)
    return _digits(table, n_trees) if table.name == "digits" else _forest(table, n_trees)


def _digits(table: families.Table, n_trees: int) -> Task:
    """The forest of `wedau bench digits`, and forests trained as it is."""
    program, unseen, _ = digits.forest(n_trees)
    scale = np.full(unseen.shape[1], digits.SCALE, np.float32)
    return _task(table, n_trees, program, scale, unseen)


def _forest(table: families.Table, n_trees: int) -> Task:
    training, judged = table.split()
    scale = grid.fit_scale(table.x[training])
    x = grid.quantize(table.x, scale)
    forest = RandomForestClassifier(n_estimators=n_trees, max_depth=DEPTH, random_state=1)
    members = forest.fit(x[training], table.y[training]).estimators_
    classes = np.arange(len(table.labels))
    program = Votes([trees.harden(m.tree_, classes) for m in members], x.shape[1], len(classes))
    return _task(table, n_trees, program, scale, x[judged])


def _perceptron(table: families.Table) -> Task:
    """The perceptron of `wedau train --model mlp`."""
    pair = families.train("mlp", table)
    predicted = pair.predicted.astype(np.int64)
    return _task(table, None, pair.program, pair.scale, pair.held_out, predicted)


def _task(
    table: families.Table,
    n_trees: int | None,
    program: Program,
    scale: NDArray[np.float32],
    rows: Rows,
    predicted: Ints | None = None,
) -> Task:
    if predicted is None:
        predicted = program.predict(rows).astype(np.int64)
    return Task(table.name, n_trees, program, table.labels, table.features, scale, rows, predicted)
