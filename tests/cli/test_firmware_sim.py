"""`wedau firmware build --board SIM`: the same sources as a simulated board."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from outcomes import Refused, Wedau

from wedau.build.simboard import SimFirmware
from wedau.device.link import Board

BUILD = ("firmware", "build", "--board", "SIM")


@pytest.fixture
def port(wedau: Wedau, whole_firmware: SimFirmware, micropython: Path) -> Iterator[str]:
    """The port of a board that was started from its firmware's folder."""
    done = wedau(*BUILD, "--micropython", micropython)
    assert done.code == 0, done.err
    done = wedau("sim", "start", "from-folder", "--firmware", "build/firmware/SIM")
    assert done.code == 0, done.err
    yield done.out.strip()
    wedau("sim", "stop", "from-folder")


def test_board_starts_from_its_firmwares_folder(port: str) -> None:
    with Board(port) as board:
        said = board.run("import wedau_features, wedau_trees, wedau\nprint(wedau_trees)")
    assert "wedau_trees" in said


def test_sim_start_refuses_what_is_no_firmware(
    wedau: Wedau, refused: Refused, place: Path, whole_firmware: SimFirmware, micropython: Path
) -> None:
    said = refused("sim", "start", "--firmware", ".")
    assert said.error == ". holds no firmware of the simulated board"
    assert wedau(*BUILD, "--micropython", micropython, "--json").code == 0
    manifest = place / "build/firmware/SIM/manifest.json"
    text = manifest.read_text()
    manifest.write_text(text.replace('"SIM"', '"M5STACK_CORES3"'))
    said = refused("sim", "start", "--firmware", "build/firmware")
    assert said.error == "build/firmware holds a firmware for M5STACK_CORES3"
    manifest.write_text(text)
    with (manifest.parent / "firmware.elf").open("ab") as file:
        file.write(b"\0")
    said = refused("sim", "start", "--firmware", "build/firmware")
    assert "firmware.elf is damaged" in said.error


def test_same_sources_give_the_same_bytes_in_another_folder_on_another_day(
    wedau: Wedau,
    place: Path,
    tmp_path: Path,
    whole_firmware: SimFirmware,
    micropython: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WEDAU_CACHE", str(tmp_path / "another-cache"))
    done = wedau(*BUILD, "--micropython", micropython, "--out", "elsewhere", "--json")
    assert done.code == 0, done.err
    assert "Building the simulated board" in done.err  # not taken from the cache
    folder = place / "elsewhere/SIM"
    assert (folder / "firmware.elf").read_bytes() == whole_firmware.elf.read_bytes()
    assert (folder / "libicount.so").read_bytes() == whole_firmware.plugin.read_bytes()
    assert json.loads((folder / "manifest.json").read_text())["made_of"]["esp_idf"] is None
