"""A model module on the simulated board: answers, heap, and what wrong input does."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from wedau.build import natmod
from wedau.build.simboard import SimFirmware
from wedau.cli.verify import compile_program
from wedau.convert.module import ModuleInfo
from wedau.convert.trees import boundary_inputs
from wedau.device import link, replay
from wedau.device import push as device_push
from wedau.models import Votes, trees
from wedau.sim import boards

LABELS = ("läuft", "klemmt", "aus")
SCALE = np.array([0.1, 2.0, 1e-3, 7.0], dtype=np.float32)


def small_forest() -> tuple[list[trees.TreeArrays], np.ndarray]:
    from sklearn.ensemble import RandomForestClassifier

    random = np.random.default_rng(3)
    rows = random.integers(-3000, 3000, (200, 4)).astype(np.int16)
    y = (rows[:, 0] > 0).astype(int) + (rows[:, 1] > rows[:, 2])
    members = RandomForestClassifier(9, max_depth=6, random_state=0).fit(rows, y).estimators_
    return [trees.harden(m.tree_, np.arange(3)) for m in members], rows


ARRAYS, ROWS = small_forest()
FOREST = trees.forest(ARRAYS, 4, 3)


@pytest.fixture(scope="module")
def compiled(micropython: Path, tmp_path_factory: pytest.TempPathFactory) -> natmod.Natmod:
    info = ModuleInfo(
        name="saw",
        version="2.1.0",
        labels=LABELS,
        features=("a.rms", "a.peak", "b", "ü"),
        scale=SCALE,
        recipe=b"\x00\xffrecipe",
        data_sha256="ab" * 32,
        wedau="0.1.0",
    )
    return compile_program(
        Votes(ARRAYS, 4, 3), info, "xtensawin", tmp_path_factory.mktemp("saw"), micropython
    )


@pytest.fixture(scope="module")
def board(sim_firmware: SimFirmware, compiled: natmod.Natmod) -> Iterator[link.Board]:
    with boards.board(sim_firmware.elf, sim_firmware.plugin) as sim, link.Board(sim.port) as opened:
        device_push.push(opened, {"saw.mpy": compiled.path.read_bytes()})
        opened.run("import saw, micropython\nfrom array import array")
        yield opened


def test_board_decides_as_scikit_learn(board: link.Board):
    rows = np.concatenate([ROWS, *boundary_inputs(ARRAYS, ROWS)])
    np.testing.assert_array_equal(replay.classes(board, "saw", rows), FOREST.predict(rows))
    got = replay.outputs(board, "saw", rows, len(LABELS))
    np.testing.assert_array_equal(got, FOREST.predict_proba(rows).astype(np.float32))
    board.run("import saw, micropython\nfrom array import array")


def test_floats_in_data_units_are_put_on_the_grid(board: link.Board):
    for row in ROWS[:20]:
        floats = (row * SCALE).astype(np.float32).tolist()
        expected = int(FOREST.predict(row[None])[0])
        assert board.eval(f"saw.predict(array('f', {floats}))") == expected


def test_floats_beyond_the_grid_saturate(board: link.Board):
    for sign in (1, -1):
        row = np.full((1, 4), sign * 32767, np.int16)
        asked = f"saw.predict(array('f', [{sign}e30] * 4))"
        assert board.eval(asked) == int(FOREST.predict(row)[0])
        infinite = f"saw.predict(array('f', [float('{'-' if sign < 0 else ''}inf')] * 4))"
        assert board.eval(infinite) == int(FOREST.predict(row)[0])


def test_labels_and_info_say_what_the_card_says(board: link.Board):
    assert board.eval("saw.labels") == LABELS
    info = board.eval("saw.info")
    assert info["name"] == "saw"
    assert info["version"] == "2.1.0"
    assert info["labels"] == LABELS
    assert info["features"] == ("a.rms", "a.peak", "b", "ü")
    assert info["recipe"] == b"\x00\xffrecipe"
    assert info["data_sha256"] == "ab" * 32
    assert info["wedau"] == "0.1.0"
    exact = board.eval("[__import__('struct').pack('<f', v) for v in saw.info['scale']]")
    assert b"".join(exact) == SCALE.tobytes()


def test_calls_allocate_nothing(board: link.Board):
    board.run(
        "x, f = array('h', [1, 2, 3, 4]), array('f', [1, 2, 3, 4])\n"
        "out = array('f', bytes(12))\n"
        "micropython.heap_lock()\n"
        "try:\n"
        "    saw.predict(x); saw.predict(f); saw.labels[saw.predict(x)]\n"
        "    saw.predict_proba(x, out); saw.predict_proba(f, out)\n"
        "finally:\n"
        "    micropython.heap_unlock()\n"
    )


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("predict(array('h', [1, 2, 3]))", "ValueError"),
        ("predict(array('h', [1, 2, 3, 4, 5]))", "ValueError"),
        ("predict(array('h'))", "ValueError"),
        ("predict(array('f', [1, 2, 3]))", "ValueError"),
        ("predict(array('f', [1, 2, 3, float('nan')]))", "ValueError"),
        ("predict(array('H', [1, 2, 3, 4]))", "TypeError"),
        ("predict(array('i', [1, 2]))", "TypeError"),
        ("predict(array('d', [1]))", "TypeError"),
        ("predict(bytes(8))", "TypeError"),
        ("predict(bytearray(8))", "TypeError"),
        ("predict([1, 2, 3, 4])", "TypeError"),
        ("predict(None)", "TypeError"),
        ("predict()", "TypeError"),
        ("predict_proba(array('h', [1, 2, 3, 4]), array('f', [0, 0]))", "ValueError"),
        ("predict_proba(array('h', [1, 2, 3, 4]), array('h', bytes(12)))", "TypeError"),
        ("predict_proba(array('h', [1, 2, 3, 4]), bytes(12))", "TypeError"),
        ("predict_proba(array('h', [1, 2]), array('f', bytes(12)))", "ValueError"),
        ("nothing", "AttributeError"),
    ],
)
def test_wrong_input_raises(board: link.Board, call: str, error: str):
    with pytest.raises(link.BoardError) as caught:
        board.run(f"saw.{call}")
    assert caught.value.kind == error
    assert board.eval("saw.predict(array('h', [1, 2, 3, 4]))") in range(len(LABELS))


def test_memoryviews_are_read_at_their_offset(board: link.Board):
    rows = ROWS[:3].ravel().tolist()
    for at in range(3):
        expected = int(FOREST.predict(ROWS[at : at + 1])[0])
        view = f"memoryview(array('h', {rows}))[{4 * at}:{4 * at + 4}]"
        assert board.eval(f"saw.predict({view})") == expected
