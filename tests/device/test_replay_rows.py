"""Rows and windows go over the board and come back in order and bit for bit."""

from pathlib import Path

import numpy as np
import pytest
import small_models

from cable import Cable
from wedau.device import push, replay
from wedau.device.link import Board, BoardError
from wedau.errors import DataError, DeviceError

# Stands for the native module: gives back what it gets, so that every bit can be followed.
_MIRROR = """
def info(recipe):
    return recipe[0], recipe[1], recipe[0] * recipe[1], 3
def extract(recipe, window, work, out):
    if len(window) != len(out) or len(work) != 3:
        raise ValueError("lengths")
    out[:] = window
"""


@pytest.fixture
def board(sim_board: Board, tmp_path: Path) -> Board:
    """A board with a small model."""
    push.push(sim_board, {"saw.mpy": small_models.model(1, tmp_path)})
    return sim_board


def rows(count: int) -> np.ndarray:
    random = np.random.default_rng(count)
    return random.integers(-32768, 32768, (count, small_models.N_FEATURES)).astype(np.int16)


@pytest.mark.parametrize("count", [0, 1, 306, 307, 308, 5000])
def test_replay_predicts_every_row_in_order(board: Board, count: int) -> None:
    steps: list[tuple[int, int]] = []
    got = replay.classes(board, "saw", rows(count), lambda *step: steps.append(step))
    assert got.tolist() == small_models.expected(1, rows(count)).tolist()
    assert not steps if count == 0 else steps[-1] == (count, count)


def test_replay_sends_rows_wider_than_a_piece(board: Board, tmp_path: Path) -> None:
    source = "def predict(x): return sum(x) % 1000 if len(x) == 5000 else -1\n"
    push.push(board, {"wide.mpy": small_models.compiled(source, tmp_path)})
    wide = np.arange(15000, dtype=np.int16).reshape(3, 5000)
    got = replay.classes(board, "wide", wide)
    assert got.tolist() == (wide.sum(axis=1, dtype=int) % 1000).tolist()


def test_replay_works_in_the_small_pieces_of_a_uart(board: Board) -> None:
    board.transport.window_bytes = 256
    got = replay.classes(board, "saw", rows(700))
    assert got.tolist() == small_models.expected(1, rows(700)).tolist()


def test_replay_gives_the_probabilities(board: Board) -> None:
    got = replay.outputs(board, "saw", rows(400), 3)
    assert got.dtype == np.float32
    assert got.argmax(axis=1).tolist() == small_models.expected(1, rows(400)).tolist()
    assert got.sum(axis=1).tolist() == [1.0] * 400


def test_replay_carries_windows_bit_for_bit(board: Board, tmp_path: Path) -> None:
    mirror = small_models.compiled(_MIRROR, tmp_path, name="wedau_features")
    push.push(board, {"wedau_features.mpy": mirror})
    bits = np.random.default_rng(3).integers(0, 2**32, (20, 6 * 50), dtype=np.uint32)
    bits[0, :4] = 0x7F800000, 0x80000000, 0x00000001, 0x7FC00001
    got = replay.features(board, bytes([6, 50]), bits.view(np.float32))
    assert got.shape == (20, 300)
    assert (got.view(np.uint32) == bits).all()


def test_replay_refuses_windows_of_another_width(board: Board, tmp_path: Path) -> None:
    mirror = small_models.compiled(_MIRROR, tmp_path, name="wedau_features")
    push.push(board, {"wedau_features.mpy": mirror})
    with pytest.raises(DataError) as caught:
        replay.features(board, bytes([6, 50]), np.zeros((2, 299), np.float32))
    assert caught.value.message == "the recipe takes windows of 300 values, these have 299"
    assert caught.value.hint
    assert replay.classes(board, "saw", rows(1)).shape == (1,)


@pytest.mark.parametrize(
    "bad", [np.zeros((2, 2)), np.zeros(5, np.int16), np.zeros((2, 0), np.int16)]
)
def test_replay_refuses_what_are_no_rows(board: Board, bad: np.ndarray) -> None:
    with pytest.raises(DataError, match="cannot be replayed"):
        replay.classes(board, "saw", bad)


