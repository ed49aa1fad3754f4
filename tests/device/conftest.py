"""Simulated boards for the tests that talk to one."""

from collections.abc import Iterator

import prepared
import pytest

from wedau.build.simboard import SimFirmware
from wedau.device.link import Board
from wedau.sim import boards

_FLASH_BYTES = 1024 * 1024


@pytest.fixture(scope="session")
def sim_port(sim_firmware: SimFirmware) -> Iterator[str]:
    """The port of a simulated board with a small flash."""
    with boards.board(sim_firmware.elf, sim_firmware.plugin, flash_bytes=_FLASH_BYTES) as board:
        yield board.port


@pytest.fixture(scope="session", params=["loaded", "built in"])
def either_firmware(request: pytest.FixtureRequest) -> SimFirmware:
    """Firmware without our C modules, which loads them, and firmware that has them built in."""
    names = {"loaded": "sim_firmware", "built in": "whole_firmware"}
    firmware: SimFirmware = request.getfixturevalue(names[request.param])
    return firmware


@pytest.fixture
def sim_board(sim_port: str) -> Iterator[Board]:
    """A simulated board, open, with an empty file system."""
    with Board(sim_port) as board:
        prepared.empty(board)
        yield board


@pytest.fixture
def empty_port(sim_port: str) -> str:
    """The port of a simulated board that nobody has open, with an empty file system."""
    with Board(sim_port) as board:
        prepared.empty(board)
    return sim_port
