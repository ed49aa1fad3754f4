"""What a user is told when there is no board, or one that cannot be talked to."""

import itertools
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import serial

from cable import Cable, stranger
from wedau.device import troubles
from wedau.device.link import Board, BoardError
from wedau.errors import DeviceError, NoDeviceError

_SOON_S = 7.0


def refused(port: str) -> DeviceError:
    """The error that opening a port gives, within bounded time."""
    start = time.monotonic()
    with pytest.raises(DeviceError) as caught, Board(port):
        pass
    assert time.monotonic() - start < _SOON_S
    return caught.value


def test_link_names_the_missing_port_and_those_there_are() -> None:
    error = refused("/dev/ttyNOWHERE7")
    assert isinstance(error, NoDeviceError)
    assert error.exit_code == 3
    assert error.message == "there is no port /dev/ttyNOWHERE7"
    assert "wedau sim start" in error.hint


def test_link_refuses_a_file_that_is_no_port(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("a,b\n")
    error = refused(str(path))
    assert isinstance(error, NoDeviceError)
    assert error.message == f"{path} is not a serial port"
    assert "ports" in error.hint or "there are none" in error.hint


def test_link_refuses_a_port_of_an_unknown_kind() -> None:
    error = refused("carrier-pigeon://coop")
    assert isinstance(error, NoDeviceError)
    assert error.message.startswith("carrier-pigeon://coop is not a port")
    assert error.hint


def test_link_gives_up_when_nothing_answers() -> None:
    with stranger(None) as port:
        error = refused(port)
    assert isinstance(error, NoDeviceError)
    assert error.message == f"nothing answers at {port}"
    assert "RESET" in error.hint


def test_link_recognizes_an_echo() -> None:
    with stranger(lambda data: data) as port:
        error = refused(port)
    assert isinstance(error, NoDeviceError)
    assert error.message == f"{port} only sends back what it gets: there is no MicroPython"
    assert "RX and TX" in error.hint


def test_link_recognizes_another_firmware_by_its_log() -> None:
    count = itertools.count()
    with stranger(lambda _: b"I (%d) wifi: state: run -> auth\r\n" % next(count)) as port:
        error = refused(port)
    assert isinstance(error, NoDeviceError)
    assert "runs another program, not MicroPython: 'I (" in error.message
    assert error.hint == "flash MicroPython for the ESP32-S3 onto it"


def test_link_recognizes_the_download_mode() -> None:
    log = b"ESP-ROM:esp32s3-20210327\r\nboot:0x0 (DOWNLOAD(USB/UART0))\r\nwaiting for download\r\n"
    with stranger(lambda data: log if data else b"") as port:
        error = refused(port)
    assert error.message == f"the board at {port} waits for a firmware (download mode)"
    assert "RESET" in error.hint


def test_link_shows_what_an_unknown_talker_says() -> None:
    with stranger(lambda data: b"login: " if data else b"") as port:
        error = refused(port)
    assert isinstance(error, NoDeviceError)
    assert error.message.startswith(f"no MicroPython prompt at {port}; it sends: 'login:")
    assert "RESET" in error.hint


def test_link_does_not_take_the_python_of_a_computer_for_a_board() -> None:
    shell = subprocess.Popen(
        [sys.executable, "-i", "-q"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert shell.stdin and shell.stdout
    os.set_blocking(shell.stdout.fileno(), False)

    def answer(data: bytes) -> bytes:
        assert shell.stdin and shell.stdout
        shell.stdin.write(data.replace(b"\r", b"\n"))
        shell.stdin.flush()
        return shell.stdout.read() or b""

    try:
        with stranger(answer) as port:
            error = refused(port)
    finally:
        shell.kill()
        shell.communicate()
    assert isinstance(error, NoDeviceError)
    assert error.message.startswith(f"no MicroPython prompt at {port}; it sends: ")


def test_link_names_the_program_that_holds_the_port(sim_port: str) -> None:
    with Board(sim_port):
        error = refused(sim_port)
    assert not isinstance(error, NoDeviceError)
    name = Path("/proc/self/comm").read_text().strip()
    assert error.message == f"{sim_port} is in use by {name} (process {os.getpid()})"
    assert "Thonny" in error.hint


def test_link_says_how_to_get_the_right_to_use_a_port() -> None:
    nobody = 65534
    user = os.geteuid()
    with stranger(None) as port:
        Path(port).chmod(0)
        if user == 0:
            os.seteuid(nobody)
        try:
            error = refused(port)
        finally:
            os.seteuid(user)
    assert error.message == f"you are not allowed to use {port}"
    assert error.hint.startswith("run 'sudo usermod -aG ")


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("FileNotFoundError(2, 'The system cannot find the file', None, 2)", "there is no port"),
        ("PermissionError(13, 'Access is denied.', None, 5)", "is in use by another program"),
    ],
)
def test_link_understands_the_errors_of_windows(reason: str, words: str) -> None:
    error = troubles.not_open(
        "COM5", serial.SerialException(f"could not open port 'COM5': {reason}")
    )
    assert words in error.message
    assert "COM5" in error.message
    assert error.hint


def test_link_reports_a_cable_pulled_during_a_run(empty_port: str) -> None:
    with Cable(empty_port) as cable, Board(cable.port) as board:
        board.run("import time\nt = time.ticks_ms()")
        cable.pull()
        with pytest.raises(DeviceError) as caught:
            board.run("print(1)")
    assert caught.value.message == f"the connection to the board at {cable.port} broke off"
    assert caught.value.hint.startswith("plug the cable in again")


def test_link_reports_a_board_that_stops_answering() -> None:
    """It goes silent after its prompt."""
    said = iter([b"\r\n>", b"raw REPL; CTRL-B to exit\r\n>"])

    def answer(data: bytes) -> bytes:
        if b"print('" in data:
            word = data[data.index(b"'") + 1 :][:8]
            return b"OK" + word + b"\r\n\x04\x04>"
        return next(said, b"") if data else b""

    with stranger(answer) as port:
        error = refused(port)
    assert error.message == f"the board at {port} stopped answering"
    assert "RESET" in error.hint


def test_link_shows_the_last_line_of_the_boards_exception(sim_board: Board) -> None:
    with pytest.raises(BoardError) as caught:
        sim_board.run("def f():\n  raise ValueError('too hot')\nf()")
    assert caught.value.message == f"the board at {sim_board.port} answered: ValueError: too hot"
    assert caught.value.kind == "ValueError"
    assert "wedau repl" in caught.value.hint
    assert "line 2, in f" in caught.value.traceback
    assert sim_board.eval("1 + 1") == 2


def test_link_interrupts_code_that_takes_too_long(sim_board: Board) -> None:
    with pytest.raises(DeviceError) as caught:
        sim_board.run("while True: pass", timeout_s=0.5)
    assert caught.value.message.endswith("did not end within 0.5 s")
    assert "interrupted" in caught.value.hint
    assert sim_board.eval("1 + 1") == 2


def test_link_gives_up_on_a_program_that_switches_ctrl_c_off(empty_port: str) -> None:
    with serial.Serial(empty_port, timeout=1) as port:
        port.write(b"\r\nimport micropython, time\r\n")
        port.write(b"micropython.kbd_intr(-1); time.sleep(12); micropython.kbd_intr(3)\r\n")
        time.sleep(0.3)
        port.reset_input_buffer()
    start = time.monotonic()
    error = refused(empty_port)
    assert isinstance(error, NoDeviceError)
    assert empty_port in error.message
    assert "RESET" in error.hint
    while time.monotonic() - start < 20:
        try:
            with Board(empty_port) as board:
                assert board.eval("1 + 1") == 2
                return
        except NoDeviceError:
            continue
    pytest.fail("the board did not come back")
