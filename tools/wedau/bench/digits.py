"""The reference forest: 20 trees of depth 8 on scikit-learn's digits, on the int16 grid."""

import hashlib

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

from wedau.models import Votes, trees

SCALE = 0.01  # pixels of 0 to 16 become 0 to 1600 on the grid
FEATURES = tuple(f"pixel_{row}_{column}" for row in range(8) for column in range(8))
LABELS = tuple(str(digit) for digit in range(10))


def forest(n_trees: int = 20) -> tuple[Votes, NDArray[np.int16], NDArray[np.int64]]:
    """Return the forest and the half of the data that it has not seen.

    Args:
        n_trees: another number makes another forest, trained the same way.

    Returns:
        The forest with one class a leaf; int16, shape (899, 64), on the grid;
        int64, shape (899,), true classes.
    """
    x, y = load_digits(return_X_y=True)
    grid = (x / SCALE).astype(np.int16)
    seen, unseen, y_seen, y_unseen = train_test_split(grid, y, test_size=0.5, random_state=1)
    fitted = RandomForestClassifier(n_estimators=n_trees, max_depth=8, random_state=1)
    members = fitted.fit(seen, y_seen).estimators_
    arrays = [trees.harden(member.tree_, np.arange(len(LABELS))) for member in members]
    return Votes(arrays, unseen.shape[1], len(LABELS)), unseen, y_unseen


def data_sha256() -> str:
    """Return the hash of the data set's pixels and classes."""
    x, y = load_digits(return_X_y=True)
    return hashlib.sha256(x.tobytes() + y.astype("<i8").tobytes()).hexdigest()
