"""k nearest neighbours: the training rows themselves, the distance weighted by feature."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from wedau.models.program import (
    GRID_MAX,
    GRID_MIN,
    MAX_CLASSES,
    Floats,
    Ints,
    Program,
    Rows,
    Task,
    choice,
    class_indices,
    damaged,
    floats,
    integer,
    integers,
)

MAX_NEIGHBOURS = 32


@dataclass(frozen=True)
class Neighbours(Program):
    """Rows of the grid and what each stands for.

    The distance is the root of the sum of weight * (x - row)^2. Of rows equally far the earlier one
    is the nearer.

    Attributes:
        rows: int64 within the grid, shape (n_rows, n_features).
        weight: float64, shape (n_features,).
        target: float64, shape (n_rows,): class index, or the regressor's value.
        n_outputs: number of classes, 1 for a regressor.
        k: how many neighbours count.
        by_distance: whether each counts by the inverse of its distance instead of all the same.
    """

    family: ClassVar[str] = "neighbours"

    task: Task
    rows: Ints
    weight: Floats
    target: Floats
    n_outputs: int
    k: int
    by_distance: bool
    kind: str = "nearest neighbours"

    @property
    def n_features(self) -> int:  # type: ignore[override]
        """Length of a row."""
        return int(self.rows.shape[1])

    @property
    def size(self) -> str:
        """How large it is, in words."""
        return f"{len(self.rows)} rows, {self.k} neighbours"

    def nearest(self, row: Ints) -> tuple[Ints, Floats]:
        """Return the k nearest rows' indices, nearest first, and their squared distances."""
        square = np.sum(self.weight * (self.rows - row) ** 2, axis=1)
        order = np.argsort(square, kind="stable")[: self.k]
        return order, square[order]

    def outputs(self, rows: Rows) -> Floats:
        """Compute what the module gives; see Program.outputs."""
        result = np.zeros((len(rows), self.n_outputs))
        for i, row in enumerate(rows.astype(np.int64)):
            order, square = self.nearest(row)
            share = self._shares(square)
            if self.task == "regressor":
                result[i, 0] = np.sum(share * self.target[order])
            else:
                np.add.at(result[i], self.target[order].astype(np.int64), share)
        return result

    def _shares(self, square: Floats) -> Floats:
        if not self.by_distance:
            return np.full(self.k, 1 / self.k)
        same = square == 0
        counts = same.astype(np.float64) if same.any() else 1 / np.sqrt(square)
        shares: Floats = counts / counts.sum()
        return shares

    def predict(self, rows: Rows) -> Ints | Floats:
        """Decide; see Program.predict."""
        outputs = self.outputs(rows)
        if self.task == "regressor":
            values: Floats = outputs[:, 0]
            return values
        if not self.by_distance:  # count in integers, so that equal shares are equal
            outputs = np.rint(outputs * self.k)
        return class_indices(np.argmax(outputs, axis=1))

    def to_json(self) -> dict[str, Any]:
        """Return the arrays as JSON's types."""
        return {
            "task": self.task,
            "rows": self.rows.tolist(),
            "weight": self.weight.tolist(),
            "target": self.target.tolist(),
            "n_outputs": self.n_outputs,
            "k": self.k,
            "by_distance": self.by_distance,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Neighbours":
        """Read and check what `to_json` gave."""
        task: Any = choice(data["task"], "task", ("classifier", "regressor"))
        rows = integers(data["rows"], "rows", GRID_MIN, GRID_MAX, None, None)
        target = floats(data["target"], "target", len(rows))
        n_outputs = integer(data["n_outputs"], "n_outputs", 1, MAX_CLASSES)
        if task == "classifier" and not np.all(np.isin(target, np.arange(n_outputs))):
            raise damaged("target is not one of the classes")
        weight = floats(data["weight"], "weight", rows.shape[1])
        if np.any(weight < 0):
            raise damaged("weight holds a number below 0")
        k = integer(data["k"], "k", 1, min(MAX_NEIGHBOURS, len(rows)))
        return cls(task, rows, weight, target, n_outputs, k, bool(data["by_distance"]))
