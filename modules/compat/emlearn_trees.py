"""Forests out of emlearn's CSV files, run by wedau_trees after all of the file was checked."""

import binascii
import struct
import wedau_trees
from micropython import const
from wedau_compat import check

# The data file of modules/core/trees/wd_trees.h.
_VERSION = const(1)
_WIDE = const(1)
_LEFT_NEXT = const(255)
_ROOT_LEAF = const(0x80000000)
_NARROW_LEAF = const(0x8000)
_WIDE_LEAF = const(0x800000)
_INFO_TEXTS = const(4)
_MAX_CLASSES = const(255)
_MAX_NARROW_FEATURES = const(256)
_MAX_NARROW_NODES = const(10000)  # a jump over so many, of three half-words each, fits 15 bits
_MAX_16 = const(65535)


def new(max_trees, max_nodes, max_leaves):
    """Return an empty model with room for so many trees, decisions and leaves.

    Raises:
        ValueError: a number is below 1 or too large.
        MemoryError: they do not fit the heap.
    """
    return Model(max_trees, max_nodes, max_leaves)


class Model:
    """Trees that are added decision by decision, or by load_model(), and then vote."""

    def __init__(self, max_trees, max_nodes, max_leaves):
        for n in (max_trees, max_nodes, max_leaves):
            _integer(n, 1, _MAX_16)
        self._room = (max_trees, max_nodes, max_leaves)
        self._clear()
        self._allocate()

    def _allocate(self):
        self._nodes = bytearray(8 * self._room[1])  # left, right, feature, threshold

    def _clear(self):
        self._nodes = None
        self._n_nodes = 0
        self._roots = []
        self._leaves = bytearray()
        self._features = self._classes = 0
        self._trees = None

    def setdata(self, features, classes):
        """Set how many features and classes there are."""
        self._still_open()
        self._features = _integer(features, 1, 32767)
        self._classes = _integer(classes, 1, _MAX_CLASSES)

    def addroot(self, root):
        """Add a tree: the index of its first decision, or -1 - the index of its only leaf."""
        self._still_open()
        _integer(root, -32768, 32767)
        if len(self._roots) == self._room[0]:
            raise ValueError("more trees than max_trees")
        self._roots.append(root)

    def addnode(self, left, right, feature, value):
        """Add a decision: left where the feature is below value, else right.

        Args:
            left: how many decisions further on the left one is, or -1 - the index of a leaf.
            right: the same on the right.
            feature: index of the feature.
            value: -32767 to 32768.
        """
        self._still_open()
        for child in (left, right):
            _integer(child, -32768, 32767)
        _integer(feature, 0, 32767)
        _integer(value, -32767, 32768)
        if self._n_nodes == self._room[1]:
            raise ValueError("more decisions than max_nodes")
        if self._nodes is None:
            self._allocate()
        struct.pack_into("<hhhh", self._nodes, 8 * self._n_nodes, left, right, feature, value - 1)
        self._n_nodes += 1

    def addleaf(self, value):
        """Add a leaf that names a class."""
        self._still_open()
        _integer(value, 0, _MAX_CLASSES - 1)
        if len(self._leaves) == self._room[2]:
            raise ValueError("more leaves than max_leaves")
        self._leaves.append(value)

    def outputs(self):
        """Return the number of classes."""
        if not self._classes:
            raise ValueError("the model is not loaded")
        return self._classes

    def predict(self, inputs, outputs):
        """Write the share of the trees that vote for each class. Allocates nothing after the first.

        Args:
            inputs: array 'h' of a number for each feature.
            outputs: array 'f' of a place for each class.

        Raises:
            ValueError: wrong type or length, or the model is not whole.
            MemoryError: the engine's copy does not fit; the model is empty again.
        """
        if self._trees is None:
            self._finish()
        check(inputs, False, self._features)
        check(outputs, True, self._classes)
        self._trees.predict_proba(inputs, outputs)

    def _still_open(self):
        if self._trees is not None:
            raise ValueError("the model is loaded already")

    def _finish(self):
        """Check all that was added and hand it to the engine, which checks it once more."""
        if not (self._classes and self._roots):
            raise ValueError("the model is not loaded")
        data = _data_file(self)
        self._nodes = None  # room for the engine's copy of the data
        try:
            self._trees = wedau_trees.load(data)
        except BaseException:
            self._clear()
            raise
        self._leaves = self._roots = None


def load_model(trees, file):
    """Read a model from a CSV file that emlearn saved; the model is empty again if that fails.

    A threshold decides as in scikit-learn: left where the feature is not above it.

    Args:
        trees: of new(), empty.
        file: open for reading, as text or bytes; or the lines themselves.

    Raises:
        ValueError: a line is not one of such a file, or together they are no forest; a leaf, a
            class or a feature that does not exist; more than the model has room for.
    """
    if not isinstance(trees, Model):
        raise TypeError("need a model of new()")
    if trees._roots or trees._n_nodes or trees._leaves or trees._trees is not None:
        raise ValueError("the model is loaded already")
    try:
        _read(trees, file)
        trees._finish()
    except BaseException:
        trees._clear()
        raise


