"""Sums of trees: regression forests, soft votes, gradient boosting, isolation forests.

Every leaf adds integers to one or all scores. The sums are exact, so board and host agree in every
bit, whatever the order; scikit-learn's own floats are met within half a unit for each tree.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from wedau.models.program import (
    GRID_MAX,
    GRID_MIN,
    MAX_FEATURES,
    Floats,
    Ints,
    Program,
    Rows,
    Task,
    choice,
    class_indices,
    damaged,
    integer,
    integers,
    levels,
    logistic,
    number,
    softmax,
    two,
)

SCORE_MAX = 2**31 - 1
LEAF = -1
LINKS = ("identity", "exp", "share", "logistic", "softmax", "isolation")


@dataclass(frozen=True)
class SumTree:
    """One tree on the grid; node 0 is the root and every child comes after its parent.

    Attributes:
        feature: int64, shape (n_nodes,): index of the feature that is compared, -1 in a leaf.
        threshold: int64, shape (n_nodes,): go left where x <= threshold; 0 in a leaf.
        left: int64, shape (n_nodes,): index of the left child, -1 in a leaf.
        right: int64, shape (n_nodes,): index of the right child, -1 in a leaf.
        value: int64, shape (n_leaves, width): what each leaf adds, leaves in the order of nodes.
        output: score that it adds to; -1 if the width is that of all scores.
    """

    feature: Ints
    threshold: Ints
    left: Ints
    right: Ints
    value: Ints
    output: int

    FIELDS: ClassVar = ("feature", "threshold", "left", "right", "value")

    @property
    def n_nodes(self) -> int:
        """Number of nodes, leaves included."""
        return len(self.feature)

    def leaf_number(self) -> Ints:
        """Return each leaf's row in `value`, shape (n_nodes,); -1 for a decision."""
        is_leaf = self.left == LEAF
        return class_indices(np.where(is_leaf, np.cumsum(is_leaf) - 1, LEAF))

    def depth(self) -> int:
        """Longest way from the root to a leaf, in decisions."""
        return int(levels(self.left, self.right).max())

    def find(self, rows: Rows) -> Ints:
        """Return the row in `value` that each row of the grid comes to."""
        at = np.zeros(len(rows), np.int64)
        every = np.arange(len(rows))
        for _ in range(self.depth()):
            inner = self.left[at] != LEAF
            goes_left = rows[every, np.where(inner, self.feature[at], 0)] <= self.threshold[at]
            at = np.where(inner, np.where(goes_left, self.left[at], self.right[at]), at)
        return self.leaf_number()[at]


