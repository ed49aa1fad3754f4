"""The commands on Windows and macOS, as far as Linux can show it.

A prelude takes the modules that only Unix has away from Wedau's own code; the libraries below it
keep them, because on Windows they have code of their own. What only Linux can do says so.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import samples
from outcomes import refusal

import firmware_samples
from mock_board import MockBoard

Elsewhere = Callable[..., "subprocess.CompletedProcess[str]"]

_PRELUDE = """
import builtins, sys, types
ABSENT = {"fcntl", "grp", "pty", "pwd", "resource", "termios", "tty"}
real = builtins.__import__

def without(name, globals=None, *rest, **more):
    importer = (globals or {}).get("__name__", "")
    if name in ABSENT and importer.split(".")[0] == "wedau":
        raise ModuleNotFoundError(f"No module named '{name}'", name=name)
    return real(name, globals, *rest, **more)

builtins.__import__ = without
from wedau.sim import boards
boards.sys = types.SimpleNamespace(platform="win32", executable=sys.executable)
from wedau import cli
sys.exit(cli.run(sys.argv[1:]))
"""


@pytest.fixture
def elsewhere(place: Path, tmp_path: Path) -> Elsewhere:
    """Run a command as another system would."""

    def run(*args: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-c", _PRELUDE, *args],
            cwd=place,
            env=os.environ | {"WEDAU_CACHE": str(tmp_path / "cache")},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def test_the_prelude_takes_modules_away_from_wedau_only(place: Path) -> None:
    ours = "from wedau.sim import folders; folders.lock_file(folders.boards_dir() / 'x')"
    program = _PRELUDE.replace("sys.exit(cli.run(sys.argv[1:]))", f"import fcntl; {ours}")
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"WEDAU_CACHE": str(place)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr.splitlines()[-1] == "ModuleNotFoundError: No module named 'fcntl'"
    assert "in lock_file" in done.stderr


@pytest.mark.parametrize(
    "args", [["--version"], ["--help"], ["train", "--help"], ["sim", "list"], ["devices"]]
)
def test_commands_start(elsewhere: Elsewhere, args: list[str]) -> None:
    done = elsewhere(*args)
    assert done.returncode == 0, done.stderr


def test_doctor_looks_around(elsewhere: Elsewhere) -> None:
    done = elsewhere("doctor")
    assert done.returncode in (0, 4), done.stderr
    assert "clang" in done.stdout


def test_train_works(elsewhere: Elsewhere, place: Path) -> None:
    samples.table(place / "data.csv")
    done = elsewhere("train", "data.csv", "-o", "saw", "--trees", "3")
    assert done.returncode == 0, done.stderr
    assert (place / "saw" / "model.json").is_file()


def test_a_data_file_is_built(elsewhere: Elsewhere, trained: Path, place: Path) -> None:
    shutil.copytree(trained, place / "saw")
    done = elsewhere("build", "saw", "--format", "data")
    assert done.returncode == 0, done.stderr
    assert "Engine, on this laptop     0 differences" in done.stdout
    assert (place / "saw" / "data" / "saw.wdt").is_file()


@pytest.mark.parametrize("command", [["push", "saw"], ["predict", "saw", "data.csv"], ["repl"]])
def test_commands_for_boards_look_for_the_port(
    elsewhere: Elsewhere, trained: Path, place: Path, command: list[str]
) -> None:
    (place / "saw").symlink_to(trained)
    samples.table(place / "data.csv")
    done = elsewhere(*command, "--port", "COM99")
    assert done.returncode == 3, done.stderr
    assert refusal(done.stderr).error == "there is no port COM99"


def test_flash_writes_onto_a_board(elsewhere: Elsewhere, place: Path) -> None:
    firmware_samples.write(place / "built")
    args = ("flash", "--board", firmware_samples.BOARD, "--image", "built")
    done = elsewhere(*args, "--port", "COM99")
    assert done.returncode == 3, done.stderr
    assert refusal(done.stderr).error == "there is no port COM99"
    with MockBoard().plugged_in("tcp") as port:
        done = elsewhere(*args, "--port", port)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", [["sim", "start"], ["build", "saw"], ["bench", "digits"]])
def test_what_needs_the_simulated_board_says_so(
    elsewhere: Elsewhere, trained: Path, place: Path, command: list[str]
) -> None:
    (place / "saw").symlink_to(trained)
    done = elsewhere(*command)
    assert done.returncode == 1
    said = refusal(done.stderr)
    assert ("wedau build saw --format data" in said.hint) == (command[0] == "build")
    assert said.error == "the simulated board needs Linux, and this is win32"
    assert "WSL" in said.hint
