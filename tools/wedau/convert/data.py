"""Trees as a data file, NAME.wdt, for the engine wedau_trees: no compiler is needed to make one."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from wedau import _core
from wedau.convert.module import ModuleInfo, front_coded
from wedau.convert.trees import GridTree
from wedau.errors import ConvertError, DataError
from wedau.models.program import levels

_LIMITS = _core.LIMITS
_INFO_TEXTS = _LIMITS["TREES_INFO_TEXTS"]
_HALF_WORD_BYTES = 2
_AGAIN = "train the model again: wedau train"
_NARROW = np.dtype([("feature", "u1"), ("left", "u1"), ("threshold", "<i2"), ("right", "<u2")])
_WIDE = np.dtype([("feature", "<u2"), ("threshold", "<i2"), ("children", "<u4")])

Ints = NDArray[np.int64]


class Tree(GridTree, Protocol):
    """One tree with a class in each leaf as arrays; see wedau.models.trees.TreeArrays."""

    @property
    def label(self) -> Ints: ...


@dataclass(frozen=True)
class DataModel:
    """A data file that has been read and checked, by the C that the board runs.

    Attributes:
        data: the whole file.
        info: what it tells of itself.
        n_trees: number of trees.
        n_nodes: number of decisions in all trees; leaves take no space of their own.
        is_wide: whether a decision takes 8 bytes instead of 6.
    """

    data: bytes
    info: ModuleInfo
    n_trees: int
    n_nodes: int
    is_wide: bool

    def predict(self, rows: NDArray[np.int16]) -> Ints:
        """Predict the class of each row.

        Args:
            rows: int16, shape (n_rows, n_features), on the grid.

        Returns:
            int64, shape (n_rows,): the class that most trees vote for; of several, the lowest.

        Raises:
            DataError: the rows are of another type or width.

        Source: wd_trees_predict() in modules/core/trees/wd_trees.c.
        """
        out = np.empty(len(rows), np.int64)
        _core.trees_predict(self.data, self._checked(rows), out)
        return out

    def predict_proba(self, rows: NDArray[np.int16]) -> NDArray[np.float32]:
        """Predict the share of the trees that vote for each class, for each row.

        Args:
            rows: int16, shape (n_rows, n_features), on the grid.

        Returns:
            float32, shape (n_rows, n_classes).

        Raises:
            DataError: the rows are of another type or width.

        Source: wd_trees_proba() in modules/core/trees/wd_trees.c.
        """
        out = np.empty((len(rows), len(self.info.labels)), np.float32)
        _core.trees_proba(self.data, self._checked(rows), out)
        return out

    def _checked(self, rows: NDArray[np.int16]) -> NDArray[np.int16]:
        width = len(self.info.features)
        if rows.ndim != 2 or rows.dtype != np.int16 or rows.shape[1] != width:
            raise DataError(
                f"rows of shape {rows.shape}, {rows.dtype}, do not fit a model of {width} features",
                "give a two-dimensional int16 array with a column for each feature",
            )
        return np.ascontiguousarray(rows)


def to_data(trees: Sequence[Tree], info: ModuleInfo) -> bytes:
    """Return the data file of a forest, which decides as scikit-learn does on the hardened trees.

    Args:
        trees: at least one, on the int16 grid; every child comes after its parent.
        info: what the file tells of itself.

    Returns:
        The bytes of NAME.wdt. The C core has read them back and found them whole.

    Raises:
        ConvertError: something is more than the format holds, or a tree is not one on the grid.

    Source: the format is that of modules/core/trees/wd_trees.h.
    """
    _check_counts(trees, info)
    for number, tree in enumerate(trees):
        _check_tree(tree, number, len(info.features), len(info.labels))
    plans = [_Plan.of(tree) for tree in trees]
    farthest = max(len(plan.order) for plan in plans) * _half_words(is_wide=False)
    is_wide = (
        len(info.features) > _LIMITS["TREES_MAX_NARROW_FEATURES"]
        or farthest >= _LIMITS["TREES_NARROW_LEAF"]
    )
    data = _file(trees, plans, info, is_wide)
    try:
        _core.trees_check(data)
    except ValueError as error:
        raise ConvertError(f"the model cannot be a data file: {error}", _AGAIN) from error
    return data


def read_data(data: bytes, name: str = "this") -> DataModel:
    """Read and check a data file, with the C that the board checks it with.

    Args:
        data: the whole file.
        name: what to call it in an error.

    Raises:
        DataError: it is no data file of trees, or is damaged.

    Source: wd_trees_open() in modules/core/trees/wd_trees.c.
    """
    try:
        read = _core.trees_check(bytes(data))
    except ValueError as error:
        raise DataError(f"{name} cannot be used: {error}", "make the file again") from None
    first, n_classes = read["texts"][:_INFO_TEXTS], read["n_classes"]
    info = ModuleInfo(
        name=first[0],
        version=first[1],
        labels=tuple(read["texts"][_INFO_TEXTS : _INFO_TEXTS + n_classes]),
        features=tuple(read["texts"][_INFO_TEXTS + n_classes :]),
        scale=np.frombuffer(read["scale"], "<f4").astype(np.float32),
        recipe=read["recipe"],
        data_sha256=first[2],
        wedau=first[3],
    )
    return DataModel(bytes(data), info, read["n_trees"], read["n_nodes"], read["is_wide"])


@dataclass(frozen=True)
class _Plan:
    """Where the decisions of one tree lie in the file.

    Attributes:
        order: int64, shape (n_decisions,): the tree's decisions in preorder.
        size: int64, shape (n_nodes,): decisions in the part of the tree from a node down.
    """

    order: Ints
    size: Ints

    @classmethod
    def of(cls, tree: Tree) -> "_Plan":
        left, right = tree.left.tolist(), tree.right.tolist()
        size = [0] * len(left)
        for i in range(len(left) - 1, -1, -1):  # children come after their parents
            if left[i] >= 0:
                size[i] = 1 + size[left[i]] + size[right[i]]
        order, todo = [], [0]
        while todo:
            i = todo.pop()
            if left[i] >= 0:
                order.append(i)
                todo += [right[i], left[i]]
        return cls(np.array(order, np.int64), np.array(size, np.int64))


def _check_counts(trees: Sequence[Tree], info: ModuleInfo) -> None:
    limits = (
        ("trees", len(trees), "TREES_MAX_TREES", "train fewer trees"),
        (
            "features",
            len(info.features),
            "TREES_MAX_FEATURES",
            "leave out the least important ones; the report ranks them",
        ),
        (
            "classes",
            len(info.labels),
            "TREES_MAX_CLASSES",
            "check that the label column holds labels, not measurements",
        ),
    )
    for what, n, limit, hint in limits:
        if not 1 <= n <= _LIMITS[limit]:
            raise ConvertError(
                f"the model has {n} {what}, a data file holds 1 to {_LIMITS[limit]}", hint
            )
    if len(info.recipe) > _LIMITS["TREES_MAX_RECIPE"]:
        raise ConvertError(
            f"the feature recipe has {len(info.recipe)} bytes, a data file holds "
            f"{_LIMITS['TREES_MAX_RECIPE']}",
            "use fewer steps",
        )


def _check_tree(tree: Tree, number: int, n_features: int, n_classes: int) -> None:
    inner = tree.left >= 0
    at = np.flatnonzero(inner)
    children = np.concatenate([tree.left[inner], tree.right[inner]])
    after = children > np.concatenate([at, at])
    if not (len(inner) and after.all() and np.array_equal(np.sort(children), range(1, len(inner)))):
        raise ConvertError(f"the nodes of tree {number} are not one tree", _AGAIN)
    grid = np.iinfo(np.int16)
    for name, values, low, high in (
        ("feature", tree.feature[inner], 0, n_features - 1),
        ("threshold", tree.threshold[inner], grid.min, grid.max),
        ("class", tree.label[~inner], 0, n_classes - 1),
    ):
        wrong = values[(values < low) | (values > high)]
        if len(wrong):
            raise ConvertError(
                f"tree {number} has the {name} {wrong[0]}, outside {low} to {high}", _AGAIN
            )
    depth = int(levels(tree.left, tree.right).max())
    if depth > _LIMITS["TREES_MAX_DEPTH"]:
        raise ConvertError(
            f"tree {number} is {depth} deep, a data file holds {_LIMITS['TREES_MAX_DEPTH']}",
            "train with a smaller max_depth",
        )


def _file(trees: Sequence[Tree], plans: Sequence[_Plan], info: ModuleInfo, is_wide: bool) -> bytes:
    texts = [info.name, info.version, info.data_sha256, info.wedau, *info.labels, *info.features]
    text = b"".join(front_coded(texts))
    scale = np.asarray(info.scale, "<f4")
    if scale.shape != (len(info.features),):
        raise ConvertError(
            f"the scale has the shape {scale.shape}, not ({len(info.features)},)", _AGAIN
        )
    n_nodes = sum(len(plan.order) for plan in plans)
    if n_nodes > _LIMITS["TREES_MAX_NODES"]:
        raise ConvertError(
            f"the model has {n_nodes} decisions, a data file holds {_LIMITS['TREES_MAX_NODES']}",
            "train fewer or shallower trees",
        )
    head = struct.pack(
        "<3sBBBHHHIII",
        _core.TREES_MAGIC,
        _LIMITS["TREES_VERSION"],
        _LIMITS["TREES_WIDE"] if is_wide else 0,
        len(info.labels),
        len(info.features),
        len(trees),
        len(info.recipe),
        n_nodes,
        len(text),
        0,
    )
    nodes = b"".join(_nodes(t, p, is_wide) for t, p in zip(trees, plans, strict=True))
    roots = _roots(trees, plans, is_wide)
    whole = b"".join([head, roots, scale.tobytes(), nodes, text, info.recipe])
    return whole + struct.pack("<I", zlib.crc32(whole))


def _roots(trees: Sequence[Tree], plans: Sequence[_Plan], is_wide: bool) -> bytes:
    size = _half_words(is_wide)
    roots, at = [], 0
    for tree, plan in zip(trees, plans, strict=True):
        leaf = (1 << _LIMITS["TREES_ROOT_LEAF_BIT"]) + int(tree.label[0])
        roots.append(at * size if len(plan.order) else leaf)
        at += len(plan.order)
    return np.array(roots, "<u4").tobytes()


def _nodes(tree: Tree, plan: _Plan, is_wide: bool) -> bytes:
    order = plan.order
    left, right = tree.left[order], tree.right[order]
    left_size = plan.size[left]
    left_code = np.where(left_size > 0, _LIMITS["TREES_LEFT_NEXT"], tree.label[left])
    leaf = _LIMITS["TREES_WIDE_LEAF" if is_wide else "TREES_NARROW_LEAF"]
    way = (1 + left_size) * _half_words(is_wide)
    is_leaf = plan.size[right] == 0
    if np.any(way[~is_leaf] >= leaf):
        raise ConvertError(
            f"a tree has {len(order)} decisions, more than a data file holds",
            "train with a smaller max_depth",
        )
    right_code = np.where(is_leaf, leaf + tree.label[right], way)
    nodes: NDArray[Any] = np.empty(len(order), _WIDE if is_wide else _NARROW)
    nodes["feature"], nodes["threshold"] = tree.feature[order], tree.threshold[order]
    if is_wide:
        nodes["children"] = left_code | right_code << 8
    else:
        nodes["left"], nodes["right"] = left_code, right_code
    return nodes.tobytes()


def _half_words(is_wide: bool) -> int:
    """Return the size of a decision in the unit of positions."""
    return (_WIDE if is_wide else _NARROW).itemsize // _HALF_WORD_BYTES