@dataclass(frozen=True)
class Sums(Program):
    """Trees that add to scores, and what becomes of the scores.

    Attributes:
        trees: at least one.
        base: int64, shape (n_scores,): where the scores start.
        shift: a score of 1 is 2^-shift.
        link: what turns scores into outputs: identity and exp (a regressor's value), share (each
            score is a probability), logistic (one score: that of the second class), softmax,
            isolation (scikit-learn's decision function of a mean depth).
        from_: with logistic the second class is given from this score on, 0 or 1; with isolation
            a score below it is an anomaly; else 0.
        gain: with logistic a factor before it; with isolation the depth at which the anomaly score
            is a half; else 1.
        offset: with isolation scikit-learn's offset_; else 0.
        kind: the family's name for people.
    """

    family: ClassVar[str] = "sums"

    task: Task
    n_features: int
    trees: Sequence[SumTree]
    base: Ints
    shift: int
    link: str
    from_: int = 0
    gain: float = 1.0
    offset: float = 0.0
    kind: str = "trees"

    @property
    def n_outputs(self) -> int:  # type: ignore[override]
        """Numbers that `outputs` gives for a row."""
        return 2 if self.link == "logistic" else len(self.base)

    @property
    def n_nodes(self) -> int:
        """Number of nodes of all trees, leaves included."""
        return sum(tree.n_nodes for tree in self.trees)

    @property
    def rounding_units(self) -> int:
        """How far two scores may be from each other because their leaves and base were rounded."""
        return len(self.trees) + 1

    @property
    def rounding(self) -> float:
        """How far scores may be from scikit-learn's; with several, the best from another one."""
        return math.ldexp(self.rounding_units * max(1, len(self.base)), -self.shift)

    @property
    def size(self) -> str:
        """How large it is, in words."""
        depth = max(tree.depth() for tree in self.trees)
        return f"{len(self.trees)} trees, depth {depth}, {self.n_nodes} nodes"

    def scores(self, rows: Rows) -> Ints:
        """Return the sums, int64, shape (n_rows, n_scores), as the board has them bit for bit."""
        total = np.tile(self.base, (len(rows), 1))
        for tree in self.trees:
            value = tree.value[tree.find(rows)]
            if tree.output < 0:
                total += value
            else:
                total[:, tree.output] += value[:, 0]
        return total

    def outputs(self, rows: Rows) -> Floats:
        """Compute what the module gives; see Program.outputs."""
        scores: Floats = np.ldexp(self.scores(rows).astype(np.float64), -self.shift)
        if self.link == "exp":
            return np.asarray(np.exp(scores))
        if self.link == "logistic":
            return two(logistic(self.gain * scores[:, 0]))
        if self.link == "softmax":
            return softmax(scores)
        if self.link == "isolation":
            return np.asarray(-np.exp2(-scores / self.gain) - self.offset)
        return scores

    def predict(self, rows: Rows) -> Ints | Floats:
        """Decide; see Program.predict."""
        if self.task == "regressor":
            values: Floats = self.outputs(rows)[:, 0]
            return values
        scores = self.scores(rows)
        if self.link == "logistic":
            return class_indices(scores[:, 0] >= self.from_)
        if self.link == "isolation":
            return class_indices(scores[:, 0] < self.from_)
        return class_indices(np.argmax(scores, axis=1))

    def to_json(self) -> dict[str, Any]:
        """Return the arrays as JSON's types."""
        return {
            "task": self.task,
            "n_features": self.n_features,
            "base": self.base.tolist(),
            "shift": self.shift,
            "link": self.link,
            "from": self.from_,
            "gain": self.gain,
            "offset": self.offset,
            "kind": self.kind,
            "trees": [
                {name: getattr(tree, name).tolist() for name in SumTree.FIELDS}
                | {"output": tree.output}
                for tree in self.trees
            ],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Sums":
        """Read and check what `to_json` gave."""
        task: Any = choice(data["task"], "task", ("classifier", "regressor", "anomaly"))
        n_features = integer(data["n_features"], "n_features", 1, MAX_FEATURES)
        base = integers(data["base"], "base", -SCORE_MAX, SCORE_MAX, None)
        made = cls(
            task=task,
            n_features=n_features,
            trees=[_tree(t, i, n_features, len(base)) for i, t in enumerate(data["trees"])],
            base=base,
            shift=integer(data["shift"], "shift", -1000, 1000),
            link=choice(data["link"], "link", LINKS),
            from_=integer(data["from"], "from", -SCORE_MAX, SCORE_MAX),
            gain=number(data["gain"], "gain"),
            offset=number(data["offset"], "offset"),
            kind=str(data["kind"]),
        )
        made.check()
        return made

    def check(self) -> None:
        """Raise DataError if the sums could leave 32 bits, or the link does not fit the scores."""
        most = np.abs(self.base).astype(np.int64)
        for tree in self.trees:
            largest = np.abs(tree.value).max(axis=0)
            if tree.output < 0:
                most = most + largest
            else:
                most[tree.output] += largest[0]
        if not self.trees or np.any(most > SCORE_MAX):
            raise damaged("trees: none, or their sum does not fit 32 bits")
        one = self.link in ("identity", "exp", "logistic", "isolation")
        if one != (len(self.base) == 1) or self.gain <= 0:
            raise damaged(f"link: {self.link} does not fit {len(self.base)} scores")


def _tree(data: Any, number: int, n_features: int, n_scores: int) -> SumTree:
    where = f"tree {number}"
    if not isinstance(data, dict):
        raise damaged(f"{where} is not an object")
    left = integers(data["left"], f"{where}: left", LEAF, 2**31, None)
    n = len(left)
    inner = left != LEAF
    tree = SumTree(
        feature=integers(data["feature"], f"{where}: feature", LEAF, n_features - 1, n),
        threshold=integers(data["threshold"], f"{where}: threshold", GRID_MIN, GRID_MAX, n),
        left=left,
        right=integers(data["right"], f"{where}: right", LEAF, n - 1, n),
        value=integers(
            data["value"], f"{where}: value", -SCORE_MAX, SCORE_MAX, int(n - inner.sum()), None
        ),
        output=integer(data["output"], f"{where}: output", LEAF, n_scores - 1),
    )
    at = np.flatnonzero(inner)
    children = np.concatenate([left[inner], tree.right[inner]])
    after = children > np.concatenate([at, at])
    if not (after.all() and np.array_equal(np.sort(children), np.arange(1, n))):
        raise damaged(f"{where}: the nodes are not one tree")
    leaf = (tree.feature == LEAF) & (tree.right == LEAF) & (tree.threshold == 0)
    if np.any(leaf == inner):
        raise damaged(f"{where}: a node is half a leaf, half a decision")
    if tree.value.shape[1] != (n_scores if tree.output < 0 else 1):
        raise damaged(f"{where}: value has another width than the scores")
    return tree
