"""Instruction counts: exact, the same on every run and every boot, whatever else happens."""

import time
from collections.abc import Callable

import serial
from calls import call_mpremote

from wedau.build.simboard import SimFirmware
from wedau.sim import boards
from wedau.sim.boards import SimBoard

_WORK = """
import sim
def work(n):
    s = 0
    for i in range(n):
        s += i & 7
    return s
"""
_NATIVE = """
@micropython.viper
def spin(n: int) -> int:
    i = 0
    while i < n:
        i += 1
    return i
"""


def test_count_returns_the_result_and_the_instructions(execute: Callable[[str], str]) -> None:
    got = execute(_WORK + "r = sim.count(work, 100)\nprint(r[0], r[1] > 1000, len(r))")
    assert got == "342 True 2\n"


def test_count_grows_exactly_with_the_work(execute: Callable[[str], str]) -> None:
    source = "import sim\n" + _NATIVE + "print(*[sim.count(spin, n)[1] for n in (0, 1, 2, 1000)])"
    none, one, two, thousand = map(int, execute(source).split())
    assert 0 < one - none == two - one
    assert thousand - none == 1000 * (one - none)


def test_count_is_the_same_on_each_run(execute: Callable[[str], str]) -> None:
    source = _WORK + "c = [sim.count(work, 50)[1] for _ in range(10)]\nprint(len(set(c)), c[0])"
    first, second = execute(source), execute(source)
    assert first == second and first.startswith("1 ")


def test_count_of_allocating_code_repeats_with_its_history(
    execute: Callable[[str], str],
) -> None:
    source = "import sim, json\nprint([sim.count(json.dumps, [1.5, 'a'])[1] for _ in range(20)])"
    assert execute(source) == execute(source)


def test_count_is_the_same_on_a_fresh_boot(sim_firmware: SimFirmware) -> None:
    source = (
        _WORK + "import json\nprint(sim.count(work, 50)[1], sim.count(json.dumps, [1, 'a'])[1])"
    )
    counts = set()
    for _ in range(3):
        with boards.board(sim_firmware.elf, sim_firmware.plugin) as board:
            counts.add(call_mpremote(board.port, "exec", source))
    assert len(counts) == 1


def test_count_leaves_out_input_that_arrives_meanwhile(line: serial.Serial) -> None:
    for statement in (*_WORK.strip().replace("\n", "\r").split("\r\r"), "", ""):
        line.write(statement.encode() + b"\r")
    line.write(b"\r\r\r")
    line.write(b"print('a' + 'b', sim.count(work, 200000))\r")
    quiet = _answer(line)
    line.write(b"print('a' + 'b', sim.count(work, 200000))\r")
    line.read_until(b")\r\n")
    for _ in range(20):
        line.write(b"x" * 20)
        line.flush()
    noisy = _answer(line)
    assert quiet == noisy


def test_count_can_be_interrupted(line: serial.Serial) -> None:
    line.write(b"import sim; sim.count(exec, 'while True: pass')\r")
    time.sleep(0.3)
    line.write(b"\x03")
    assert b"KeyboardInterrupt" in line.read_until(b"Interrupt: \r\n>>> ")
    line.write(b"print('go' + 'es on')\r")
    assert b"goes on" in line.read_until(b"goes on")


def _answer(line: serial.Serial) -> bytes:
    line.read_until(b"ab (")
    return line.read_until(b")\r\n")


def test_count_passes_an_exception_on(execute: Callable[[str], str]) -> None:
    source = "import sim\ntry:\n    sim.count(int, 'x')\nexcept ValueError:\n    print('raised')"
    assert execute(source) == "raised\n"


def test_count_is_read_from_the_host_too(shared_board: SimBoard) -> None:
    before = shared_board.instructions()
    there = int(call_mpremote(shared_board.port, "exec", "import sim; print(sim.insns())"))
    after = shared_board.instructions()
    assert 0 < before < there < after


def test_count_starts_anew_with_each_boot(fresh_board: SimBoard) -> None:
    call_mpremote(fresh_board.port, "exec", "for i in range(1000000): pass")
    before = fresh_board.instructions()
    call_mpremote(fresh_board.port, "reset")
    time.sleep(0.5)  # mpremote lets the board wait for 0.1 s before it resets
    assert fresh_board.instructions() < before


def test_count_of_reading_a_file_does_not_depend_on_when_it_was_written(
    sim_firmware: SimFirmware,
) -> None:
    source = (
        "import sim\n"
        "b = bytearray(512)\n"
        "def read():\n"
        "    with open('/x', 'rb') as f:\n"
        "        while f.readinto(b): pass\n"
        "with open('/x', 'wb') as f: f.write(bytes(20000))\n"
        "print([sim.count(read)[1] for _ in range(10)])"
    )
    counts = set()
    for _ in range(6):
        with boards.board(sim_firmware.elf, sim_firmware.plugin) as board:
            counts.add(call_mpremote(board.port, "exec", source))
    assert len(counts) == 1
