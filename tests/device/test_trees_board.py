"""The engine wedau_trees on the simulated board: answers, costs, and what wrong files do."""

import ast
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import prepared
import pytest

from wedau import _core
from wedau.bench import digits
from wedau.build import runtime
from wedau.build.simboard import SimFirmware
from wedau.convert.data import to_data
from wedau.convert.module import ModuleInfo
from wedau.convert.trees import boundary_inputs
from wedau.device import push, replay
from wedau.device.link import Board, BoardError
from wedau.models import trees
from wedau.sim import boards, unix

LABELS = ("läuft", "klemmt", "aus")
SCALE = np.array([0.1, 2.0, 1e-3, 7.0], dtype=np.float32)

# A model module in Python around a data file, which is what replay talks to.
SHIM = """
import wedau_trees
model = wedau_trees.load('/lib/{name}.wdt')
predict = model.predict
predict_proba = model.predict_proba
labels = model.labels
"""

INFO = ModuleInfo(
    name="saw",
    version="2.1.0",
    labels=LABELS,
    features=("a.rms", "a.peak", "b", "ü"),
    scale=SCALE,
    recipe=b"\x00\xffrecipe",
    data_sha256="ab" * 32,
    wedau="0.1.0",
)


def small_forest(n_features: int) -> tuple[list[trees.TreeArrays], np.ndarray]:
    from sklearn.ensemble import RandomForestClassifier

    random = np.random.default_rng(3)
    rows = random.integers(-3000, 3000, (200, n_features)).astype(np.int16)
    y = (rows[:, 0] > 0).astype(int) + (rows[:, -1] > rows[:, -2])
    members = RandomForestClassifier(9, max_depth=6, random_state=0).fit(rows, y).estimators_
    return [trees.harden(m.tree_, np.arange(3)) for m in members], rows


ARRAYS, ROWS = small_forest(4)
FOREST = trees.forest(ARRAYS, 4, 3)
DATA = to_data(ARRAYS, INFO)

DIGITS, DIGITS_ROWS, _ = digits.forest()
DIGITS_DATA = to_data(
    DIGITS.trees,
    ModuleInfo(
        name="digits",
        version="1.0.0",
        labels=digits.LABELS,
        features=digits.FEATURES,
        scale=np.full(64, digits.SCALE, np.float32),
        recipe=b"",
        data_sha256=digits.data_sha256(),
        wedau="0.1.0",
    ),
)


