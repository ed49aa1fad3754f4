"""scikit-learn's trees to trees on the grid, each decision exactly the same there."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wedau.errors import ConvertError
from wedau.models.program import GRID_MAX, GRID_MIN, Floats, Ints
from wedau.models.scaling import Scaling
from wedau.models.sums import LEAF, SCORE_MAX, SumTree

MAX_SHIFT = 30


@dataclass(frozen=True)
class Grown:
    """A tree with thresholds on the grid and its leaves' values as floats.

    Attributes:
        feature, threshold, left, right: as in SumTree.
        value: float64, shape (n_leaves, width).
    """

    feature: Ints
    threshold: Ints
    left: Ints
    right: Ints
    value: Floats


class Grid:
    """Finds the grid's threshold for a threshold of scikit-learn's."""

    def __init__(self, scaling: Scaling, dtype: type[np.floating]) -> None:
        self._scaling = scaling
        self._dtype = dtype  # scikit-learn's trees see float32, histogram boosting float64
        self._columns: dict[int, NDArray[np.floating]] = {}

    def last_left(self, feature: int, threshold: float) -> int:
        """Return the largest grid value that is not above the threshold.

        Returns:
            From GRID_MIN - 1, no value goes left, to GRID_MAX, all do.
        """
        if feature not in self._columns:
            self._columns[feature] = self._scaling.column(feature).astype(self._dtype)
        column = self._columns[feature]
        return int(np.searchsorted(column, threshold, side="right")) - 1 + GRID_MIN


def grow(
    feature: Ints,
    threshold: Floats,
    left: Ints,
    right: Ints,
    value: Floats,
    last_left: Callable[[int, float], int],
) -> Grown:
    """Put a tree onto the grid; a decision that the grid decides always the same way vanishes.

    Args:
        feature, threshold, left, right: of scikit-learn's nodes; left is -1 in a leaf.
        value: float64, shape (n_nodes, width).
        last_left: see Grid.last_left.
    """
    out: dict[str, list[int]] = {n: [] for n in ("feature", "threshold", "left", "right")}
    leaves: list[int] = []
    todo: list[tuple[int, int | None, str]] = [(0, None, "")]
    while todo:
        node, parent, side = todo.pop()
        at = GRID_MAX
        while left[node] != LEAF:
            at = last_left(int(feature[node]), float(threshold[node]))
            if GRID_MIN <= at < GRID_MAX:
                break
            node = int(right[node]) if at < GRID_MIN else int(left[node])
        is_leaf = left[node] == LEAF
        new = len(out["feature"])
        if parent is not None:
            out[side][parent] = new
        out["feature"].append(LEAF if is_leaf else int(feature[node]))
        out["threshold"].append(0 if is_leaf else at)
        out["left"].append(LEAF)
        out["right"].append(LEAF)
        if is_leaf:
            leaves.append(node)
        else:
            todo += [(int(right[node]), new, "right"), (int(left[node]), new, "left")]
    arrays = {name: np.array(values, np.int64) for name, values in out.items()}
    return Grown(**arrays, value=value[leaves])


def to_integers(
    members: list[tuple[Grown, int]], base: Floats
) -> tuple[tuple[SumTree, ...], Ints, int]:
    """Round the leaves to integers, with as many bits as no sum can overflow.

    Args:
        members: trees and the score that each adds to, -1 for all.
        base: float64, shape (n_scores,): where the scores start.

    Returns:
        The trees, the base, and the shift: a score of 1 is 2^-shift.

    Raises:
        ConvertError: a leaf is not a finite number.
    """
    most = np.abs(base)
    for tree, output in members:
        largest = np.abs(tree.value).max(axis=0)
        if output < 0:
            most = most + largest
        else:
            most[output] += largest[0]
    if not np.all(np.isfinite(most)):
        raise ConvertError(
            "a leaf of the trees is not a finite number", "check the training data for infinities"
        )
    # Each rounding may add a half, and later scores start lower by a unit a tree.
    room = SCORE_MAX - (len(members) + 1) * (len(base) + 1)
    largest_sum = max(float(most.max()), 2.0**-900)
    shift = min(MAX_SHIFT, int(np.floor(np.log2(room / largest_sum))))
    rounded = tuple(
        SumTree(t.feature, t.threshold, t.left, t.right, _round(t.value, shift), output)
        for t, output in members
    )
    return rounded, _round(base, shift), shift


def _round(values: Floats, shift: int) -> Ints:
    return np.rint(values * 2.0**shift).astype(np.int64)
