"""A build that cannot be done says what is missing, and leaves the model's folder as it was."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import samples
from outcomes import Refused, Wedau

from wedau.build import clang
from wedau.cli import modules, unix_proof
from wedau.errors import DataError

WithoutTools = Callable[..., None]

TOOLS = ("gcc", "cc", "make", "qemu-xtensa", "xtensa-lx106-elf-ld", "clang-22")


@pytest.fixture
def model(trained: Path, place: Path) -> str:
    """A model folder in the place."""
    shutil.copytree(trained, place / "saw")
    return "saw"


@pytest.fixture
def path_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WithoutTools]:
    """Leave tools out of PATH."""

    def leave_out(*names: str) -> None:
        folder = tmp_path / "bin"
        folder.mkdir()
        for name in set(TOOLS) - set(names):
            found = shutil.which(name)
            assert found, name
            (folder / name).symlink_to(found)
        monkeypatch.setenv("PATH", str(folder))

    clang.find.cache_clear()
    yield leave_out
    clang.find.cache_clear()


def test_an_unknown_architecture_is_refused(refused: Refused, model: str) -> None:
    said = refused("build", model, "--arch", "avr", code=2)
    assert said.error == "unknown architecture avr"
    assert said.hint == "use one of: xtensawin, armv6m, armv7m, armv7emsp, rv32imc, x64"


def test_a_folder_that_is_no_micropython_is_named(
    refused: Refused, model: str, place: Path
) -> None:
    (place / "mp").mkdir()
    said = refused("build", model, "--micropython", "mp")
    assert said.error == f"{place}/mp does not hold MicroPython's source"
    assert "py/mpconfig.h" in said.hint


def test_a_source_that_is_too_old_is_named(refused: Refused, model: str, place: Path) -> None:
    (place / "mp" / "py").mkdir(parents=True)
    parts = {"MAJOR": 1, "MINOR": 19, "MICRO": 0}
    text = "".join(f"#define MICROPY_VERSION_{name} {v}\n" for name, v in parts.items())
    (place / "mp" / "py" / "mpconfig.h").write_text(text)
    said = refused("build", model, "--micropython", "mp")
    assert said.error == f"{place}/mp holds MicroPython 1.19.0; Wedau needs 1.25 or newer"


def test_no_source_at_all_names_every_source_that_failed(
    refused: Refused,
    model: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    path_without: WithoutTools,
) -> None:
    """An empty cache, and neither git nor apt to be found."""
    path_without()
    monkeypatch.setenv("WEDAU_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("WEDAU_MICROPYTHON", raising=False)
    said = refused("build", model)
    assert said.error.startswith("MicroPython's source could not be got (")
    assert "git is not installed" in said.error
    assert "apt" in said.error
    assert "WEDAU_MICROPYTHON=" in said.hint


def test_a_missing_clang_is_named(
    refused: Refused, model: str, path_without: WithoutTools, micropython: Path
) -> None:
    path_without("clang-22")
    said = refused("build", model)
    assert said.error == "no clang 22 or newer, which compiles for the ESP32-S3, was found"
    assert "wedau doctor" in said.hint


def test_a_clang_that_is_too_old_is_named(
    refused: Refused,
    model: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    path_without: WithoutTools,
) -> None:
    old = tmp_path / "clang"
    old.write_text("#!/bin/sh\necho 'Debian clang version 14.0.6'\n")
    old.chmod(0o755)
    monkeypatch.setenv("WEDAU_CLANG", str(old))
    said = refused("build", model)
    assert said.error == "WEDAU_CLANG names clang 14.0.6; the ESP32-S3 needs clang 22 or newer"
    assert "wedau doctor" in said.hint


def test_a_missing_gcc_for_x64_is_named(
    refused: Refused, model: str, path_without: WithoutTools
) -> None:
    path_without("gcc")
    said = refused("build", model, "--arch", "x64")
    assert said.error == "no gcc was found, which x64 modules need"
    assert "apt-get install gcc" in said.hint


def test_missing_headers_are_named(
    refused: Refused, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEDAU_XTENSA_HEADERS", str(tmp_path))
    said = refused("build", model)
    assert "picolibc" in said.error
    assert "wedau doctor" in said.hint


@pytest.mark.usefixtures("sim_firmware")
def test_a_missing_simulator_is_named(
    refused: Refused, model: str, path_without: WithoutTools
) -> None:
    path_without("qemu-xtensa")
    said = refused("build", model)
    assert said.error == "qemu-xtensa was not found"
    assert "apt install qemu-user" in said.hint


@pytest.mark.parametrize("tool", ["make", "xtensa-lx106-elf-ld", "cc"])
def test_a_missing_tool_of_the_firmware_is_named(
    refused: Refused,
    tool: str,
    micropython: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    path_without: WithoutTools,
) -> None:
    path_without(tool)
    monkeypatch.setenv("WEDAU_CACHE", str(tmp_path / "cache"))
    said = refused("sim", "start", "--micropython", micropython)
    assert said.error == f"not found: {tool}, needed to build the simulated board"
    assert "wedau doctor" in said.hint
    assert list((tmp_path / "cache" / "simboard").glob("*.work")) == []


def test_a_difference_between_board_and_host_makes_no_module(
    refused: Refused, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One decision is changed on its way from the board."""

    def run(program: str, folder: Path) -> str:
        said = real(program, folder)
        first = said.index("[") + 1
        return said[:first] + str(1 - int(said[first]) % 2) + said[first + 1 :]

    real = unix_proof.unix.run
    monkeypatch.setattr(unix_proof.unix, "run", run)
    said = refused("build", model, "--arch", "x64")
    assert "inputs are decided otherwise on the board" in said.error
    assert "held-out row 2 of held_out.csv: class" in said.error
    assert "no module was made" in said.error


def test_a_build_of_an_older_training_is_not_pushed(
    wedau: Wedau, refused: Refused, model: str, place: Path
) -> None:
    assert wedau("build", model, "--arch", "x64", "--quiet").code == 0
    assert modules.load(place / model, "x64").heap_bytes
    samples.table(place / "data.csv")
    fresh = wedau("train", "data.csv", "-o", "other", "--name", "saw", "--trees", "4")
    assert fresh.code == 0
    for name in ("model.json", "trees.json", "held_out.csv"):
        shutil.copy(place / "other" / name, place / model / name)
    with pytest.raises(DataError, match="trained again after its module was built"):
        modules.load(place / model, "x64")


def test_a_changed_module_is_not_pushed(wedau: Wedau, model: str, place: Path) -> None:
    assert wedau("build", model, "--arch", "x64", "--quiet").code == 0
    path = place / model / "x64" / "saw.mpy"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match="was changed after it was built"):
        modules.load(place / model, "x64")
    path.unlink()
    with pytest.raises(DataError, match="has no complete module for x64"):
        modules.load(place / model, "x64")