def _read(trees, file):
    single = {}
    number = 0
    for line in file:
        number += 1
        if not isinstance(line, str):
            line = str(line, "utf-8")
        line = line.strip()
        if not line:
            continue
        try:
            _take(trees, line.split(","), single)
        except ValueError as error:
            raise ValueError("line %d: %s" % (number, error)) from None
    if "f" not in single or "c" not in single:
        raise ValueError("there is no number of features or of classes")
    trees.setdata(single["f"], single["c"])


def _take(trees, parts, single):
    """Take one line; single: what may be there once, so far."""
    kind = parts[0]
    if kind == "n" and len(parts) == 5:
        value = _floor(parts[2]) + 1
        trees.addnode(_number(parts[3]), _number(parts[4]), _number(parts[1]), value)
        return
    if len(parts) != 2:
        raise ValueError("not a line of a model")
    if kind == "r":
        trees.addroot(_number(parts[1]))
    elif kind == "l":
        trees.addleaf(_number(parts[1]))
    elif kind in ("f", "c", "lb"):
        if kind in single:
            raise ValueError("a second line of this kind")
        single[kind] = _number(parts[1])
        if kind == "lb" and single[kind]:
            raise ValueError("leaf_bits is not 0: convert with leaf_bits=0")
    else:
        raise ValueError("not a line of a model")


def _number(text):
    """Return the integer that a text of digits spells."""
    digits = text[1:] if text.startswith("-") else text
    if not (0 < len(digits) < 10 and all("0" <= c <= "9" for c in digits)):
        raise ValueError("not a whole number")
    return int(text)


def _floor(text):
    """Return the largest integer not above a number, without rounding it to a float first."""
    if "e-" in text:  # numpy's way to write what is near zero
        return _floor_float(text)
    whole, _, part = text.partition(".")
    below = 1 if text[0] == "-" and part.strip("0") else 0
    if part:
        _number("0" + part)
    return _number(whole) - below


def _floor_float(text):
    value = float(text)
    if not -1.0 < value < 1.0:
        raise ValueError("a threshold is out of range")
    return -1 if value < 0 else 0


def _integer(value, low, high):
    if not isinstance(value, int):
        raise TypeError("need an int")
    if not low <= value <= high:
        raise ValueError("a number is out of its range")
    return value


def _data_file(model):
    """Return the bytes that wedau_trees loads."""
    wide = model._features > _MAX_NARROW_FEATURES or model._n_nodes > _MAX_NARROW_NODES
    size = 8 if wide else 6
    n_trees = len(model._roots)
    n_texts = 2 * (_INFO_TEXTS + model._classes + model._features)  # all of them empty
    at = 24 + 4 * n_trees + 4 * model._features
    end = at + size * model._n_nodes
    data = bytearray(end + n_texts + 4)
    flags = _WIDE if wide else 0
    struct.pack_into("<3sBBB", data, 0, b"WDT", _VERSION, flags, model._classes)
    struct.pack_into("<HHHII", data, 6, model._features, n_trees, 0, model._n_nodes, n_texts)
    for i in range(model._features):
        struct.pack_into("<f", data, 24 + 4 * (n_trees + i), 1.0)
    done = 0
    for i, root in enumerate(model._roots):
        start = done * size // 2
        if root < 0:
            start = _ROOT_LEAF | _leaf(model, root)
        else:
            done = _lay_out(model, root, memoryview(data)[at:end], done, wide)
        struct.pack_into("<I", data, 24 + 4 * i, start)
    if done != model._n_nodes:
        raise ValueError("a decision belongs to no tree")
    checksum = binascii.crc32(memoryview(data)[: end + n_texts])
    struct.pack_into("<I", data, end + n_texts, checksum)
    return data


def _lay_out(model, root, out, done, wide):
    """Write a tree's decisions in preorder behind those that are done; return how many are then."""
    size = 8 if wide else 6
    waiting = [(root, -1)]  # decisions to write, and whose right child each is
    while waiting:
        node, parent = waiting.pop()
        if node >= model._n_nodes:
            raise ValueError("a decision is missing")
        if done == model._n_nodes:
            raise ValueError("a decision is reached twice")
        if parent >= 0:
            _set_right(out, parent * size, (done - parent) * size // 2, wide)
        left, right, feature, threshold = struct.unpack_from("<hhhh", model._nodes, 8 * node)
        if feature >= model._features:
            raise ValueError("a decision compares a feature that does not exist")
        if left == 0 or right == 0:
            raise ValueError("a decision leads to itself")
        first = _LEFT_NEXT if left > 0 else _leaf(model, left)
        if wide:
            struct.pack_into("<HhI", out, done * size, feature, threshold, first)
        else:
            struct.pack_into("<BBhH", out, done * size, feature, first, threshold, 0)
        if right > 0:
            waiting.append((node + right, done))
        else:
            leaf = _WIDE_LEAF if wide else _NARROW_LEAF
            _set_right(out, done * size, leaf | _leaf(model, right), wide)
        if left > 0:
            waiting.append((node + left, -1))
        done += 1
    return done


def _set_right(out, at, right, wide):
    if wide:
        first = out[at + 4]
        struct.pack_into("<I", out, at + 4, right << 8 | first)
    else:
        struct.pack_into("<H", out, at + 4, right)


def _leaf(model, child):
    """Return the class of a leaf."""
    index = -1 - child
    if index >= len(model._leaves):
        raise ValueError("a leaf is missing")
    if model._leaves[index] >= model._classes:
        raise ValueError("a leaf names a class that does not exist")
    return model._leaves[index]
