"""Trees and forests on the int16 grid to C, through emlearn, deciding exactly as scikit-learn."""

import copy
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from wedau.errors import ConvertError
from wedau.models.program import GRID_MAX, GRID_MIN, MAX_CLASSES, MAX_FEATURES, Ints, Rows
from wedau.models.sums import SumTree
from wedau.models.trees import TreeArrays, forest

with np.errstate():  # emlearn's import makes every NumPy underflow in the process an exception
    from emlearn.convert import convert

MAX_DEPTH = 100  # emlearn writes nested ifs; compilers nest them 256 deep at most

_KINDS = ("RandomForestClassifier", "ExtraTreesClassifier", "DecisionTreeClassifier")


def forest_c(estimator: Any, name: str) -> str:
    """Return emlearn's inline C for a tree or forest, with thresholds that are exact on int16.

    scikit-learn goes left where ``x <= t``, emlearn's C where ``x < c`` with ``c`` cut to an
    integer. For integer x the two are the same rule if ``c = floor(t) + 1``.

    Args:
        estimator: fitted RandomForestClassifier, ExtraTreesClassifier or DecisionTreeClassifier,
            trained on int16 values, each leaf holding one class only (see wedau.train).
        name: C identifier; the functions are NAME_predict and NAME_predict_proba.

    Returns:
        C99 source text that includes nothing but <stdint.h>.

    Raises:
        ConvertError: the family, the leaves, a threshold or a size cannot be converted exactly.

    Source: emlearn's trees.py, method "inline".
    """
    check_convertible(estimator)
    exact = copy.deepcopy(estimator)
    for tree in trees(exact):
        inner = tree.children_left >= 0
        tree.threshold[inner] = np.floor(tree.threshold[inner]) + 1
    return str(convert(exact, method="inline", dtype="int16_t").save(name=name))


def leaf_finders_c(members: Sequence[SumTree], n_features: int) -> str:
    """Return emlearn's inline C of functions that give the number of the leaf a row comes to.

    Args:
        members: trees on the grid.
        n_features: length of a row.

    Returns:
        C99 source text: wd_forest_tree_0(row, length) and so on, one for each tree.

    Raises:
        ConvertError: a tree is too deep.
    """
    numbered = [
        TreeArrays(
            feature=tree.feature,
            threshold=tree.threshold,
            left=tree.left,
            right=tree.right,
            label=tree.leaf_number(),
            samples=np.ones(tree.n_nodes, np.int64),
        )
        for tree in members
    ]
    for number, tree in enumerate(numbered):
        _check_depth(tree.depth(), number)
    n_leaves = max(len(tree.value) for tree in members)
    estimator = forest(numbered, n_features, max(2, n_leaves))
    for tree in trees(estimator):
        inner = tree.children_left >= 0
        tree.threshold[inner] += 1
    text = str(convert(estimator, method="inline", dtype="int16_t").save(name="wd_forest"))
    found, end, _ = text.partition("int32_t wd_forest_predict(")
    assert end, "emlearn writes the trees before the function that counts their votes"
    return found


def check_convertible(estimator: Any) -> None:
    """Raise ConvertError unless emlearn's C can decide exactly as this estimator does."""
    kind = type(estimator).__name__
    if kind not in _KINDS:
        raise ConvertError(
            f"a {kind} cannot be converted",
            f"the families that can: {', '.join(_KINDS)}",
        )
    if not hasattr(estimator, "classes_"):
        raise ConvertError(f"the {kind} has not been fitted", "call its fit() first")
    _check_sizes(estimator)
    for number, tree in enumerate(trees(estimator)):
        _check_tree(tree, number)


def _check_sizes(estimator: Any) -> None:
    if np.ndim(estimator.n_classes_) != 0:
        raise ConvertError("the estimator has more than one output", "train one model an output")
    if estimator.n_features_in_ > MAX_FEATURES:
        raise ConvertError(
            f"the model has {estimator.n_features_in_} features, {MAX_FEATURES} are possible",
            "leave out the least important ones; the report ranks them",
        )
    if estimator.n_classes_ > MAX_CLASSES:
        raise ConvertError(
            f"the model has {estimator.n_classes_} classes, {MAX_CLASSES} are possible",
            "check that the label column holds labels, not measurements",
        )


def _check_tree(tree: Any, number: int) -> None:
    _check_depth(tree.max_depth, number)
    inner = tree.children_left >= 0
    bounds = np.floor(tree.threshold[inner]) + 1
    if np.any(np.abs(bounds) > GRID_MAX):
        raise ConvertError(
            f"tree {number} compares with {bounds[np.argmax(np.abs(bounds))]:.0f}, "
            f"outside the int16 grid",
            "train on the grid: wedau train does, or scale the features to int16 first",
        )
    leaves = tree.value[~inner, 0, :]
    if np.any(np.count_nonzero(leaves, axis=1) != 1):
        raise ConvertError(
            f"tree {number} has leaves with several classes; scikit-learn averages them, "
            "emlearn's C lets each tree vote",
            "train it with wedau.train, or make its leaves vote first: wedau.models.trees.harden",
        )


def _check_depth(depth: int, number: int) -> None:
    if depth > MAX_DEPTH:
        raise ConvertError(
            f"tree {number} is {depth} deep, {MAX_DEPTH} are possible",
            "train with a smaller max_depth",
        )


def trees(estimator: Any) -> list[Any]:
    """Return the estimator's trees (scikit-learn's Tree objects) in their order."""
    return [member.tree_ for member in getattr(estimator, "estimators_", [estimator])]


class GridTree(Protocol):
    """One tree on the grid as arrays; see wedau.models.trees.TreeArrays."""

    @property
    def feature(self) -> Ints: ...
    @property
    def threshold(self) -> Ints: ...
    @property
    def left(self) -> Ints: ...
    @property
    def right(self) -> Ints: ...


def boundary_inputs(members: Sequence[GridTree], rows: Rows) -> Iterator[Rows]:
    """Yield, for each decision of each tree, inputs that reach it and lie at its threshold.

    Args:
        members: trees on the grid.
        rows: int16, shape (n_rows, n_features), at least one row; ordinary inputs, moved as
            little as needed to reach the decision.

    Yields:
        int16, shape (3, n_features): the feature that is compared is just below, at, and just
        above the threshold (t - 1, t, t + 1), all other features such that this tree comes to
        this decision.
    """
    number = 0
    for tree in members:
        for node, low, high in _decisions(tree, rows.shape[1]):
            base = np.clip(rows[number % len(rows)], low, high)
            number += 1
            inputs = np.tile(base, (3, 1))
            at = int(tree.threshold[node])
            inputs[:, tree.feature[node]] = np.clip([at - 1, at, at + 1], GRID_MIN, GRID_MAX)
            yield inputs.astype(np.int16)


def _decisions(tree: GridTree, n_features: int) -> Iterator[tuple[int, Ints, Ints]]:
    """Yield each inner node with the least and the greatest value of each feature that reach it."""
    low = np.full(n_features, GRID_MIN, np.int64)
    high = np.full(n_features, GRID_MAX, np.int64)
    todo = [(0, low, high)]
    while todo:
        node, low, high = todo.pop()
        if tree.left[node] < 0:
            continue
        yield node, low, high
        feature, at = tree.feature[node], int(tree.threshold[node])
        left_high, right_low = high.copy(), low.copy()
        left_high[feature] = min(left_high[feature], at)
        right_low[feature] = max(right_low[feature], at + 1)
        todo.append((int(tree.left[node]), low, left_high))
        todo.append((int(tree.right[node]), right_low, high))