def test_replay_imports_what_was_pushed_last(board: Board, tmp_path: Path) -> None:
    assert replay.classes(board, "saw", rows(9)).tolist() == (
        small_models.expected(1, rows(9)).tolist()
    )
    push.push(board, {"saw.mpy": small_models.model(2, tmp_path)})
    assert replay.classes(board, "saw", rows(9)).tolist() == (
        small_models.expected(2, rows(9)).tolist()
    )


def test_replay_measures_the_same_twice(board: Board) -> None:
    first = replay.measure(board, "saw", rows(500), 3)
    second = replay.measure(board, "saw", rows(500), 3)
    assert first == second
    assert first.rows == 500
    assert first.instructions_min and first.instructions_mean and first.instructions_max
    assert 100 < first.instructions_min <= first.instructions_mean <= first.instructions_max
    assert first.import_instructions and first.import_instructions > 1000
    assert 0 < first.import_heap_bytes < 3000
    assert first.us_mean is None


def test_replay_proves_that_a_call_takes_no_heap(board: Board) -> None:
    assert replay.measure(board, "saw", rows(3), 3).call_heap_bytes == 0


def test_replay_finds_the_heap_that_a_call_takes(board: Board, tmp_path: Path) -> None:
    source = "def predict(x): return len(bytearray(1000)) and 0\n"
    push.push(board, {"greedy.mpy": small_models.compiled(source, tmp_path)})
    assert 1000 <= replay.measure(board, "greedy", rows(3), 3).call_heap_bytes < 1100


def test_replay_names_a_module_that_is_missing(board: Board) -> None:
    with pytest.raises(DeviceError) as caught:
        replay.classes(board, "nix", rows(1))
    assert caught.value.message == f"there is no module 'nix' on the board at {board.port}"
    assert caught.value.hint == "push it first with 'wedau push'"


def test_replay_names_what_is_free_when_a_module_does_not_fit(board: Board, tmp_path: Path) -> None:
    source = (
        f"held = [bytearray(10000) for _ in range({board.info.heap_total_bytes // 10000 + 1})]\n"
    )
    push.push(board, {"huge.mpy": small_models.compiled(source, tmp_path)})
    for attempt in (
        lambda: replay.classes(board, "huge", rows(1)),
        lambda: replay.measure(board, "huge", rows(1), 3),
    ):
        with pytest.raises(DeviceError) as caught:
            attempt()
        assert caught.value.message.startswith(f"huge does not fit the board at {board.port}: Mem")
        assert "bytes, " in caught.value.message
        assert "PSRAM" in caught.value.hint


def test_replay_passes_on_what_the_model_raises(board: Board) -> None:
    with pytest.raises(BoardError) as caught:
        replay.classes(board, "saw", np.zeros((4, 3), np.int16))
    assert caught.value.message.endswith("answered: ValueError: x needs 5 values")
    assert board.eval("1 + 1") == 2


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_replay_reports_a_cable_pulled_in_the_middle(board: Board, share: float) -> None:
    port = board.port
    board.__exit__(None, None, None)
    with (
        Cable(port, to_board=int(rows(5000).nbytes * share)) as cable,
        pytest.raises(DeviceError) as caught,
        Board(cable.port) as through,
    ):
        replay.classes(through, "saw", rows(5000))
    assert caught.value.message == f"the connection to the board at {cable.port} broke off"
    assert caught.value.hint.startswith("plug the cable in again")
    with Board(port) as again:
        assert replay.classes(again, "saw", rows(10)).shape == (10,)


def test_replay_notices_bytes_that_are_changed_on_the_way(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = board.transport.line.write

    def garble(data: bytes) -> None:
        write(data.replace(b"A", b"B") if len(data) > 3000 and b"=" not in data[:-4] else data)

    monkeypatch.setattr(board.transport.line, "write", garble)
    with pytest.raises(BoardError, match="bytes were changed on the way to the board"):
        replay.classes(board, "saw", np.zeros((400, 5), np.int16))


def test_replay_passes_over_what_else_prints_on_the_board(board: Board, tmp_path: Path) -> None:
    source = "def predict(x):\n    print('I (12) wifi: ?')\n    return 2\n"
    push.push(board, {"chatty.mpy": small_models.compiled(source, tmp_path)})
    assert replay.classes(board, "chatty", rows(30)).tolist() == [2] * 30
