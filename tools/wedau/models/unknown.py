"""A classifier that says "unknown" where a row is not like those that it was trained on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from wedau.models.program import (
    GRID_MAX,
    GRID_MIN,
    Floats,
    Ints,
    Program,
    Rows,
    Task,
    integer,
    integers,
    number,
)

LABEL = "unknown"
SHIFT, MOST = 12, 255  # WD_NOVELTY_SHIFT and WD_NOVELTY_MOST of modules/core/models/wd_novelty.h
MAX_WEIGHT = 65535


@dataclass(frozen=True)
class WithUnknown(Program):
    """A classifier and the limits beyond which its answer is "unknown", its last class.

    Attributes:
        known: the classifier of the known classes.
        low, high: int64, shape (n_features,): a row with a feature outside is unknown.
        median: int64, shape (n_known, n_features): of each class's rows.
        weight: int64, the same shape, 0 to 65535: 2^16 / spread of the class's rows.
        confidence: a row is unknown if the class decided for has a smaller output.
        novelty: a row is unknown if its distance from the class decided for is larger.
    """

    family: ClassVar[str] = "with-unknown"

    known: Program
    low: Ints
    high: Ints
    median: Ints
    weight: Ints
    confidence: float
    novelty: int
    task: Task = "classifier"

    @property
    def n_features(self) -> int:  # type: ignore[override]
        """Length of a row."""
        return self.known.n_features

    @property
    def n_outputs(self) -> int:  # type: ignore[override]
        """Known classes and one."""
        return self.known.n_outputs + 1

    @property
    def kind(self) -> str:  # type: ignore[override]
        """The known family's name for people."""
        return self.known.kind

    @property
    def size(self) -> str:
        """How large it is, in words."""
        return self.known.size

    def distance(self, rows: Rows, classes: Ints) -> Ints:
        """Return the distance of rows from classes; int64, shape (n_rows,).

        Source: twin of wd_novelty() in modules/core/models/wd_novelty.h.
        """
        return distance(rows, classes, self.median, self.weight)

    def is_unknown(self, rows: Rows) -> NDArray[np.bool_]:
        """Return which rows are unknown; shape (n_rows,)."""
        classes = np.asarray(self.known.predict(rows), np.int64)
        share = self.known.outputs(rows)[np.arange(len(rows)), classes]
        outside = np.any((rows < self.low) | (rows > self.high), axis=1)
        unlike = self.distance(rows, classes) > self.novelty
        return np.asarray((share < self.confidence) | outside | unlike)

    def predict(self, rows: Rows) -> Ints:
        """Return the class, or the number of known classes for "unknown"."""
        known = np.asarray(self.known.predict(rows), np.int64)
        return np.where(self.is_unknown(rows), self.known.n_outputs, known)

    def outputs(self, rows: Rows) -> Floats:
        """Return the known classes' outputs, and 1 if the row is unknown, else 0."""
        return np.column_stack([self.known.outputs(rows), self.is_unknown(rows)])

    def to_json(self) -> dict[str, Any]:
        """Return the arrays as JSON's types."""
        from wedau import models

        arrays = {name: getattr(self, name).tolist() for name in ("low", "high")}
        tables = {name: getattr(self, name).tolist() for name in ("median", "weight")}
        limits = {"confidence": self.confidence, "novelty": self.novelty}
        return {"known": models.to_json(self.known), **arrays, **tables, **limits}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "WithUnknown":
        """Read and check what `to_json` gave."""
        from wedau import models

        known = models.from_json(data["known"])
        if known.task != "classifier" or isinstance(known, WithUnknown):
            raise ValueError("known is no classifier")
        n, k = known.n_features, known.n_outputs
        return cls(
            known,
            integers(data["low"], "low", GRID_MIN, GRID_MAX, n),
            integers(data["high"], "high", GRID_MIN, GRID_MAX, n),
            integers(data["median"], "median", GRID_MIN, GRID_MAX, k, n),
            integers(data["weight"], "weight", 0, MAX_WEIGHT, k, n),
            number(data["confidence"], "confidence"),
            integer(data["novelty"], "novelty", 0, MOST * n),
        )


def distance(rows: Rows, classes: Ints, median: Ints, weight: Ints) -> Ints:
    """Return the distance of each row from its class; see WithUnknown."""
    away = np.abs(rows.astype(np.int64) - median[classes])
    total: Ints = np.minimum((away * weight[classes]) >> SHIFT, MOST).sum(axis=1)
    return total
