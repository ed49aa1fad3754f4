"""The serial line: nothing lost, clients that come and go, Ctrl-C at any time, and no idle work."""

import subprocess
import time
from pathlib import Path

import pytest
import serial

from wedau.build.simboard import SimFirmware
from wedau.sim.boards import SimBoard

# Native code itself looks for nothing, on any board; what it calls in the virtual machine does.
_NATIVE = (
    "exec('def g():\\n for i in range(2): pass\\n"
    "@micropython.native\\ndef f():\\n while True: g()\\nf()')\r"
)
_LOOPS = {
    "busy": "while True: pass\r\r",
    "sleep": "import time; time.sleep(100)\r",
    "poll": "import select; select.poll().poll()\r",
    "native": _NATIVE,
    "accept": "import socket; s = socket.socket(); s.bind(('', 0)); s.listen(1); s.accept()\r",
    "input": "import sys; sys.stdin.read(1)\r",
}


@pytest.mark.parametrize("loop", _LOOPS)
def test_console_ctrl_c_stops(loop: str, line: serial.Serial) -> None:
    line.write(_LOOPS[loop].encode())
    time.sleep(0.3)
    line.reset_input_buffer()
    line.write(b"\x03")
    assert b"KeyboardInterrupt" in line.read_until(b">>> ")


def test_console_loses_no_byte_of_a_long_output(line: serial.Serial) -> None:
    line.write(b"for i in range(20000): print(i)\r\r\r")
    line.read_until(b"... \r\n")
    got = line.read_until(b">>> ").replace(b"\r\n>>> ", b"").split(b"\r\n")
    assert got[-20000:] == [b"%d" % i for i in range(20000)]


def test_console_holds_the_board_back_until_the_client_reads(line: serial.Serial) -> None:
    line.write(b"print('x' * 150000)\r")
    time.sleep(0.5)  # far more than all buffers between would hold is still in the board
    got = line.read_until(b">>> ")
    assert got.count(b"x") == 150001


def test_console_loses_no_byte_of_a_long_input(line: serial.Serial) -> None:
    line.write(b"import sys; d = sys.stdin.buffer.read(50000); print(sum(d), len(d))\r")
    line.read_until(b"\n")
    data = bytes(range(32, 132)) * 500
    line.write(data)
    assert line.read_until(b">>> ") == b"%d 50000\r\n>>> " % sum(data)


def test_console_goes_on_when_a_client_leaves_in_the_middle(fresh_board: SimBoard) -> None:
    with serial.Serial(fresh_board.port, timeout=5) as first:
        first.write(b"\r\x03\x02")
        first.write(b"n = 0\r\rwhile True: print('y' * 500); n += 1\r\r\r")
        first.read(5000)
    time.sleep(0.3)
    with serial.Serial(fresh_board.port, timeout=5) as second:
        second.write(b"\x03")
        second.read_until(b">>> ")
        second.write(b"print('n', 'is', n)\r")
        second.read_until(b"n is ")
        assert int(second.read_until(b"\r\n")) > 100  # it was not held up by nobody reading


def test_console_carries_what_a_client_wrote_before_it_left(fresh_board: SimBoard) -> None:
    with serial.Serial(fresh_board.port, timeout=5) as first:
        first.write(b"\r\x03\x02left = 'behind'\r")
    with serial.Serial(fresh_board.port, timeout=5) as second:
        second.write(b"\rprint(left)\r")
        assert b"\r\nbehind\r\n" in second.read_until(b"behind\r\n")


def _cpu_seconds(pid: int) -> float:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    total = 0.0
    for process in (pid, *map(int, children)):
        fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
        total += (int(fields[11]) + int(fields[12])) / 100
    return total


def test_console_idle_board_takes_no_processor_time(fresh_board: SimBoard) -> None:
    time.sleep(0.5)
    before = _cpu_seconds(fresh_board.pid)
    time.sleep(2)
    assert _cpu_seconds(fresh_board.pid) - before < 0.1


def test_console_end_of_input_ends_the_firmware(sim_firmware: SimFirmware) -> None:
    for source in (b"", b"print(6 * 7)\r", b"import time; time.sleep(1000)\r"):
        done = subprocess.run(
            ["qemu-xtensa", "-cpu", "de233_fpu", sim_firmware.elf],
            input=source,
            capture_output=True,
            timeout=20,
            check=False,
        )
        assert done.returncode == 0
    assert b">>> " in done.stdout