@pytest.fixture(scope="module")
def engine_bytes(micropython: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    out = tmp_path_factory.mktemp("engine")
    return runtime.build(
        runtime.TREES, arch="xtensawin", micropython=micropython, out=out
    ).path.read_bytes()


@pytest.fixture(scope="module")
def opened(either_firmware: SimFirmware, engine_bytes: bytes) -> Iterator[Board]:
    firmware = either_firmware
    with boards.board(firmware.elf, firmware.plugin) as sim, Board(sim.port) as board:
        files = {"wedau_trees.mpy": engine_bytes, "digits.wdt": DIGITS_DATA, "saw.wdt": DATA}
        prepared.with_modules(board, files)
        for name in ("digits", "saw"):
            board.run(f"open('/lib/{name}.py', 'w').write({SHIM.format(name=name)!r})")
        yield board


@pytest.fixture
def board(opened: Board) -> Board:
    opened.soft_reset()
    opened.run(
        "import wedau_trees, gc, micropython\nfrom array import array\n"
        "m = wedau_trees.load('/lib/saw.wdt')\nx = array('h', [1, 2, 3, 4])"
    )
    return opened


def checked(data: bytes) -> bytes:
    """The file with the checksum that belongs to it."""
    return data[:-4] + struct.pack("<I", zlib.crc32(data[:-4]))


def test_small_forest_decides_as_scikit_learn(opened: Board) -> None:
    rows = np.concatenate([ROWS, *boundary_inputs(ARRAYS, ROWS)])
    np.testing.assert_array_equal(replay.classes(opened, "saw", rows), FOREST.predict(rows))
    got = replay.outputs(opened, "saw", rows, len(LABELS))
    np.testing.assert_array_equal(got, FOREST.predict_proba(rows).astype(np.float32))


def test_digits_are_decided_as_by_scikit_learn_at_every_boundary(opened: Board) -> None:
    rows = np.concatenate([DIGITS_ROWS, *boundary_inputs(DIGITS.trees, DIGITS_ROWS)])
    assert len(rows) == 899 + 3 * 1721
    np.testing.assert_array_equal(replay.classes(opened, "digits", rows), DIGITS.predict(rows))
    rows = rows[::10]
    got = replay.outputs(opened, "digits", rows, 10)
    np.testing.assert_array_equal(got, DIGITS.outputs(rows).astype(np.float32))


def test_wide_nodes_decide_as_scikit_learn(opened: Board) -> None:
    arrays, rows = small_forest(300)
    forest = trees.forest(arrays, 300, 3)
    info = ModuleInfo(
        "wide", "1", LABELS, [f"f{i}" for i in range(300)], np.ones(300, np.float32), b"", "", ""
    )
    push.push(opened, {"wide.wdt": to_data(arrays, info)})
    opened.run(f"open('/lib/wide.py', 'w').write({SHIM.format(name='wide')!r})")
    rows = np.concatenate([rows[:20], *boundary_inputs(arrays, rows)])
    np.testing.assert_array_equal(replay.classes(opened, "wide", rows), forest.predict(rows))


def test_a_call_takes_few_instructions_and_no_heap(opened: Board) -> None:
    measured = replay.measure(opened, "digits", DIGITS_ROWS, 10)
    assert measured.instructions_mean is not None and measured.instructions_max is not None
    assert measured.instructions_mean <= 1_900
    assert measured.instructions_max <= 3_000
    assert measured.call_heap_bytes == 0


LOAD = """
import gc, wedau_trees
from sim import count
gc.collect()
gc.disable()
before = gc.mem_alloc()
model, cost = count(wedau_trees.load, '/lib/digits.wdt')
most = gc.mem_alloc() - before
gc.enable()
gc.collect()
print((cost, most, gc.mem_alloc() - before))
"""


def test_loading_takes_few_instructions_and_little_heap(opened: Board) -> None:
    opened.soft_reset()
    instructions, most_bytes, kept_bytes = opened.literal(opened.run(LOAD))
    assert instructions <= 600_000
    assert len(DIGITS_DATA) <= kept_bytes <= most_bytes <= 13_000


def test_floats_in_data_units_are_put_on_the_grid(board: Board) -> None:
    for row in ROWS[:20]:
        floats = (row * SCALE).astype(np.float32).tolist()
        expected = int(FOREST.predict(row[None])[0])
        assert board.eval(f"m.predict(array('f', {floats}))") == expected
        shares = FOREST.predict_proba(row[None])[0].astype(np.float32)
        asked = f"list(m.predict_proba(array('f', {floats}), array('f', [0, 0, 0])))"
        np.testing.assert_array_equal(np.float32(board.eval(asked)), shares)


def test_floats_beyond_the_grid_saturate(board: Board) -> None:
    for sign in ("", "-"):
        row = np.full((1, 4), int(f"{sign}32767"), np.int16)
        for value in ("1e30", "inf"):
            asked = f"m.predict(array('f', [float('{sign}{value}')] * 4))"
            assert board.eval(asked) == int(FOREST.predict(row)[0])


def test_labels_and_info_say_what_the_file_was_made_from(board: Board) -> None:
    assert board.eval("m.labels") == LABELS
    info = board.eval("m.info")
    assert sorted(info) == [
        *("data_sha256", "features", "labels", "name", "recipe", "scale", "version", "wedau"),
    ]
    for name in ("name", "version", "labels", "features", "recipe", "data_sha256", "wedau"):
        assert info[name] == getattr(INFO, name)
    exact = board.eval("[__import__('struct').pack('<f', v) for v in m.info['scale']]")
    assert b"".join(exact) == SCALE.tobytes()


def test_calls_allocate_nothing(board: Board) -> None:
    board.run(
        "f = array('f', [1, 2, 3, 4])\n"
        "out = array('f', bytes(12))\n"
        "def locked():\n"
        "    micropython.heap_lock()\n"
        "    try:\n"
        "        m.predict(x); m.predict(f); m.labels[m.predict(x)]\n"
        "        m.predict_proba(x, out); m.predict_proba(f, out)\n"
        "    finally:\n"
        "        micropython.heap_unlock()\n"
        "locked()\n"
    )


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("m.predict(array('h', [1, 2, 3]))", "ValueError"),
        ("m.predict(array('h', [1, 2, 3, 4, 5]))", "ValueError"),
        ("m.predict(array('h'))", "ValueError"),
        ("m.predict(array('f', [1, 2, 3]))", "ValueError"),
        ("m.predict(array('f', [1, 2]))", "ValueError"),
        ("m.predict(array('f', [1, 2, 3, float('nan')]))", "ValueError"),
        ("m.predict(array('H', [1, 2, 3, 4]))", "TypeError"),
        ("m.predict(array('i', [1, 2]))", "TypeError"),
        ("m.predict(bytes(8))", "TypeError"),
        ("m.predict(bytearray(8))", "TypeError"),
        ("m.predict([1, 2, 3, 4])", "TypeError"),
        ("m.predict(None)", "TypeError"),
        ("m.predict()", "TypeError"),
        ("m.predict(x, x)", "TypeError"),
        ("m.predict_proba(x)", "TypeError"),
        ("m.predict_proba(x, array('f', [0, 0]))", "ValueError"),
        ("m.predict_proba(x, array('h', bytes(12)))", "TypeError"),
        ("m.predict_proba(x, bytes(12))", "TypeError"),
        ("m.predict_proba(array('h', [1, 2]), array('f', bytes(12)))", "ValueError"),
        ("m.nothing", "AttributeError"),
        ("m.labels = ()", "AttributeError"),
        ("m.predict = None", "AttributeError"),
        ("del m.labels", "AttributeError"),
        ("m()", "TypeError"),
        ("type(m)()", "TypeError"),
        ("type(m).predict(1, x)", "AttributeError"),
        ("wedau_trees.load()", "TypeError"),
        ("wedau_trees.load(3)", "TypeError"),
        ("wedau_trees.load(None)", "TypeError"),
        ("wedau_trees.load('/lib/none.wdt')", "OSError"),
        ("wedau_trees.load('/lib')", "OSError"),
        ("wedau_trees.load('/lib/saw.py')", "ValueError"),
        ("wedau_trees.load('/lib/saw.py')", "ValueError"),
        ("wedau_trees.load(b'')", "ValueError"),
        ("wedau_trees.load(bytearray(100))", "ValueError"),
    ],
)
def test_wrong_input_raises(board: Board, call: str, error: str) -> None:
    with pytest.raises(BoardError) as caught:
        board.run(call)
    assert caught.value.kind == error
    assert board.eval("m.predict(x)") in range(len(LABELS))


