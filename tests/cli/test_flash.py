"""`wedau flash` and `wedau devices` as a person meets them."""

import dataclasses
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from outcomes import Refused, Wedau, refusal
from serial.tools import list_ports

import firmware_samples as samples
from mock_board import MB, MockBoard
from wedau.build import boards as definitions
from wedau.build.simboard import SimFirmware
from wedau.cli import known_boards
from wedau.device import firmware
from wedau.sim import boards

WRITTEN = sum(len(data) for _, data in samples.images().values())


@pytest.fixture
def built(place: Path) -> Path:
    return samples.write(place / "built")


def test_flash_says_what_it_did(wedau: Wedau, built: Path) -> None:
    with MockBoard().plugged_in("pty") as port:
        done = wedau("flash", "--board", samples.BOARD, "--image", "built", "--port", port)
    assert done.code == 0, done.err
    assert done.out == (
        f"{samples.BOARD} 1.28.0 is on the board at {port}: {WRITTEN:,} bytes written and "
        "verified, the files on it were left alone\n"
    )
    assert "leave the cable in" in done.err


def test_flash_prints_json(wedau: Wedau, built: Path) -> None:
    args = ("flash", "--board", samples.BOARD, "--image", "built", "--erase", "--json")
    with MockBoard().plugged_in("tcp") as port:
        done = wedau(*args, "--port", port)
    said = json.loads(done.out)
    assert (said["port"], said["board"], said["chip"]) == (port, samples.BOARD, "ESP32-S3")
    assert (said["flash_bytes"], said["psram_kind"], said["erased"]) == (4 * MB, "none", True)
    assert said["written_bytes"] == WRITTEN


def test_flash_refuses_in_two_lines(refused: Refused, built: Path) -> None:
    args = ("flash", "--board", samples.BOARD, "--port", "/dev/nonexistent")
    said = refused(*args)
    assert said.error == "build/firmware cannot be read: No such file or directory"
    assert "wedau firmware build" in said.hint
    said = refused(*args, "--image", "built", code=3)
    assert said.error == "there is no port /dev/nonexistent"
    with MockBoard(flash_bytes=8 * MB).plugged_in("tcp") as port:
        said = refused(*args[:3], "--image", "built", "--port", port, code=4)
    assert "it is for 4 MB of flash, and this chip has 8 MB" in said.error


def test_flash_of_a_bare_file_is_for_the_board_that_was_named(
    wedau: Wedau, refused: Refused, place: Path
) -> None:
    (place / "merged.bin").write_bytes(samples.merged())
    args = ("flash", "--image", "merged.bin", "--board", "ADAFRUIT_FEATHER_ESP32S3", "--port")
    with MockBoard().plugged_in("tcp") as port:
        said = refused(*args, port, code=4)
    assert "it is for 2 MB of quad PSRAM, and this chip has no PSRAM" in said.error
    with MockBoard(psram_bytes=2 * MB).plugged_in("tcp") as port:
        done = wedau(*args, port)
    assert done.code == 0, done.err


def flash_and_stop(built: Path, port: str, board: MockBoard) -> tuple[int, str]:
    """Flash, and press Ctrl-C as soon as the first block is written."""
    command = [sys.executable, "-m", "wedau", "flash", "--board", samples.BOARD]
    process = subprocess.Popen(
        [*command, "--image", str(built), "--port", port],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert board.flash.written.wait(60)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert out == ""
    return process.returncode, err


def test_flash_that_is_interrupted_says_what_state_the_board_is_in(
    wedau: Wedau, built: Path
) -> None:
    files = {**samples.images(), "micropython.bin": (0x10000, samples.program(400_000, 3))}
    samples.write(built, files)
    board = MockBoard()
    with board.plugged_in("tcp") as port:
        code, err = flash_and_stop(built, port, board)
    assert code == 130
    said = refusal(err)
    assert said.error == (
        f"interrupted: the firmware on the board at {port} is incomplete and will not start"
    )
    assert said.hint == "repeat the command to make it whole; the files on it are untouched"
    with board.plugged_in("tcp") as port:
        done = wedau("flash", "--board", samples.BOARD, "--image", "built", "--port", port)
    assert done.code == 0, done.err


def test_devices_shows_a_chip_without_micropython(wedau: Wedau) -> None:
    with MockBoard(psram_bytes=2 * MB, flash_bytes=16 * MB).plugged_in("pty") as port:
        done = wedau("devices", "--port", port)
    assert done.code == 0, done.err
    assert done.out == (
        f"{port}  given: ESP32-S3, 16 MB of flash, 2 MB of quad PSRAM, no MicroPython answers\n"
    )


@pytest.mark.parametrize("name", definitions.names())
def test_boards_tell_how_to_find_them(name: str, built: Path) -> None:
    loaded = firmware.load(built, samples.BOARD)
    known = known_boards.complete(dataclasses.replace(loaded, usb_ids=(), psram=None), name)
    assert (0x303A, 0x4001) in known.usb_ids
    assert known.psram is not None
    assert known.psram.in_package == (name not in ("M5STACK_CORES3", "UM_FEATHERS3"))


def test_boards_of_other_makers_are_known_at_usb() -> None:
    assert "XIAO ESP32S3" in known_boards.usb_names()[0x2886, 0x0056]


def test_devices_shows_simulated_boards(
    wedau: Wedau, sim_firmware: SimFirmware, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_ports, "comports", list)
    board = boards.start("shown", sim_firmware.elf, sim_firmware.plugin)
    try:
        done = wedau("devices", "--json", "--port", board.port)
    finally:
        boards.stop("shown")
    (said,) = json.loads(done.out)
    assert (said["port"], said["what"]) == (board.port, "simulated: shown")
    assert said["runs"].startswith("MicroPython 1.")
    assert said["chip"] == "simulated ESP32-S3"


def test_devices_says_why_a_port_tells_nothing(wedau: Wedau, place: Path) -> None:
    (place / "data.csv").write_text("x", encoding="ascii")
    done = wedau("devices", "--port", "/dev/nonexistent", "--port", "data.csv")
    assert done.code == 3
    assert done.out.splitlines() == [
        "/dev/nonexistent  given: there is no port /dev/nonexistent",
        "data.csv  given: data.csv is not a serial port",
    ]
