"""Data files of trees: what scikit-learn decides, and nothing that is damaged is taken."""

import dataclasses
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wedau import _core
from wedau.bench import digits
from wedau.convert.data import read_data, to_data
from wedau.convert.module import MAX_TEXT_BYTES, ModuleInfo
from wedau.convert.trees import boundary_inputs
from wedau.errors import ConvertError, DataError
from wedau.models import trees
from wedau.models.trees import TreeArrays

LABELS = ("läuft", "läufig", "aus")


def described(n_features: int, n_classes: int = 3, **change: object) -> ModuleInfo:
    """What a file of so many features and classes tells of itself."""
    info = ModuleInfo(
        name="saw",
        version="1.2.3",
        labels=LABELS if n_classes == 3 else tuple(f"class {i}" for i in range(n_classes)),
        features=tuple(f"feature {i}" for i in range(n_features)),
        scale=np.linspace(0.1, 3, n_features).astype(np.float32),
        recipe=b"\x00\xffrecipe",
        data_sha256="ab" * 32,
        wedau="0.1.0",
    )
    return dataclasses.replace(info, **change)


def grown(seed: int, n_features: int, n_classes: int, most: int) -> TreeArrays:
    """A random tree of at most so many nodes, its nodes in a random order below their parents."""
    random = np.random.default_rng(seed)
    left, right = [-1], [-1]
    while len(left) + 2 <= most:
        leaves = [i for i in range(len(left)) if left[i] < 0]
        at = int(random.choice(leaves))
        left[at], right[at] = random.permutation([len(left), len(left) + 1]).tolist()
        left += [-1, -1]
        right += [-1, -1]
    n, leaf = len(left), np.array(left) < 0
    near = np.concatenate([random.integers(-32768, 32768, n), random.integers(-2, 2, n)])
    return TreeArrays(
        feature=np.where(leaf, -1, random.integers(0, n_features, n)),
        threshold=np.where(leaf, 0, random.choice(near, n)),
        left=np.array(left),
        right=np.array(right),
        label=np.where(leaf, random.integers(0, n_classes, n), -1),
        samples=np.ones(n, np.int64),
    )


def chain(depth: int, to_left: bool) -> TreeArrays:
    """A tree that goes on at one side only."""
    n = 2 * depth + 1
    on = np.arange(depth) * 2 + 2
    off = on - 1
    left, right = np.full(n, -1), np.full(n, -1)
    left[on - 2], right[on - 2] = (on, off) if to_left else (off, on)
    leaf = left < 0
    random = np.random.default_rng(depth)
    return TreeArrays(
        feature=np.where(leaf, -1, 0),
        threshold=np.where(leaf, 0, random.integers(-100, 100, n)),
        left=left,
        right=right,
        label=np.where(leaf, np.arange(n) % 3, -1),
        samples=np.ones(n, np.int64),
    )


def assert_as_scikit_learn(arrays: list[TreeArrays], rows: np.ndarray, info: ModuleInfo) -> bytes:
    """Check both predictions on these rows and on all that lie at a threshold."""
    data = to_data(arrays, info)
    model = read_data(data)
    forest = trees.forest(arrays, len(info.features), len(info.labels))
    rows = np.concatenate([rows, *boundary_inputs(arrays, rows)])
    np.testing.assert_array_equal(model.predict(rows), forest.predict(rows))
    expected = forest.predict_proba(rows).astype(np.float32)
    np.testing.assert_array_equal(model.predict_proba(rows), expected)
    return data


def checked(data: bytes) -> bytes:
    """The file with the checksum that belongs to it."""
    return data[:-4] + struct.pack("<I", zlib.crc32(data[:-4]))


SMALL = to_data([grown(i, 3, 3, 9) for i in range(3)], described(3))


@settings(deadline=None)
@given(
    seeds=st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=6),
    n_features=st.sampled_from([1, 2, 7, 256, 257, 1024]),
    n_classes=st.sampled_from([1, 2, 3, 10, 254, 255]),
    most=st.integers(1, 60),
)
def test_random_forests_decide_as_scikit_learn(
    seeds: list[int], n_features: int, n_classes: int, most: int
) -> None:
    arrays = [grown(seed, n_features, n_classes, most) for seed in seeds]
    random = np.random.default_rng(seeds[0])
    rows = random.integers(-32768, 32768, (20, n_features)).astype(np.int16)
    rows[::2] = random.integers(-3, 3, (10, n_features))
    data = assert_as_scikit_learn(arrays, rows, described(n_features, n_classes))
    assert read_data(data).is_wide == (n_features > 256)


def test_reference_forest_decides_as_scikit_learn_and_is_small() -> None:
    forest, rows, _ = digits.forest()
    arrays = list(forest.trees)
    info = described(64, 10, labels=digits.LABELS, features=digits.FEATURES)
    data = assert_as_scikit_learn(arrays, rows, info)
    assert sum(tree.n_nodes for tree in arrays) == 3462
    assert len(data) < 12_000


