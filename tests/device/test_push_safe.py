"""A push that is interrupted at any point leaves the old model working, and the next one works."""

import contextlib
import itertools
import threading
from pathlib import Path

import numpy as np
import pytest
import small_models

from cable import Cable
from wedau.build.simboard import SimFirmware
from wedau.device import push, replay
from wedau.device.link import Board
from wedau.errors import DeviceError
from wedau.sim import boards

_ROWS = np.array([[1, 2, 0, 0, 0], [5, 5, 0, 0, 0]], np.int16)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[int, bytes]:
    """Two versions of a model that answer differently, some ten pieces long."""
    folder = tmp_path_factory.mktemp("models")
    return {version: small_models.model(version, folder, padding_bytes=20000) for version in (1, 2)}


def version_on(board: Board) -> int:
    """Which version answers, and answers right."""
    version = int(board.eval("__import__('saw').version"))
    got = replay.classes(board, "saw", _ROWS)
    assert got.tolist() == small_models.expected(version, _ROWS).tolist()
    return version


def files(version: int, models: dict[int, bytes]) -> dict[str, bytes]:
    """What is pushed together: something the model needs, then the model."""
    return {"saw_needs.bin": b"%d" % version * 3000, "saw.mpy": models[version]}


@pytest.fixture(scope="module")
def traffic(sim_port: str, models: dict[int, bytes]) -> dict[str, int]:
    """How many bytes one whole push takes in each direction."""
    with Board(sim_port) as board:
        push.push(board, files(1, models))
    with Cable(sim_port) as cable:
        with Board(cable.port) as board:
            push.push(board, files(2, models))
        return {"to_board": cable.to_board, "from_board": cable.from_board}


_CUTS = list(itertools.product(("to_board", "from_board"), range(2, 99, 4)))


@pytest.mark.parametrize(("direction", "percent"), _CUTS)
def test_push_survives_a_cable_pulled_after_any_byte(
    empty_port: str,
    models: dict[int, bytes],
    traffic: dict[str, int],
    direction: str,
    percent: int,
) -> None:
    with Board(empty_port) as board:
        push.push(board, files(1, models))
    limit = {direction: traffic[direction] * percent // 100}
    done = False
    with (
        Cable(empty_port, **limit) as cable,
        pytest.raises(DeviceError) as caught,
        Board(cable.port) as board,
    ):
        push.push(board, files(2, models))
        done = True
        while True:
            board.eval("1")
    assert cable.port in caught.value.message
    assert caught.value.hint
    with Board(empty_port) as board:
        version = version_on(board)
        assert version == 2 if done else version in (1, 2)
        needs = board.read_file("/lib/saw_needs.bin")
        assert needs == files(version, models)["saw_needs.bin"]
        push.push(board, files(2, models))
        assert version_on(board) == 2
        assert sorted(board.list("/lib")) == ["saw.mpy", "saw_needs.bin"]


def test_push_keeps_the_old_model_until_all_is_sent(
    empty_port: str, models: dict[int, bytes], traffic: dict[str, int]
) -> None:
    with Board(empty_port) as board:
        push.push(board, files(1, models))
    with (
        pytest.raises(DeviceError),
        Cable(empty_port, to_board=traffic["to_board"] * 3 // 4) as cable,
        Board(cable.port) as board,
    ):
        push.push(board, files(2, models))
    with Board(empty_port) as board:
        assert version_on(board) == 1
        assert "saw.mpy.wedau-new" in board.list("/lib")


def test_push_leaves_the_old_model_when_the_flash_fills_up_on_the_way(
    sim_board: Board, models: dict[int, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check of the free flash passes, but what else runs on the board takes it meanwhile."""
    push.push(sim_board, files(1, models))
    fill(sim_board, leave_blocks=8)
    monkeypatch.setattr(push, "_check_flash", lambda *_: None)
    with pytest.raises(DeviceError) as caught:
        push.push(sim_board, files(2, models) | {"saw.mpy": models[2] + bytes(40000)})
    assert caught.value.message.startswith(f"the flash of the board at {sim_board.port} is full")
    assert "saw.mpy needs " in caught.value.message
    assert caught.value.hint.startswith("remove files")
    assert version_on(sim_board) == 1
    assert sorted(sim_board.list("/lib")) == ["saw.mpy", "saw_needs.bin"]
    sim_board.run("import os\nos.remove('/fill')")
    monkeypatch.undo()
    push.push(sim_board, files(2, models))
    assert version_on(sim_board) == 2


def test_push_says_how_much_flash_is_missing_before_it_sends(
    sim_board: Board, models: dict[int, bytes]
) -> None:
    push.push(sim_board, {"saw.mpy": models[1]})
    fill(sim_board, leave_blocks=3)
    sent: list[int] = []
    with pytest.raises(DeviceError) as caught:
        push.push(sim_board, {"saw.mpy": models[2]}, on_progress=lambda n, _: sent.append(n))
    free = sim_board.probe().flash_free_bytes
    assert f"has {free} free" in caught.value.message
    assert caught.value.message.startswith("saw.mpy needs 32768 bytes of flash, the board at ")
    assert caught.value.hint.startswith("remove files from the board")
    assert sent == []
    assert version_on(sim_board) == 1


def fill(board: Board, *, leave_blocks: int) -> None:
    """Fill the file system but for some blocks."""
    board.run(
        f"""
import os
size, free = os.statvfs('/')[1], os.statvfs('/')[4]
with open('/fill', 'wb') as f:
    for _ in range(free - {leave_blocks}):
        f.write(b'x' * size)
""",
        timeout_s=60,
    )


@pytest.mark.parametrize("delay_ms", [2, 5, 10, 15, 20, 30, 40, 60, 80, 120])
def test_push_survives_a_board_that_loses_power(
    sim_firmware: SimFirmware, models: dict[int, bytes], tmp_path: Path, delay_ms: int
) -> None:
    def start() -> boards.SimBoard:
        parts = (sim_firmware.elf, sim_firmware.plugin)
        return boards.start(name, *parts, flash=tmp_path / "flash", flash_bytes=512 * 1024)

    name = f"power-{delay_ms}"
    done = False
    try:
        with Board(start().port) as board:
            push.push(board, files(1, models))
            power = threading.Timer(delay_ms / 1000, boards.stop, [name])
            power.start()
            with contextlib.suppress(DeviceError):
                push.push(board, files(2, models))
                done = True
            power.join()
        with Board(start().port) as board:
            assert version_on(board) == 2 if done else version_on(board) in (1, 2)
            push.push(board, files(2, models))
            assert version_on(board) == 2
            assert sorted(board.list("/lib")) == ["saw.mpy", "saw_needs.bin"]
    finally:
        boards.stop(name)


def test_push_removes_what_an_interrupted_one_left(sim_board: Board, tmp_path: Path) -> None:
    sim_board.run(
        "import os\nos.mkdir('/lib')\n"
        "with open('/lib/old.mpy.wedau-new', 'w') as f: f.write('half')\n"
        "with open('/lib/mine.new', 'w') as f: f.write('keep')"
    )
    push.push(sim_board, {"saw.mpy": small_models.model(1, tmp_path)})
    assert sorted(sim_board.list("/lib")) == ["mine.new", "saw.mpy"]
