"""Decision trees as plain arrays: hardened to one class a leaf, checked, and back to scikit-learn.

Every estimator that leaves `wedau.train` is built from these arrays, so that what was trained, what
was saved and what was loaded are the same thing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier
from sklearn.tree._tree import Tree

from wedau.errors import DataError
from wedau.models.program import levels

LEAF = -1
GRID_MIN, GRID_MAX = -32768, 32767

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class TreeArrays:
    """One tree on the int16 grid; node 0 is the root and every child comes after its parent.

    Attributes:
        feature: int64, shape (n_nodes,): index of the feature that is compared, -1 in a leaf.
        threshold: int64, shape (n_nodes,): go left where x <= threshold; 0 in a leaf.
        left: int64, shape (n_nodes,): index of the left child, -1 in a leaf.
        right: int64, shape (n_nodes,): index of the right child, -1 in a leaf.
        label: int64, shape (n_nodes,): class index of a leaf, -1 elsewhere.
        samples: int64, shape (n_nodes,): training rows that reached the node.
    """

    feature: Ints
    threshold: Ints
    left: Ints
    right: Ints
    label: Ints
    samples: Ints

    FIELDS = ("feature", "threshold", "left", "right", "label", "samples")

    @property
    def n_nodes(self) -> int:
        """Number of nodes, leaves included."""
        return len(self.feature)

    def depth(self) -> int:
        """Longest way from the root to a leaf, in decisions."""
        return int(levels(self.left, self.right).max())

    def to_json(self) -> dict[str, list[int]]:
        """Return the arrays as lists."""
        return {name: getattr(self, name).tolist() for name in self.FIELDS}


def harden(tree: Tree, classes: Ints) -> TreeArrays:
    """Give every leaf of a scikit-learn tree its one majority class, the lowest index on a tie.

    Args:
        tree: trained on the grid.
        classes: int64: the model's class index of each of the tree's own, rising.

    Two leaves of one parent that then say the same become one leaf, which changes no answer.
    Thresholds become integers: on the grid, x <= t is x <= floor(t).
    """
    label = classes[np.argmax(tree.value[:, 0, :], axis=1)]
    left, right = tree.children_left.copy(), tree.children_right.copy()
    for i in range(tree.node_count - 1, -1, -1):  # children come after their parents
        a, b = left[i], right[i]
        if a != LEAF and left[a] == LEAF and left[b] == LEAF and label[a] == label[b]:
            label[i] = label[a]
            left[i] = right[i] = LEAF
    kept = _preorder(left, right)
    new = np.full(tree.node_count, LEAF, np.int64)
    new[kept] = np.arange(len(kept))
    leaf = left[kept] == LEAF
    threshold = np.floor(tree.threshold[kept]).astype(np.int64)
    return TreeArrays(
        feature=np.where(leaf, LEAF, tree.feature[kept]).astype(np.int64),
        threshold=np.where(leaf, 0, threshold),
        left=np.where(leaf, LEAF, new[left[kept]]),
        right=np.where(leaf, LEAF, new[right[kept]]),
        label=np.where(leaf, label[kept], LEAF).astype(np.int64),
        samples=tree.n_node_samples[kept].astype(np.int64),
    )


def _preorder(left: Ints, right: Ints) -> Ints:
    order, stack = [], [0]
    while stack:
        i = stack.pop()
        order.append(i)
        if left[i] != LEAF:
            stack += [int(right[i]), int(left[i])]
    return np.array(order, np.int64)


def tree_from_json(data: Any, n_features: int, n_classes: int, where: str) -> TreeArrays:
    """Read and check one tree completely.

    Args:
        data: what `TreeArrays.to_json` gave.
        n_features: number of features of the model.
        n_classes: number of labels of the model.
        where: names the tree in an error, such as ``saw/trees.json: tree 3``.

    Raises:
        DataError: a field is missing or not a list of integers, the lengths differ, an index or a
            threshold is out of range, or the nodes are not one tree.
    """
    if not isinstance(data, dict) or set(data) != set(TreeArrays.FIELDS):
        raise _damaged(f"{where}: needs exactly the fields {', '.join(TreeArrays.FIELDS)}")
    arrays = {name: _integers(data[name], f"{where}: {name}") for name in TreeArrays.FIELDS}
    tree = TreeArrays(**arrays)
    n = tree.n_nodes
    if n == 0 or any(len(a) != n for a in arrays.values()):
        raise _damaged(f"{where}: the fields differ in length")
    inner = tree.left != LEAF
    for name, low, high in (
        ("feature", 0, n_features - 1),
        ("threshold", GRID_MIN, GRID_MAX),
        ("left", 1, n - 1),
        ("right", 1, n - 1),
    ):
        _check_range(arrays[name][inner], low, high, f"{where}: {name}")
    _check_range(tree.label[~inner], 0, n_classes - 1, f"{where}: label")
    _check_range(tree.samples, 0, 2**53, f"{where}: samples")
    _check_shape(tree, inner, where)
    return tree


def _check_shape(tree: TreeArrays, inner: NDArray[np.bool_], where: str) -> None:
    empty = (
        np.all(tree.feature[~inner] == LEAF)
        and np.all(tree.right[~inner] == LEAF)
        and np.all(tree.threshold[~inner] == 0)
        and np.all(tree.label[inner] == LEAF)
    )
    if not empty:
        raise _damaged(f"{where}: a node is half a leaf, half a decision")
    parents = np.flatnonzero(inner)
    children = np.concatenate([tree.left[inner], tree.right[inner]])
    after = np.all(children > np.concatenate([parents, parents]))
    once = np.array_equal(np.sort(children), np.arange(1, tree.n_nodes))
    if not (after and once):
        raise _damaged(f"{where}: the nodes are not one tree")


def _integers(data: Any, where: str) -> Ints:
    if not isinstance(data, list) or any(type(v) is not int or abs(v) > 2**53 for v in data):
        raise _damaged(f"{where} is not a list of integers")
    return np.array(data, np.int64)


def _check_range(values: Ints, low: int, high: int, where: str) -> None:
    bad = values[(values < low) | (values > high)]
    if len(bad):
        raise _damaged(f"{where} is {bad[0]}, not within {low} to {high}")


def _damaged(message: str) -> DataError:
    return DataError(message, "the model's files were damaged or edited: run 'wedau train' again")


def forest(trees: Sequence[TreeArrays], n_features: int, n_classes: int) -> RandomForestClassifier:
    """Build a scikit-learn forest whose `predict` is the majority vote of these trees.

    Every leaf's value is one-hot, so the mean that scikit-learn takes is the share of votes, and
    its argmax gives a tie to the lowest class index.

    Returns:
        A fitted estimator with ``classes_`` 0..n_classes-1. It predicts; it was not trained here,
        so impurities, ``feature_importances_`` and the bootstrap are not those of the training.
    """
    estimator = RandomForestClassifier(n_estimators=len(trees), n_jobs=1)
    estimator.estimators_ = [_decision_tree(t, n_features, n_classes) for t in trees]
    estimator.estimator_ = DecisionTreeClassifier()
    estimator.classes_ = np.arange(n_classes)
    estimator.n_classes_ = n_classes
    estimator.n_features_in_ = n_features
    estimator.n_outputs_ = 1
    return estimator


def _decision_tree(arrays: TreeArrays, n_features: int, n_classes: int) -> DecisionTreeClassifier:
    tree = Tree(n_features, np.array([n_classes], dtype=np.intp), 1)
    leaf = arrays.left == LEAF
    nodes = np.zeros(arrays.n_nodes, _node_dtype())
    nodes["left_child"], nodes["right_child"] = arrays.left, arrays.right
    nodes["feature"] = np.where(leaf, -2, arrays.feature)  # -2: scikit-learn's mark of a leaf
    nodes["threshold"] = np.where(leaf, -2.0, arrays.threshold)
    nodes["n_node_samples"] = arrays.samples
    nodes["weighted_n_node_samples"] = arrays.samples
    tree.__setstate__(
        {
            "max_depth": arrays.depth(),
            "node_count": arrays.n_nodes,
            "nodes": nodes,
            "values": _votes(arrays, n_classes),
        }
    )
    estimator = DecisionTreeClassifier()
    estimator.tree_ = tree
    estimator.classes_ = np.arange(n_classes)
    estimator.n_classes_ = n_classes
    estimator.n_features_in_ = n_features
    estimator.max_features_ = n_features
    estimator.n_outputs_ = 1
    return estimator


def _votes(arrays: TreeArrays, n_classes: int) -> NDArray[np.float64]:
    """One-hot in the leaves; in the other nodes the share of rows below that end in each class."""
    counts = np.zeros((arrays.n_nodes, n_classes))
    for i in range(arrays.n_nodes - 1, -1, -1):
        if arrays.left[i] == LEAF:
            counts[i, arrays.label[i]] = max(1, arrays.samples[i])
        else:
            counts[i] = counts[arrays.left[i]] + counts[arrays.right[i]]
    shares: NDArray[np.float64] = counts / counts.sum(axis=1, keepdims=True)
    return np.ascontiguousarray(shares[:, np.newaxis, :])


def _node_dtype() -> np.dtype[Any]:
    """The node layout of the scikit-learn that is installed; it has changed between versions."""
    tiny = DecisionTreeClassifier(max_depth=1).fit([[0], [1]], [0, 1])
    dtype: np.dtype[Any] = tiny.tree_.__getstate__()["nodes"].dtype
    return dtype
