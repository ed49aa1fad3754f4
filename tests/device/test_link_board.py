"""A board that answers: what it says about itself, and how it is left."""

import time

import pytest
import serial

from cable import Cable
from wedau.device.link import Board
from wedau.errors import DeviceError


def test_link_tells_what_the_board_is(sim_board: Board) -> None:
    info = sim_board.info
    assert info.arch == "xtensawin"
    assert info.native
    assert (info.mpy_version, info.mpy_sub_version) == (6, 3)
    assert info.small_int_bits == 31
    assert info.version.startswith("1.")
    assert info.counts_instructions
    assert "/lib" in info.search_path
    assert 0 < info.heap_free_bytes < info.heap_total_bytes
    assert info.heap_largest_bytes and info.heap_largest_bytes <= info.heap_free_bytes
    assert 0 < info.flash_free_bytes <= info.flash_total_bytes


def test_link_measures_free_heap_anew(sim_board: Board) -> None:
    before = sim_board.probe().heap_free_bytes
    sim_board.run("kept = bytearray(50000)")
    assert 50000 <= before - sim_board.probe().heap_free_bytes < 51000


def test_link_runs_code_and_returns_what_it_prints(sim_board: Board) -> None:
    assert sim_board.run("print('one')\nprint('zwölf')") == "one\nzwölf\n"


def test_link_carries_values_both_ways(sim_board: Board) -> None:
    value = {"a": [1, 2.5, None, True], "b": "x\n'"}
    assert sim_board.call("dict", value) == value


def test_link_lists_and_reads_files(sim_board: Board) -> None:
    sim_board.run(
        "import os\nos.mkdir('/d')\nwith open('/d/f', 'wb') as f: f.write(bytes(range(256)) * 9)"
    )
    assert "d/" in sim_board.list("/")
    assert sim_board.list("/d") == {"f": 2304}
    assert sim_board.read_file("/d/f") == bytes(range(256)) * 9


@pytest.mark.parametrize(
    ("path", "reason"), [("/none.txt", "No such file or directory"), ("/d", "Is a directory")]
)
def test_link_says_why_a_file_cannot_be_read(sim_board: Board, path: str, reason: str) -> None:
    sim_board.run("import os\nos.mkdir('/d')")
    with pytest.raises(DeviceError) as caught:
        sim_board.read_file(path)
    assert caught.value.message == (
        f"{path} on the board at {sim_board.port} cannot be read: {reason}"
    )
    assert caught.value.hint.endswith("fs ls'")
    assert sim_board.eval("1 + 1") == 2


def test_link_leaves_the_friendly_prompt_and_a_clean_memory(empty_port: str) -> None:
    with Board(empty_port) as board:
        board.run("left_over = 1")
    with serial.Serial(empty_port, timeout=1) as port:
        port.write(b"\r\n'left_over' in globals()\r\n")
        assert b"False\r\n>>> " in port.read_until(b"False\r\n>>> ")


def test_link_stops_a_main_program_that_loops_for_ever(empty_port: str) -> None:
    with Board(empty_port) as board:
        board.run("with open('/main.py', 'w') as f: f.write('while True: print(\"busy\")')")
    with Cable(empty_port) as cable, serial.Serial(cable.port, timeout=2) as port:
        port.write(b"\x04")
        assert b"busy" in port.read_until(b"busy")
    start = time.monotonic()
    with Board(empty_port) as board:
        assert board.eval("1 + 1") == 2
        board.run("import os\nos.remove('/main.py')")
    assert time.monotonic() - start < 5


def test_link_interrupts_a_boot_file_that_loops_for_ever(empty_port: str) -> None:
    with Board(empty_port) as board:
        board.run("with open('/boot.py', 'w') as f: f.write('while True: pass')")
    with Board(empty_port) as board:
        assert board.eval("1 + 1") == 2
        board.run("import os\nos.remove('/boot.py')")


def test_link_can_be_entered_from_any_prompt(empty_port: str) -> None:
    """An unfinished line, a raw REPL, paste mode, a raw paste that broke off."""
    for left in (
        b"x = [1,",
        b"\r\x01",
        b"\r\x01print(1)",
        b"\r\x05def f(",
        b"\r\x01\x05A\x01print(",
    ):
        with serial.Serial(empty_port, timeout=1) as port:
            port.write(left)
            time.sleep(0.1)
        with Board(empty_port) as board:
            assert board.eval("6 * 7") == 42
