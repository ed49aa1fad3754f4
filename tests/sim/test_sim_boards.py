"""Starting, listing and stopping boards; what a crash looks like; errors in words."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from calls import call_mpremote

from wedau.build.simboard import SimFirmware
from wedau.errors import SimError
from wedau.sim import boards, qemu


@pytest.fixture(autouse=True)
def cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sim_firmware: SimFirmware
) -> Iterator[None]:
    """An empty cache folder: no board but ours."""
    monkeypatch.setenv("WEDAU_CACHE", str(tmp_path / "cache"))
    yield
    for board in boards.running():
        boards.stop(board.name)


def _start(firmware: SimFirmware, name: str | None = "one", **options: object) -> boards.SimBoard:
    return boards.start(name, firmware.elf, firmware.plugin, **options)  # type: ignore[arg-type]


def test_boards_are_listed_while_they_run(sim_firmware: SimFirmware) -> None:
    assert boards.running() == []
    one = _start(sim_firmware)
    other = _start(sim_firmware, None)
    assert boards.running() == [one, other]
    assert other.name == "sim1"
    assert Path(one.port).is_char_device()
    boards.stop("one")
    assert boards.running() == [other]
    assert one.crashed == "it was stopped"


def test_boards_side_by_side_do_not_mix(sim_firmware: SimFirmware) -> None:
    one, two = _start(sim_firmware, "one"), _start(sim_firmware, "two")
    for board in (one, two):
        source = f"f = open('/name', 'w'); f.write('{board.name}'); f.close()"
        call_mpremote(board.port, "exec", source)
    ids = set()
    for board in (one, two):
        source = "import machine; print(open('/name').read(), machine.unique_id().hex())"
        name, unique_id = call_mpremote(board.port, "exec", source).split()
        assert name == board.name
        ids.add(unique_id)
    assert len(ids) == 2


def test_boards_keep_their_files_over_a_restart(sim_firmware: SimFirmware) -> None:
    board = _start(sim_firmware)
    call_mpremote(board.port, "exec", "f = open('/kept', 'w'); f.write('x' * 99999); f.close()")
    boards.stop("one")
    board = _start(sim_firmware)
    assert call_mpremote(board.port, "exec", "print(len(open('/kept').read()))") == "99999\n"


def test_boards_take_a_flash_file_and_its_size(sim_firmware: SimFirmware, tmp_path: Path) -> None:
    flash = tmp_path / "my, flash.bin"
    board = _start(sim_firmware, flash=flash, flash_bytes=1 << 20)
    assert flash.stat().st_size == 1 << 20
    assert "1048576" in call_mpremote(board.port, "df")
    with pytest.raises(SimError, match="is used by another simulated board"):
        _start(sim_firmware, "two", flash=flash)
    boards.stop("one")
    with pytest.raises(SimError, match="has 1048576 bytes, not 2097152"):
        _start(sim_firmware, flash=flash, flash_bytes=2 << 20)
    assert _start(sim_firmware, flash=flash).flash == flash


def test_boards_of_one_name_cannot_run_twice(sim_firmware: SimFirmware) -> None:
    board = _start(sim_firmware)
    with pytest.raises(SimError) as error:
        _start(sim_firmware)
    assert error.value.message == f"a simulated board called one is already running at {board.port}"
    assert "wedau sim stop one" in error.value.hint


@pytest.mark.parametrize("name", ["", "../x", "a b", "-a", "a/b", "x" * 33, "ä"])
def test_boards_names_are_checked(sim_firmware: SimFirmware, name: str) -> None:
    with pytest.raises(SimError, match="cannot be the name of a board"):
        _start(sim_firmware, name)


@pytest.mark.parametrize(
    "options", [{"heap_bytes": 1000}, {"heap_bytes": 1 << 40}, {"flash_bytes": 5000}]
)
def test_boards_sizes_are_checked(sim_firmware: SimFirmware, options: dict[str, int]) -> None:
    with pytest.raises(SimError, match="bytes is not possible"):
        _start(sim_firmware, **options)
    assert boards.running() == []


def test_boards_that_do_not_run_cannot_be_stopped() -> None:
    with pytest.raises(SimError, match="no simulated board called one is running"):
        boards.stop("one")


def test_boards_without_qemu(sim_firmware: SimFirmware, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(SimError) as error:
        _start(sim_firmware)
    assert error.value.message == "qemu-xtensa was not found"
    assert "qemu-user" in error.value.hint


@pytest.mark.parametrize("system", ["win32", "darwin"])
def test_boards_on_another_system(
    sim_firmware: SimFirmware, monkeypatch: pytest.MonkeyPatch, system: str
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    with pytest.raises(SimError) as error:
        _start(sim_firmware)
    assert "the simulated board needs Linux" in error.value.message
    assert "WSL" in error.value.hint


def test_boards_firmware_that_does_not_start(sim_firmware: SimFirmware, tmp_path: Path) -> None:
    broken = tmp_path / "broken.elf"
    broken.write_bytes(b"no ELF file")
    broken.chmod(0o755)
    with pytest.raises(SimError, match="the simulated board did not start: qemu-xtensa ended with"):
        boards.start("one", broken, sim_firmware.plugin)
    assert boards.running() == []


_CRASH = """
@micropython.viper
def crash():
    ptr32(16)[0] = 1
