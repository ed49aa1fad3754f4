"""Flashing through esptool onto a boot loader that answers as the chip's does."""

import contextlib
from pathlib import Path

import pytest
import serial

import firmware_samples as samples
from mock_board import MB, MockBoard
from wedau.device import chips, esptool, firmware, flashing
from wedau.errors import CheckError, DeviceError, NoDeviceError

FILES = b"what the user keeps on the board"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> firmware.Firmware:
    return firmware.load(samples.write(tmp_path_factory.mktemp("built")), samples.BOARD)


@pytest.fixture
def board() -> MockBoard:
    """A board with files of the user's, and settings."""
    board = MockBoard()
    board.flash.data[samples.VFS : samples.VFS + len(FILES)] = FILES
    board.flash.data[0x9000 : 0x9000 + len(FILES)] = FILES
    return board


def holds(board: MockBoard) -> bool:
    """Whether the firmware is on the board, whole."""
    return all(
        board.flash.data[offset : offset + len(data)] == data
        for offset, data in samples.images().values()
    )


def files_are_kept(board: MockBoard) -> bool:
    places = (samples.VFS, 0x9000)
    return all(board.flash.data[at : at + len(FILES)] == FILES for at in places)


@pytest.mark.parametrize("transport", ["tcp", "pty"])
def test_flash_writes_all_and_keeps_the_files(
    board: MockBoard, built: firmware.Firmware, transport: str
) -> None:
    seen: list[tuple[int, int]] = []
    with board.plugged_in(transport) as port:
        done = flashing.flash(built, port, on_progress=lambda *now: seen.append(now))
    assert holds(board)
    assert files_are_kept(board)
    assert done.written_bytes == sum(len(data) for _, data in samples.images().values())
    assert (done.chip.name, done.chip.flash_bytes) == ("ESP32-S3", 4 * MB)
    assert seen == sorted(seen)
    assert seen[-1] == (done.written_bytes, done.written_bytes)


def test_flash_erases_all_when_asked(board: MockBoard, built: firmware.Firmware) -> None:
    with board.plugged_in("tcp") as port:
        assert flashing.flash(built, port, erase=True).erased
    assert holds(board)
    assert not board.flash.data[samples.VFS :].strip(b"\xff")


def test_flash_that_was_cut_off_says_so_and_works_again(
    board: MockBoard, built: firmware.Firmware
) -> None:
    """The port disappears; over TCP, tests/cli/test_flash.py interrupts one."""
    with board.plugged_in("pty", pull_after=5) as port:
        with pytest.raises(DeviceError) as caught:
            flashing.flash(built, port)
        assert caught.value.exit_code == 1
        assert caught.value.message == (
            f"the firmware on the board at {port} is incomplete and will not start: "
            "the connection broke off"
        )
        assert "repeat the command" in caught.value.hint
        assert "the files on it are untouched" in caught.value.hint
    assert not holds(board)
    assert files_are_kept(board)
    with board.plugged_in("pty") as port:
        flashing.flash(built, port)
    assert holds(board)
    assert files_are_kept(board)


@pytest.mark.parametrize(
    ("other", "problem"),
    [
        (MockBoard(chip="esp32"), "it is for the chip esp32s3, and this is an ESP32"),
        (MockBoard(chip="esp32c3"), "it is for the chip esp32s3, and this is an ESP32-C3"),
        (
            MockBoard(flash_bytes=8 * MB),
            "it is for 4 MB of flash, and this chip has 8 MB",
        ),
        (
            MockBoard(psram_bytes=8 * MB),
            "it is for no PSRAM, and this chip has 8 MB of octal PSRAM in its package",
        ),
    ],
    ids=["esp32", "esp32c3", "flash", "psram"],
)
def test_flash_refuses_another_chip(
    built: firmware.Firmware, other: MockBoard, problem: str
) -> None:
    with other.plugged_in("tcp") as port, pytest.raises(CheckError) as caught:
        flashing.flash(built, port)
    title = f"{samples.BOARD} 1.28.0"
    assert caught.value.message == f"{title} is not for the board at {port}: {problem}"
    assert caught.value.exit_code == 4
    assert not other.flash.data.strip(b"\xff")


def test_flash_takes_the_psram_that_it_was_built_for(tmp_path: Path) -> None:
    board = MockBoard(psram_bytes=2 * MB)
    quad = samples.write(tmp_path, psram_kind="quad", psram_bytes=2 * MB)
    with board.plugged_in("tcp") as port:
        done = flashing.flash(firmware.load(quad, samples.BOARD), port)
    assert done.chip.psram == chips.Psram("quad", 2 * MB)
    assert holds(board)


def test_flash_refuses_to_lose_files_that_lie_elsewhere(
    board: MockBoard, built: firmware.Firmware
) -> None:
    """As on a board that comes from MicroPython's own firmware."""
    board.flash.data[0x8000:0x8C00] = samples.table(samples.STOCK)
    board.flash.data[0x200000 : 0x200000 + len(FILES)] = FILES
    before = bytes(board.flash.data)
    with board.plugged_in("tcp") as port:
        with pytest.raises(CheckError) as caught:
            flashing.flash(built, port)
        assert f"the files on the board at {port} would be lost" in caught.value.message
        assert "--erase" in caught.value.hint
        assert board.flash.data == before
        flashing.flash(built, port, erase=True)
    assert holds(board)


def test_flash_takes_a_board_without_files_whatever_its_table(built: firmware.Firmware) -> None:
    board = MockBoard()
    board.flash.data[0x8000:0x8C00] = samples.table(samples.STOCK)
    with board.plugged_in("tcp") as port:
        flashing.flash(built, port)
    assert holds(board)


@pytest.mark.parametrize("transport", ["tcp", "pty"])
def test_flash_without_an_answer(built: firmware.Firmware, transport: str) -> None:
    with MockBoard(is_deaf=True).plugged_in(transport) as port:
        with pytest.raises(NoDeviceError) as caught:
            flashing.flash(built, port)
        assert caught.value.message == f"no boot loader answers at {port}"
        assert "hold BOOT" in caught.value.hint


def test_flash_without_a_port(built: firmware.Firmware) -> None:
    with pytest.raises(NoDeviceError, match="there is no port /dev/nonexistent"):
        flashing.flash(built, "/dev/nonexistent")
    with pytest.raises(NoDeviceError, match="the port socket://127.0.0.1:1 cannot be opened"):
        flashing.flash(built, "socket://127.0.0.1:1")


def test_flash_at_a_busy_port(board: MockBoard, built: firmware.Firmware) -> None:
    with (
        board.plugged_in("pty") as port,
        contextlib.closing(serial.Serial(port, exclusive=True)),
        pytest.raises(DeviceError, match=f"{port} is in use by "),
    ):
        flashing.flash(built, port)


def test_flash_is_not_believed_without_the_verified_hashes(
    board: MockBoard, built: firmware.Firmware, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = esptool.run
    monkeypatch.setattr(
        esptool,
        "run",
        lambda *args, **more: [line for line in run(*args, **more) if "verified" not in line],
    )
    with board.plugged_in("tcp") as port, pytest.raises(DeviceError) as caught:
        flashing.flash(built, port)
    assert "0 of 4 images were verified" in caught.value.message