TRY_ALL = """
def verdict(data):
    try:
        wedau_trees.load(data)
        return 'taken'
    except ValueError as error:
        return str(error)
data = open('/lib/saw.wdt', 'rb').read()
"""


def test_every_truncation_raises(board: Board) -> None:
    board.run(TRY_ALL)
    found = board.eval("sorted(set(verdict(data[:i]) for i in range(len(data))))")
    assert found == [_core.TREES_ERRORS["TRUNCATED"]]
    board.run(
        "def cut(n):\n"
        "    with open('/cut.wdt', 'wb') as f:\n"
        "        f.write(data[:n])\n"
        "    return verdict('/cut.wdt')\n"
    )
    found = board.eval("sorted(set(cut(i) for i in (0, 1, 23, 24, 27, 28, 200, len(data) - 1)))")
    assert found == [_core.TREES_ERRORS["TRUNCATED"]]
    assert board.eval("cut(len(data))") == "taken"


def test_flipped_bits_raise(board: Board) -> None:
    board.run(TRY_ALL)
    board.run(
        "def flip(i):\n    b = bytearray(data)\n    b[i] ^= 1 << i % 8\n    return verdict(b)\n"
    )
    found = set(board.eval("sorted(set(flip(i) for i in range(len(data))))"))
    assert "taken" not in found
    assert found <= set(_core.TREES_ERRORS.values())