crash()
"""


def test_boards_tell_that_they_crashed(sim_firmware: SimFirmware) -> None:
    board = _start(sim_firmware)
    assert board.crashed is None
    call_mpremote(board.port, "exec", "--no-follow", _CRASH)
    for _ in range(100):
        if board.crashed:
            break
        time.sleep(0.05)
    assert board.crashed == "qemu-xtensa was ended by SIGSEGV"
    assert [b.crashed for b in boards.running()] == [board.crashed]
    with pytest.raises(SimError, match="has crashed"):
        _start(sim_firmware)
    for _ in range(100):
        if not Path(board.port).exists():
            break
        time.sleep(0.05)
    assert call_mpremote(board.port, "exec", "print(1)", code=1) == ""  # and does not hang
    boards.stop("one")
    board = _start(sim_firmware)
    assert call_mpremote(board.port, "exec", "print(1)") == "1\n"


def test_boards_crash_is_told_on_the_line(sim_firmware: SimFirmware) -> None:
    import serial

    board = _start(sim_firmware)
    with serial.Serial(board.port, timeout=10) as line:
        line.write(b"\r\x03\x02\x05" + _CRASH.encode().replace(b"\n", b"\r") + b"\x04")
        told = b"FATAL: the simulated board crashed: qemu-xtensa was ended by SIGSEGV\r\n"
        assert told in line.read_until(told)
        with pytest.raises((OSError, serial.SerialException)):  # nobody waits for an answer
            line.read(1)
            line.read(1)


def test_boards_end_with_their_bridge(sim_firmware: SimFirmware) -> None:
    board = _start(sim_firmware)
    children = Path(f"/proc/{board.pid}/task/{board.pid}/children").read_text().split()
    os.kill(board.pid, signal.SIGKILL)
    for _ in range(100):
        if not boards.running() and not Path("/proc", children[0]).exists():
            break
        time.sleep(0.05)
    assert boards.running() == []
    assert not Path("/proc", children[0]).exists()
    assert call_mpremote(_start(sim_firmware).port, "exec", "print(1)") == "1\n"


def test_boards_leave_nothing_but_the_flash_and_a_log(sim_firmware: SimFirmware) -> None:
    _start(sim_firmware)
    boards.stop("one")
    left = sorted(path.name for path in (boards.boards_dir() / "one").iterdir())
    assert left == ["bridge.log", "flash.bin", "lock"]


def test_boards_temporary_ones_leave_nothing(sim_firmware: SimFirmware) -> None:
    with boards.board(sim_firmware.elf, sim_firmware.plugin) as board:
        assert board in boards.running()
    assert list(boards.boards_dir().iterdir()) == []


def test_bridge_explains_a_fatal_error() -> None:
    assert qemu.explain(70) == "its firmware stopped with a fatal error"
    assert qemu.explain(3) == "qemu-xtensa ended with exit code 3"
