"""Simulated boards, and the real mpremote to talk to them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import serial
from calls import Mpremote, call_mpremote

from wedau.build.simboard import SimFirmware
from wedau.sim import boards
from wedau.sim.boards import SimBoard


@pytest.fixture(scope="session")
def shared_board(sim_firmware: SimFirmware) -> Iterator[SimBoard]:
    """One board for all tests that leave nothing behind but files."""
    with boards.board(sim_firmware.elf, sim_firmware.plugin) as board:
        yield board


@pytest.fixture
def fresh_board(sim_firmware: SimFirmware) -> Iterator[SimBoard]:
    """A board of its own, with an empty flash."""
    with boards.board(sim_firmware.elf, sim_firmware.plugin) as board:
        yield board


@pytest.fixture
def mpremote(shared_board: SimBoard) -> Mpremote:
    """mpremote against the shared board."""

    def call(*args: str, cwd: Path | None = None, code: int = 0) -> str:
        return call_mpremote(shared_board.port, *args, cwd=cwd, code=code)

    return call


@pytest.fixture
def execute(mpremote: Mpremote) -> Callable[[str], str]:
    """Run code on the shared board after a soft reset, and return what it prints."""
    return lambda source: mpremote("exec", source)


@pytest.fixture
def line(shared_board: SimBoard) -> Iterator[serial.Serial]:
    """The shared board's serial line, at the friendly prompt."""
    with serial.Serial(shared_board.port, timeout=5, exclusive=True) as port:
        port.write(b"\r\x03\x03\x02")
        port.write(b"print('re' + 'ady')\r")
        assert port.read_until(b"ready\r\n>>> ").endswith(b">>> ")
        yield port