def node(number: int, field: int, value: int) -> bytes:
    """The small file, one value of one of its decisions being another."""
    at = 24 + 4 * 9 + 4 * 4 + 6 * number
    values = list(struct.unpack_from("<BBhH", DATA, at))
    values[field] = value
    return checked(DATA[:at] + struct.pack("<BBhH", *values) + DATA[at + 6 :])


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (node(0, 0, 4), "FEATURE"),
        (node(0, 1, 3), "LEAF"),
        (node(0, 3, 0), "CHILD"),  # a cycle
        (node(0, 3, 0x7FFF), "CHILD"),
        (node(0, 3, 0xFFFF), "LEAF"),
        (DATA + b"\0", "TRAILING"),
        (checked(DATA[:24] + b"\1" + DATA[25:]), "ROOT"),
        (b"\x00" + DATA, "MAGIC"),
    ],
)
def test_wrong_files_raise_what_the_core_says(board: Board, data: bytes, error: str) -> None:
    with pytest.raises(BoardError) as caught:
        board.run(f"wedau_trees.load({data!r})")
    assert caught.value.kind == "ValueError"
    assert _core.TREES_ERRORS[error] in caught.value.last_line


def test_bytes_that_change_after_the_check_do_no_harm(board: Board) -> None:
    expected = int(FOREST.predict(np.array([[1, 2, 3, 4]], np.int16))[0])
    board.run(
        "b = bytearray(open('/lib/saw.wdt', 'rb').read())\n"
        "k = wedau_trees.load(b)\n"
        "v = wedau_trees.load(memoryview(b))\n"
        "for i in range(len(b)): b[i] = 255\n"
    )
    assert board.eval("(k.predict(x), v.predict(x))") == (expected, expected)


def test_a_read_only_view_is_used_where_it_is(board: Board) -> None:
    board.run(
        "b = open('/lib/saw.wdt', 'rb').read()\n"
        "padded = bytes(4) + b\n"
        "gc.collect()\n"
        "before = gc.mem_alloc()\n"
        "k = wedau_trees.load(memoryview(padded)[4:])\n"
        "gc.collect()\n"
    )
    assert board.eval("gc.mem_alloc() - before") < len(DATA) // 2
    assert board.eval("k.predict(x) == m.predict(x)") is True
    with pytest.raises(BoardError, match="multiple of 4"):
        board.run("wedau_trees.load(memoryview(b'?' + b)[1:])")


def test_the_data_lives_as_long_as_the_model(board: Board) -> None:
    expected = FOREST.predict(ROWS[:50]).tolist()
    board.run(
        "def fresh():\n"
        "    return wedau_trees.load(open('/lib/saw.wdt', 'rb').read())\n"
        "k, p = fresh(), fresh().predict\n"
        "m = wedau_trees.load('/lib/saw.wdt')\n"
        "gc.collect()\n"
        "junk = [bytes([255]) * 512 for i in range(100)]\n"
        "del junk\n"
        "gc.collect()\n"
        "junk = [bytes([255]) * 100 for i in range(500)]\n"
    )
    board.run(f"rows = array('h', {ROWS[:50].ravel().tolist()})")
    for predict in ("k.predict", "m.predict", "p"):
        asked = f"[{predict}(rows[i:i + 4]) for i in range(0, 200, 4)]"
        assert board.eval(asked) == expected
    assert board.eval("(k.info['name'], m.labels)") == ("saw", LABELS)


def test_memoryviews_are_read_at_their_offset(board: Board) -> None:
    rows = ROWS[:3].ravel().tolist()
    for at in range(3):
        expected = int(FOREST.predict(ROWS[at : at + 1])[0])
        view = f"memoryview(array('h', {rows}))[{4 * at}:{4 * at + 4}]"
        assert board.eval(f"m.predict({view})") == expected


ON_UNIX = """
import wedau_trees
from array import array
model = wedau_trees.load('digits.wdt')
x = array('h', open('rows.bin', 'rb').read())
print([model.predict(x[i:i + 64]) for i in range(0, len(x), 64)])
"""


def test_the_engine_for_x64_decides_as_scikit_learn(micropython: Path, tmp_path: Path) -> None:
    runtime.build(runtime.TREES, arch="x64", micropython=micropython, out=tmp_path)
    (tmp_path / "digits.wdt").write_bytes(DIGITS_DATA)
    (tmp_path / "rows.bin").write_bytes(DIGITS_ROWS.tobytes())
    got = ast.literal_eval(unix.run(ON_UNIX, tmp_path))
    np.testing.assert_array_equal(got, DIGITS.predict(DIGITS_ROWS))
