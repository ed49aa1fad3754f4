"""Loops over tables as a person writes them for MicroPython's native and viper emitters."""

import numpy as np

from wedau.bench.alternatives import candidate
from wedau.bench.alternatives.candidate import Candidate, NotPossibleError
from wedau.bench.alternatives.tasks import Task
from wedau.models import Dense, Votes

_LEAF = 255  # as the feature of a node
_TABLES = "tables in arrays, read from a file"

# A node's left child is the next one; a leaf's threshold is its class.
_READ = """\
from array import array
import micropython

FEATURE = bytearray({nodes})
THRESHOLD = array('{kind}', bytes({nodes} * 2))
RIGHT = array('H', bytes({nodes} * 2))
ROOTS = array('H', bytes({trees} * 2))
VOTES = bytearray({classes})
with open('bench.bin', 'rb') as file:
    for table in (FEATURE, THRESHOLD, RIGHT, ROOTS):
        file.readinto(table)
"""

_NATIVE = """

@micropython.native
def predict(x):
    feature = FEATURE
    threshold = THRESHOLD
    right = RIGHT
    votes = VOTES
    for i in range({classes}):
        votes[i] = 0
    for node in ROOTS:
        f = feature[node]
        while f != 255:
            if x[f] <= threshold[node]:
                node += 1
            else:
                node = right[node]
            f = feature[node]
        votes[threshold[node]] += 1
    best = 0
    for i in range(1, {classes}):
        if votes[i] > votes[best]:
            best = i
    return best
"""

# 16 bits are loaded without a sign, so both sides are moved by half the range.
_VIPER = """

@micropython.viper
def predict(x_in) -> int:
    x = ptr16(x_in)
    feature = ptr8(FEATURE)
    threshold = ptr16(THRESHOLD)
    right = ptr16(RIGHT)
    roots = ptr16(ROOTS)
    votes = ptr8(VOTES)
    i = 0
    while i < {classes}:
        votes[i] = 0
        i += 1
    i = 0
    while i < {trees}:
        node = roots[i]
        f = feature[node]
        while f != 255:
            if (x[f] ^ 0x8000) <= threshold[node]:
                node += 1
            else:
                node = right[node]
            f = feature[node]
        votes[threshold[node]] += 1
        i += 1
    best = 0
    i = 1
    while i < {classes}:
        if votes[i] > votes[best]:
            best = i
        i += 1
    return best
"""

_LAYERS = """\
from array import array
import micropython

TABLES = tuple(array('f', bytes(n * 4)) for n in {sizes})
with open('bench.bin', 'rb') as file:
    for table in TABLES:
        file.readinto(table)

@micropython.native
def layer(weights, biases, x, out, last):
    at = 0
    for i in range(len(biases)):
        sum = biases[i]
        for value in x:
            sum += value * weights[at]
            at += 1
        out[i] = sum if last or sum > 0.0 else 0.0

def predict(x):
    for i in range(0, {tables}, 3):
        out = TABLES[i + 2]
        layer(TABLES[i], TABLES[i + 1], x, out, i == {tables} - 3)
        x = out
    best = 0
    for i in range(1, len(x)):
        if x[i] > x[best]:
            best = i
    return best
"""


def native(task: Task) -> Candidate:
    """A loop in @micropython.native."""
    if isinstance(task.program, Dense):
        return _perceptron(task.program)
    votes = candidate.forest(task, "this loop")
    return _forest(votes, (_READ + _NATIVE).format(kind="h", **_sizes(votes)), 0)


def viper(task: Task) -> Candidate:
    """A loop in @micropython.viper."""
    votes = candidate.forest(task, "viper has no floats, and this loop")
    return _forest(votes, (_READ + _VIPER).format(kind="H", **_sizes(votes)), 0x8000)


def _sizes(votes: Votes) -> dict[str, int]:
    return {"nodes": votes.n_nodes, "trees": len(votes.trees), "classes": votes.n_outputs}


def _forest(votes: Votes, source: str, moved: int) -> Candidate:
    """Put a loop and its tables together; moved is added to the thresholds, not to the classes."""
    if votes.n_nodes > 65535 or votes.n_features > _LEAF or len(votes.trees) > _LEAF:
        raise NotPossibleError("more than its tables can number")
    roots = np.cumsum([0, *(tree.n_nodes for tree in votes.trees)])
    features, thresholds, rights = [], [], []
    for tree, root in zip(votes.trees, roots, strict=False):
        leaf = tree.left < 0
        assert np.all(tree.left[~leaf] == np.flatnonzero(~leaf) + 1), "trees are in preorder"
        features.append(np.where(leaf, _LEAF, tree.feature))
        thresholds.append(np.where(leaf, tree.label, tree.threshold + moved))
        rights.append(np.where(leaf, 0, tree.right + root))
    words = np.concatenate([*thresholds, *rights, roots[:-1]]).astype("<u2")
    tables = np.concatenate(features).astype(np.uint8).tobytes() + words.tobytes()
    return Candidate(python=source, files={"bench.bin": tables}, note=_TABLES)


def _perceptron(dense: Dense) -> Candidate:
    if dense.activation != "relu":
        raise NotPossibleError("the loop has no other activation than relu")
    sizes: list[int] = []
    tables: list[np.ndarray] = []
    biases = dense.layers[0].biases - dense.centre @ dense.layers[0].weights
    for number, layer in enumerate(dense.layers):
        own = layer.biases if number else biases
        for table in (layer.weights.T, own, np.zeros(len(own))):
            tables.append(table.astype("<f4").ravel())
            sizes.append(table.size)
    return Candidate(
        row="f",
        python=_LAYERS.format(sizes=tuple(sizes), tables=len(sizes)),
        files={"bench.bin": b"".join(table.tobytes() for table in tables)},
        note=f"{_TABLES}; scaling folded into the first layer",
    )