def test_large_trees_get_wide_nodes() -> None:
    large = [grown(1, 5, 3, 2 * 11_000 + 1)]
    rows = np.random.default_rng(2).integers(-32768, 32768, (500, 5)).astype(np.int16)
    forest = trees.forest(large, 5, 3)
    model = read_data(to_data(large, described(5)))
    assert model.is_wide and model.n_nodes == 11_000
    np.testing.assert_array_equal(model.predict(rows), forest.predict(rows))


def test_wide_and_narrow_nodes_decide_alike() -> None:
    arrays = [grown(i, 4, 3, 41) for i in range(5)]
    rows = np.random.default_rng(3).integers(-32768, 32768, (3000, 257)).astype(np.int16)
    narrow = read_data(to_data(arrays, described(4)))
    wide = read_data(to_data(arrays, described(257)))
    assert wide.is_wide and not narrow.is_wide
    np.testing.assert_array_equal(wide.predict(rows), narrow.predict(rows[:, :4]))


def test_a_file_says_what_it_was_made_from() -> None:
    info = described(3)
    read = read_data(to_data([grown(0, 3, 3, 9)], info)).info
    assert read.scale.dtype == np.float32 and read.scale.tobytes() == info.scale.tobytes()
    for field in dataclasses.fields(ModuleInfo):
        if field.name != "scale":
            assert getattr(read, field.name) == getattr(info, field.name)


@pytest.mark.parametrize("to_left", [True, False])
def test_depth_ends_where_the_core_says(to_left: bool) -> None:
    most = _core.LIMITS["TREES_MAX_DEPTH"]
    rows = np.arange(-100, 100, dtype=np.int16).reshape(-1, 1)
    assert_as_scikit_learn([chain(most, to_left)], rows, described(1))
    with pytest.raises(ConvertError, match=f"tree 0 is {most + 1} deep, a data file holds {most}"):
        to_data([chain(most + 1, to_left)], described(1))


TREE = grown(0, 3, 3, 9)


def changed(field: str, at: Callable[[TreeArrays], int], value: int) -> TreeArrays:
    values = getattr(TREE, field).copy()
    values[at(TREE)] = value
    return dataclasses.replace(TREE, **{field: values})


def inner(tree: TreeArrays) -> int:
    return int(np.flatnonzero(tree.left >= 0)[-1])


def leaf(tree: TreeArrays) -> int:
    return int(np.flatnonzero(tree.left < 0)[0])


@pytest.mark.parametrize(
    ("arrays", "change", "says"),
    [
        ([], {}, "0 trees, a data file holds 1 to 65535"),
        ([TREE] * 65536, {}, "65536 trees, a data file holds 1 to 65535"),
        ([TREE], {"features": ()}, "0 features"),
        ([TREE], {"features": ("f",) * 1025}, "1025 features, a data file holds 1 to 1024"),
        ([TREE], {"labels": ()}, "0 classes"),
        ([TREE], {"labels": ("l",) * 256}, "256 classes, a data file holds 1 to 255"),
        ([TREE], {"labels": ("l", "m")}, r"tree 0 has the class 2, outside 0 to 1"),
        ([TREE], {"recipe": bytes(65536)}, "65536 bytes, a data file holds 65535"),
        ([TREE], {"name": "n" * 128}, "longer than 127 bytes"),
        ([TREE], {"scale": np.ones(2, np.float32)}, r"shape \(2,\), not \(3,\)"),
        ([TREE], {"scale": np.array([1, 0, 1], np.float32)}, "a scale is not a finite number"),
        ([TREE], {"scale": np.array([1, np.inf, 1], np.float32)}, "a scale is not a finite"),
        ([changed("feature", inner, 3)], {}, "tree 0 has the feature 3, outside 0 to 2"),
        ([changed("feature", inner, -1)], {}, "tree 0 has the feature -1"),
        ([TREE, changed("threshold", inner, 32768)], {}, "tree 1 has the threshold 32768"),
        ([changed("threshold", inner, -32769)], {}, "tree 0 has the threshold -32769"),
        ([changed("label", leaf, -1)], {}, "tree 0 has the class -1"),
        ([changed("left", inner, 0)], {}, "nodes of tree 0 are not one tree"),
        ([changed("right", inner, 1)], {}, "nodes of tree 0 are not one tree"),
        ([changed("right", inner, 99)], {}, "nodes of tree 0 are not one tree"),
    ],
)
def test_what_the_format_cannot_hold_is_refused(
    arrays: list[TreeArrays], change: dict[str, object], says: str
) -> None:
    with pytest.raises(ConvertError, match=says):
        to_data(arrays, described(3, **change))


def test_text_limits_of_both_ways_to_the_board_are_one() -> None:
    assert _core.LIMITS["TREES_MAX_TEXT"] == MAX_TEXT_BYTES


