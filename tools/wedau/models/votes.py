"""Trees that vote: each gives one class, the class with most votes wins, the lowest on a tie."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from wedau.models import trees
from wedau.models.program import (
    MAX_CLASSES,
    MAX_FEATURES,
    Floats,
    Ints,
    Program,
    Rows,
    Task,
    damaged,
    integer,
)


@dataclass(frozen=True)
class Votes(Program):
    """A forest with one class in each leaf.

    Attributes:
        trees: the forest as arrays.
        n_features: length of a row.
        n_outputs: number of classes.
        estimator: scikit-learn's RandomForestClassifier made of the same trees; its ``classes_``
            are class indices.
    """

    family: ClassVar[str] = "votes"

    trees: Sequence[trees.TreeArrays]
    n_features: int
    n_outputs: int
    task: Task = "classifier"
    kind: str = "random forest"
    estimator: RandomForestClassifier = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        built = trees.forest(self.trees, self.n_features, self.n_outputs)
        object.__setattr__(self, "estimator", built)

    @property
    def n_nodes(self) -> int:
        """Number of nodes of all trees, leaves included."""
        return sum(tree.n_nodes for tree in self.trees)

    @property
    def size(self) -> str:
        """How large it is, in words."""
        depth = max(tree.depth() for tree in self.trees)
        return f"{len(self.trees)} trees, depth {depth}, {self.n_nodes} nodes"

    def outputs(self, rows: Rows) -> Floats:
        """Return the share of trees that vote for each class, by scikit-learn."""
        shares: Floats = self.estimator.predict_proba(rows)
        return shares

    def predict(self, rows: Rows) -> Ints:
        """Return the class with most votes, by scikit-learn."""
        classes: Ints = self.estimator.predict(rows).astype(np.int64)
        return classes

    def to_json(self) -> dict[str, Any]:
        """Return the arrays as JSON's types."""
        return {
            "n_features": self.n_features,
            "n_outputs": self.n_outputs,
            "kind": self.kind,
            "trees": [tree.to_json() for tree in self.trees],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Votes":
        """Read and check what `to_json` gave."""
        n_features = integer(data["n_features"], "n_features", 1, MAX_FEATURES)
        n_outputs = integer(data["n_outputs"], "n_outputs", 2, MAX_CLASSES)
        if not isinstance(data["trees"], list) or not data["trees"]:
            raise damaged("it holds no trees")
        members = tuple(
            trees.tree_from_json(tree, n_features, n_outputs, f"tree {i}")
            for i, tree in enumerate(data["trees"])
        )
        return cls(members, n_features, n_outputs, kind=str(data["kind"]))
