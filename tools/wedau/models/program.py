"""What every family of models has in common."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from wedau.errors import DataError

Task = Literal["classifier", "regressor", "anomaly"]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Rows = NDArray[np.int16]

ANOMALY_LABELS = ("normal", "anomaly")
GRID_MIN, GRID_MAX = -32768, 32767
MAX_FEATURES = 1024  # the grid row of a call with floats lies on the board's stack: 2 kB
MAX_CLASSES = 255


class Program(ABC):
    """A fitted model as plain arrays that work on rows of the int16 grid.

    Attributes:
        family: name of the family's arithmetic, as in the saved file.
        task: classifier, regressor or anomaly.
        n_features: length of a row.
        kind: the family's name for people.
        n_outputs: numbers that `outputs` gives for a row: one for each class of a classifier, one
            for the others.
    """

    family: ClassVar[str]
    kind: str
    task: Task
    n_features: int
    n_outputs: int

    @abstractmethod
    def outputs(self, rows: Rows) -> Floats:
        """Compute what the module gives into ``out``.

        Args:
            rows: int16, shape (n_rows, n_features).

        Returns:
            float64, shape (n_rows, n_outputs): a classifier's probabilities, a regressor's value,
            an anomaly model's decision function, below 0 for an anomaly.
        """

    @abstractmethod
    def predict(self, rows: Rows) -> Ints | Floats:
        """Decide: class indices; 0 for normal and 1 for an anomaly; a regressor's values.

        Args:
            rows: int16, shape (n_rows, n_features).
        """

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Return the arrays as JSON's types."""

    @classmethod
    @abstractmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Program":
        """Read and check what `to_json` gave.

        Raises:
            KeyError, TypeError, ValueError, DataError: a field is missing or not possible.
        """

    @property
    @abstractmethod
    def size(self) -> str:
        """How large it is, in words, such as "50 trees, depth 8, 1,930 nodes"."""


P = TypeVar("P")


def damaged(message: str) -> DataError:
    """Return the error for a file that is not what was saved."""
    return DataError(message, "the model's files were damaged or edited: run 'wedau train' again")


def floats(data: Any, what: str, *shape: int | None) -> Floats:
    """Read finite numbers of this shape; None stands for any length from 1 on."""
    try:
        array = np.array(data, np.float64)
    except (TypeError, ValueError) as error:
        raise damaged(f"{what} is not an array of numbers") from error
    _check_shape(array.shape, what, shape)
    if not np.all(np.isfinite(array)):
        raise damaged(f"{what} holds a number that is not finite")
    return array


def integers(data: Any, what: str, low: int, high: int, *shape: int | None) -> Ints:
    """Read integers within low to high of this shape; None stands for any length from 1 on."""
    array = np.array(data)
    if array.dtype.kind != "i":
        raise damaged(f"{what} is not an array of integers")
    _check_shape(array.shape, what, shape)
    if np.any((array < low) | (array > high)):
        raise damaged(f"{what} holds a number outside {low} to {high}")
    return array.astype(np.int64)


def integer(data: Any, what: str, low: int, high: int) -> int:
    """Read one integer within low to high."""
    return int(integers(data, what, low, high))


def number(data: Any, what: str) -> float:
    """Read one finite number."""
    return float(floats(data, what))


def choice(data: Any, what: str, known: tuple[str, ...]) -> str:
    """Read one of the known words."""
    if data not in known:
        raise damaged(f"{what} is {data!r}, not one of {', '.join(known)}")
    return str(data)


def _check_shape(shape: tuple[int, ...], what: str, wanted: tuple[int | None, ...]) -> None:
    if len(shape) != len(wanted) or any(
        n == 0 if w is None else n != w for n, w in zip(shape, wanted, strict=False)
    ):
        raise damaged(f"{what} has the shape {shape}")


def levels(left: Any, right: Any) -> Ints:
    """Return how many decisions lie above each node of a tree.

    Args:
        left, right: shape (n_nodes,): index of a node's child, which comes after its parent; below
            0 in a leaf.
    """
    level = np.zeros(len(left), np.int64)
    for i in np.flatnonzero(left >= 0):
        level[left[i]] = level[right[i]] = level[i] + 1
    return level


def class_indices(values: Any) -> Ints:
    """Return booleans or integers as int64."""
    indices: Ints = np.asarray(values, np.int64)
    return indices


def softmax(scores: Floats) -> Floats:
    """Return exp(scores) over its sum, row by row; float64, the shape of scores."""
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Floats = raised / raised.sum(axis=1, keepdims=True)
    return shares


def logistic(scores: Floats) -> Floats:
    """Return 1 / (1 + exp(-scores)), without overflow."""
    raised = np.exp(-np.abs(scores))
    return np.where(scores >= 0, 1 / (1 + raised), raised / (1 + raised))


def two(positive: Floats) -> Floats:
    """Return the probabilities of both classes from that of the second, shape (n_rows, 2)."""
    return np.column_stack([1 - positive, positive])
