"""Building the simulated board: the cache, two builds at a time, and what a failure says."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from wedau.build import simboard
from wedau.build.simboard import SimFirmware
from wedau.errors import BuildError


def test_simboard_is_not_built_twice(micropython: Path, sim_firmware: SimFirmware) -> None:
    said: list[str] = []
    start = time.monotonic()
    assert simboard.build(micropython, say=said.append) == sim_firmware
    assert said == []
    assert time.monotonic() - start < 5


def test_simboard_writes_nothing_into_the_source(
    micropython: Path, sim_firmware: SimFirmware
) -> None:
    built = sim_firmware.elf.stat().st_mtime
    newer = [p for p in micropython.rglob("*") if p.is_file() and p.stat().st_mtime > built - 1]
    assert newer == []
    assert not list(micropython.rglob("__pycache__"))


def test_simboard_needs_a_source(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="does not hold MicroPython's source"):
        simboard.build(tmp_path)


@pytest.fixture
def empty_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that says that it is MicroPython but lacks everything else."""
    monkeypatch.setenv("WEDAU_CACHE", str(tmp_path / "cache"))
    header = tmp_path / "source" / "py" / "mpconfig.h"
    header.parent.mkdir(parents=True)
    numbers = {"MAJOR": 1, "MINOR": 26, "MICRO": 1}
    header.write_text("".join(f"#define MICROPY_VERSION_{n} {v}\n" for n, v in numbers.items()))
    return tmp_path / "source"


def test_simboard_failure_shows_the_end_of_the_log(empty_source: Path) -> None:
    with pytest.raises(BuildError) as error:
        simboard.build(empty_source)
    assert "py/mkrules.mk" in error.value.message
    log = Path(error.value.hint.split("the whole log is in ")[1].split(";")[0])
    assert "py/mkrules.mk" in log.read_text()


def test_simboard_names_missing_tools(empty_source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simboard.clang, "find", lambda: "clang-22")
    monkeypatch.setattr(simboard.clang, "version", lambda compiler: "22.1.8")
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(BuildError) as error:
        simboard.build(empty_source)
    assert error.value.message.startswith("not found: make, xtensa-lx106-elf-ld, cc")


def test_simboard_builds_one_at_a_time(empty_source: Path) -> None:
    source = "import sys; from pathlib import Path; from wedau.build import simboard\n"
    source += f"simboard.build(Path({str(empty_source)!r}), say=print)"
    builds = [
        subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, stderr=-1)
        for _ in range(3)
    ]
    for build in builds:
        assert b"BuildError" in build.communicate(timeout=120)[1]  # each its own, not a mix-up
