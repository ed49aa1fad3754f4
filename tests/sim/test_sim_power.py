"""Power cuts at flash operations: what is left is what the log of an uncut run tells."""

import itertools
from pathlib import Path

import pytest
from flashes import TABLE, Board, write_image
from hypothesis import given
from hypothesis import strategies as st

from wedau.build.simboard import SimFirmware
from wedau.errors import SimError
from wedau.sim import app_image, direct, flash_image, nor
from wedau.sim.nor import AFTER, BEFORE, HALF, MODES, Cut, Operation, Read

IMAGE = app_image.make("2", script=b"")
# Files, a write of odd length, an update, and a reset: the boot loader writes, too.
WORK = (
    """
with open("/file.txt", "w") as f:
    f.write("x" * 300)
import esp32, machine, os
os.rename("/file.txt", "/other.txt")
if machine.reset_cause() == machine.PWRON_RESET:
    esp32.Partition("model_0").writeblocks(1, b"\\x5a\\x00\\x5a", 7)
"""
    + "".join(f"    {line}\n" for line in write_image("ota_1", IMAGE).splitlines())
    + """
    p.set_boot()
    machine.reset()
esp32.Partition.mark_app_valid_cancel_rollback()
"""
)


@pytest.fixture
def board(sim_firmware: SimFirmware, tmp_path: Path) -> Board:
    flash = tmp_path / "flash.bin"
    flash.write_bytes(flash_image.new(TABLE))
    return Board(sim_firmware, flash)


def test_power_cuts_leave_what_the_log_tells(board: Board, tmp_path: Path) -> None:
    start = board.flash.read_bytes()
    log = tmp_path / "log"
    ended = board.run(WORK, log=log)
    assert (ended.cause, ended.boots, ended.app) == (direct.EXITED, 2, "ota_1"), ended.output
    operations = board.operations(log)
    assert len(operations) == ended.operations
    done = bytearray(start)
    for operation in operations:
        nor.apply(done, operation)
    assert done == board.flash.read_bytes()
    count = 0
    for cut, expected in nor.cut_images(start, operations):
        board.flash.write_bytes(start)
        ended = board.run(WORK, cut=cut)
        assert ended.cause == direct.POWER_LOSS
        assert ended.operations == cut.operation + 1
        assert board.flash.read_bytes() == expected, cut
        count += 1
    assert count == 3 * len(operations) > 60


def test_power_cut_behind_the_end_never_comes(board: Board) -> None:
    ended = board.run("print('on')", cut=Cut(1000, HALF))
    assert (ended.cause, ended.output) == (direct.EXITED, "on\n")


def test_power_comes_back_and_the_file_system_holds(board: Board, tmp_path: Path) -> None:
    log = tmp_path / "log"
    board.says("f = open('/f', 'w'); f.write('old'); f.close()")
    start = board.flash.read_bytes()
    change = "f = open('/f', 'w'); f.write('new' * 100); f.close()"
    assert board.run(change, log=log).cause == direct.EXITED
    for _, torn in nor.cut_images(start, board.operations(log)):
        board.flash.write_bytes(torn)
        assert board.says("print(open('/f').read()[:3])") in ("old\n", "new\n")


def test_a_run_ends_as_it_says(board: Board) -> None:
    assert board.run("print(1)\nraise SystemExit").cause == direct.EXITED
    ended = board.run("1 / 0")
    assert ended.cause == direct.EXCEPTION and "ZeroDivisionError" in ended.output
    ended = board.run("@micropython.viper\ndef f():\n    ptr32(16)[0] = 1\nf()")
    assert ended.cause == direct.CRASHED and "SIGSEGV" in ended.output
    ended = board.run("print('on', end='')\nwhile True: pass", timeout_s=1)
    assert (ended.cause, ended.output) == (direct.TIMEOUT, "on")
    assert board.run("import time; time.sleep_ms(50)").cause == direct.EXITED
    ended = board.run("import machine; machine.reset()", most_boots=3)
    assert (ended.cause, ended.boots) == (direct.RESETS, 3)


def test_a_run_repeats_to_the_instruction(board: Board) -> None:
    board.says("import os")
    counts = {board.run("print(sum(range(1000)))").instructions for _ in range(3)}
    assert len(counts) == 1 and counts.pop() > 10_000


def test_a_run_needs_a_flash(board: Board) -> None:
    board.flash.unlink()
    with pytest.raises(SimError, match="there is no flash file"):
        board.run("print(1)")


DATA = st.binary(min_size=1, max_size=9)


@given(DATA, DATA)
def test_nor_clears_bits_only(there: bytes, data: bytes) -> None:
    for mode in MODES:
        memory = bytearray(there.ljust(9, b"\xff"))
        before = bytes(memory)
        nor.apply(memory, Operation(0, data), mode)
        assert all(new & ~old == 0 for new, old in zip(memory, before, strict=True))
        assert mode != BEFORE or memory == before
        if mode == AFTER:
            both = [a & b for a, b in zip(before, data.ljust(9, b"\xff"), strict=True)]
            assert list(memory) == both


def test_nor_halves() -> None:
    memory = bytearray(b"\xff" * 5)
    nor.apply(memory, Operation(1, b"\x11\x22\x33"), HALF)
    assert memory == b"\xff\x11\x2f\xff\xff"
    memory = bytearray(4096 * 2)
    nor.apply(memory, Operation(4096, None), HALF)
    assert memory == bytes(4096) + b"\xff" * 2048 + bytes(2048)


OPERATIONS = st.builds(
    Operation, st.integers(0, 3).map(lambda n: n * 4096), st.none() | st.binary(min_size=1)
)


READS = st.builds(Read, st.integers(0, 1 << 15), st.integers(0, 1 << 15))


@given(st.lists(OPERATIONS | READS, max_size=5))
def test_log_keeps_the_steps(steps: list[Operation | Read]) -> None:
    data = b"".join(nor.encode(step) for step in steps)
    assert nor.read_steps(data, 1 << 16) == steps
    assert nor.read_log(data, 1 << 16) == [s for s in steps if isinstance(s, Operation)]
    ends = set(itertools.accumulate((len(nor.encode(s)) for s in steps), initial=0))
    for end in set(range(len(data))) - ends:
        with pytest.raises(SimError, match="is damaged"):
            nor.read_log(data[:end], 1 << 16)


@given(st.binary(max_size=60))
def test_log_takes_any_bytes(data: bytes) -> None:
    try:
        steps = nor.read_steps(data, 1 << 16)
    except SimError:
        return
    assert b"".join(nor.encode(step) for step in steps) == data