def test_every_truncation_is_refused() -> None:
    for n in range(len(SMALL)):
        with pytest.raises(DataError, match="cut short"):
            read_data(SMALL[:n], "saw.wdt")
        if n > 28:
            with pytest.raises(DataError, match="cut short"):
                read_data(checked(SMALL[:n]))


def test_every_flipped_bit_is_refused() -> None:
    for bit in range(8 * len(SMALL)):
        flipped = bytearray(SMALL)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DataError, match="saw.wdt cannot be used: "):
            read_data(bytes(flipped), "saw.wdt")


def use_if_taken(data: bytes) -> None:
    """Whatever is taken must decide, within its classes."""
    try:
        model = read_data(data)
    except DataError as error:
        assert error.message.removeprefix("this cannot be used: ") in _core.TREES_ERRORS.values()
        return
    width = len(model.info.features)
    rows = np.random.default_rng(0).integers(-32768, 32768, (50, width)).astype(np.int16)
    assert set(model.predict(rows)) <= set(range(len(model.info.labels)))
    np.testing.assert_allclose(model.predict_proba(rows).sum(axis=1), 1, rtol=1e-5)


def test_no_flipped_bit_under_a_right_checksum_does_harm() -> None:
    for bit in range(8 * (len(SMALL) - 4)):
        flipped = bytearray(SMALL)
        flipped[bit // 8] ^= 1 << bit % 8
        use_if_taken(checked(bytes(flipped)))


@settings(deadline=None, max_examples=500)
@given(st.lists(st.tuples(st.integers(0, len(SMALL) - 5), st.integers(0, 255)), max_size=8))
def test_no_changed_bytes_under_a_right_checksum_do_harm(changes: list[tuple[int, int]]) -> None:
    changed = bytearray(SMALL)
    for at, value in changes:
        changed[at] = value
    use_if_taken(checked(bytes(changed)))


def with_node(number: int, field: int, value: int) -> bytes:
    """The small file, one value of one of its nodes being another."""
    at = 24 + 4 * 3 + 4 * 3 + 6 * number
    node = list(struct.unpack_from("<BBhH", SMALL, at))
    node[field] = value
    return checked(SMALL[:at] + struct.pack("<BBhH", *node) + SMALL[at + 6 :])


FEATURE, LEFT, RIGHT = 0, 1, 3


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (with_node(0, FEATURE, 3), "FEATURE"),
        (with_node(3, LEFT, 3), "LEAF"),
        (with_node(3, LEFT, 254), "LEAF"),
        (with_node(3, RIGHT, 0x8003), "LEAF"),
        (with_node(3, RIGHT, 0xFFFF), "LEAF"),
        (with_node(0, RIGHT, 0), "CHILD"),  # a cycle
        (with_node(0, RIGHT, 0x7FFF), "CHILD"),
        (SMALL + b"\0", "TRAILING"),
        (b"PK\x03\x04" + bytes(100), "MAGIC"),
        (b"M\x06\x00\x1f" + bytes(100), "MAGIC"),  # a .mpy
        (b"", "TRUNCATED"),
        (b"f,3\nl,1\n" * 40, "MAGIC"),  # a CSV
        (b"WDT\x02" + SMALL[4:], "VERSION"),
    ],
)
def test_wrong_files_are_refused_by_what_is_wrong(data: bytes, error: str) -> None:
    with pytest.raises(DataError, match=_core.TREES_ERRORS[error]):
        read_data(data)


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_file_or_an_error_of_the_list(data: bytes) -> None:
    use_if_taken(data)
    use_if_taken(_core.TREES_MAGIC + b"\x01" + data)


@pytest.mark.parametrize(
    "rows",
    [np.zeros((2, 2), np.int16), np.zeros((2, 3), np.int32), np.zeros(3, np.int16)],
)
def test_rows_that_do_not_fit_are_refused(rows: np.ndarray) -> None:
    model = read_data(SMALL)
    with pytest.raises(DataError, match="do not fit a model of 3 features"):
        model.predict(rows)
    with pytest.raises(DataError, match="do not fit a model of 3 features"):
        model.predict_proba(rows)


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ((SMALL, np.zeros((2, 3), np.int16), np.zeros(3, np.int64)), ValueError),
        ((SMALL, np.zeros((2, 4), np.int16), np.zeros(2, np.int64)), ValueError),
        ((SMALL, np.zeros((2, 3), np.int16), np.zeros(2, np.int32)), TypeError),
        ((SMALL, np.zeros((2, 3), np.uint16), np.zeros(2, np.int64)), TypeError),
        ((SMALL[:-1], np.zeros((2, 3), np.int16), np.zeros(2, np.int64)), ValueError),
    ],
)
def test_extension_checks_its_buffers(arguments: tuple, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        _core.trees_predict(*arguments)
    data, rows, out = arguments
    with pytest.raises((ValueError, TypeError)):
        _core.trees_proba(data, rows, out.astype(np.float32).reshape(-1, 1))
