"""Ports that disappear in the middle of any command, that somebody holds, or that send anything."""

import contextlib
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import samples
from outcomes import Refused, Wedau

from cable import Cable, stranger
from wedau import cli
from wedau.build.simboard import SimFirmware
from wedau.device.link import Board
from wedau.sim import boards

COMMANDS = [
    ["push", "saw"],
    ["predict", "saw", "data.csv"],
    ["selftest"],
    ["ota", "provision", "repo"],
]
# After so many bytes: while the prompt is looked for, in a program, in what is sent or answered.
CUTS = [{"to_board": 40}, {"to_board": 900}, {"from_board": 60}, {"from_board": 600}]
_CHANCE = random.Random(1)
GARBAGE: list[Callable[[bytes], bytes]] = [
    lambda came: _CHANCE.randbytes(40),
    lambda came: (
        b"raw REPL; CTRL-B to exit\r\n>R\x01\x80\x00\x01OK(1, 2)\r\n\x04\x04>" if came else b""
    ),
]


@pytest.fixture(scope="module")
def port(sim_firmware: SimFirmware) -> Iterator[str]:
    """The port of a board."""
    with boards.board(sim_firmware.elf, sim_firmware.plugin) as board:
        yield board.port


@pytest.fixture(scope="module")
def prepared(trained: Path, port: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built model that is on the board, its data, and a repository."""
    folder = tmp_path_factory.mktemp("ports")
    assert cli.run(["build", str(trained), "--quiet"]) == 0
    shutil.copytree(trained, folder / "saw")
    samples.table(folder / "data.csv")
    assert cli.run(["ota", "init", str(folder / "repo"), "--no-passphrase"]) == 0
    assert cli.run(["push", str(folder / "saw"), "--port", port]) == 0
    return folder


@pytest.fixture
def ready(prepared: Path, place: Path) -> Path:
    """All of that in the place."""
    shutil.copytree(prepared, place, dirs_exist_ok=True)
    return place


@pytest.mark.parametrize("command", COMMANDS)
def test_a_port_that_disappears_in_the_middle_is_told(
    refused: Refused, wedau: Wedau, ready: Path, port: str, command: list[str]
) -> None:
    for cut in CUTS:
        with Cable(port, **cut) as cable:
            said = refused(*command, "--port", cable.port)
            assert said.error == f"the connection to the board at {cable.port} broke off"
    assert wedau("predict", "saw", "data.csv", "--port", port).code == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_a_port_that_is_held_is_told(
    refused: Refused, ready: Path, port: str, command: list[str]
) -> None:
    with Board(port):
        said = refused(*command, "--port", port)
    assert said.error.startswith(f"{port} is in use by ")
    assert f"(process {os.getpid()})" in said.error


def test_the_second_of_two_commands_at_one_port_names_the_first(
    refused: Refused, ready: Path, port: str
) -> None:
    command = [sys.executable, "-m", "wedau", "selftest", "--port", port]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as first:
        deadline = time.monotonic() + 60
        while not _holds(first.pid, port):
            assert first.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        said = refused("push", "saw", "--port", port)
        assert first.communicate()[1].count(b"error") == 0
    assert said.error.endswith(f"(process {first.pid})")
    assert first.returncode == 0


def _holds(process: int, port: str) -> bool:
    """Whether a process has a port open."""
    links = Path("/proc", str(process), "fd")
    with contextlib.suppress(FileNotFoundError):  # closed while they are read
        return any(str(link.readlink()) == port for link in links.iterdir())
    return False


@pytest.mark.parametrize("answer", GARBAGE)
def test_a_port_that_sends_anything_is_told(
    refused: Refused, ready: Path, answer: Callable[[bytes], bytes]
) -> None:
    for command in COMMANDS[2:]:
        with stranger(answer) as port:
            said = refused(*command, "--port", port, code=3)
            assert said.error.startswith(f"no MicroPython prompt at {port}; it sends: ")
