"""Which application starts, and the way back from one that was not confirmed; hostile flashes."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from flashes import OTADATA, SLOTS, TABLE, Board, write_image
from hypothesis import given
from hypothesis import strategies as st

from wedau.build.simboard import SimFirmware
from wedau.errors import SimError
from wedau.flash_map import Partition
from wedau.sim import app_image, direct, flash_image
from wedau.sim.bootloader import (
    ABORTED,
    INVALID,
    NEW,
    PENDING_VERIFY,
    VALID,
    Boot,
    BootLoader,
    NoAppError,
    OtaEntry,
    read_otadata,
    read_table,
)
from wedau.sim.nor import Nor

TWO = app_image.make("2.0", script=b"print('this is two')")
UPDATE = write_image("ota_1", TWO) + "p.set_boot()\n"
WHERE = "import esp32; print(esp32.Partition(esp32.Partition.RUNNING).info()[4])"
CONFIRM = "import esp32; esp32.Partition.mark_app_valid_cancel_rollback()\n"


@pytest.fixture
def board(sim_firmware: SimFirmware, tmp_path: Path) -> Board:
    flash = tmp_path / "flash.bin"
    flash.write_bytes(flash_image.new(TABLE))
    return Board(sim_firmware, flash)


def states(board: Board) -> list[tuple[int, int]]:
    found = read_otadata(bytearray(board.flash.read_bytes()), TABLE)
    assert found
    return [(entry.seq, entry.state) for entry in found]


def test_boot_of_a_new_flash_is_ota_0(board: Board) -> None:
    erased = (0xFFFFFFFF, 0xFFFFFFFF)
    assert states(board) == [erased, erased]
    assert board.says(WHERE) == "ota_0\n"
    assert states(board) == [(1, VALID), erased]


def test_boot_rolls_back_what_was_not_confirmed(board: Board) -> None:
    """Seen on a chip: set_boot, power cycle, ota_1; not confirmed, the next one is ota_0."""
    board.says(UPDATE)
    assert states(board) == [(1, VALID), (2, NEW)]
    assert board.says(WHERE) == "this is two\nota_1\n"
    assert states(board) == [(1, VALID), (2, PENDING_VERIFY)]
    assert board.says(WHERE) == "ota_0\n"
    assert states(board) == [(1, VALID), (2, ABORTED)]
    assert board.says(WHERE) == "ota_0\n"


def test_boot_stays_with_what_was_confirmed(board: Board) -> None:
    board.says(UPDATE)
    board.says(CONFIRM)
    assert states(board) == [(1, VALID), (2, VALID)]
    for _ in range(2):
        assert board.says(CONFIRM + WHERE) == "this is two\nota_1\n"
    three = app_image.make("3.0", script=b"print('this is three')")
    board.says(write_image("ota_0", three) + "p.set_boot()\n")
    assert states(board) == [(3, NEW), (2, VALID)]
    assert board.says(WHERE) == "this is three\nota_0\n"
    assert board.says(WHERE) == "this is two\nota_1\n"


def test_boot_after_a_reset_is_a_boot(board: Board) -> None:
    ended = board.run(UPDATE + "import machine\nif p is not None: machine.reset()", most_boots=1)
    assert (ended.cause, ended.boots) == (direct.RESETS, 1)
    program = f"import machine\nif machine.reset_cause() == 1: machine.reset()\n{WHERE}"
    ended = board.run(program)
    assert (ended.boots, ended.app) == (2, "ota_0")
    assert ended.output == "this is two\nota_0\n"  # the reset was its second boot, unconfirmed


def test_boot_runs_the_firmware_in_the_image(sim_firmware: SimFirmware, tmp_path: Path) -> None:
    table = workable(len(sim_firmware.elf.read_bytes()))
    flash = tmp_path / "flash.bin"
    flash.write_bytes(flash_image.new(table))
    board = Board(sim_firmware, flash)
    board.put("ota_0", app_image.make("1", elf=sim_firmware.elf.read_bytes()), table)
    board.firmware = SimFirmware(tmp_path / "no such firmware", sim_firmware.plugin)
    assert board.says(WHERE) == "ota_0\n"


def workable(elf_bytes: int) -> tuple[Partition, ...]:
    """A table with room for a firmware in ota_0."""
    size = -(-(elf_bytes + 4096) // 0x10000) * 0x10000
    otadata = Partition("otadata", 1, 0, 0xD000, 0x2000)
    app = Partition("ota_0", 0, 0x10, 0x10000, size)
    return otadata, app, Partition("vfs", 1, 0x81, app.end, 0x8000)


@pytest.mark.parametrize("at", [0, 1, 12, 32, 100, len(TWO) - 40, len(TWO) - 1])
def test_boot_skips_an_invalid_image(board: Board, at: int) -> None:
    board.says(UPDATE)
    flash = bytearray(board.flash.read_bytes())
    flash[SLOTS["ota_1"] + at] ^= 4
    board.flash.write_bytes(flash)
    assert board.says(WHERE) == "ota_0\n"


def test_boot_finds_the_only_image_there_is(board: Board) -> None:
    board.put("ota_1", TWO)
    board.put("ota_0", b"")
    assert board.says(WHERE) == "this is two\nota_1\n"
    assert states(board)[0] == (2, VALID)
    board.put("ota_1", TWO[:-1])
    ended = board.run(WHERE)
    assert (ended.cause, ended.boots, ended.output) == (direct.NO_APP, 0, "")


def test_boot_of_a_crashing_application_ends(board: Board) -> None:
    crash = b"import machine\nprint('crash')\nmachine.reset()"
    board.says(write_image("ota_1", app_image.make("3", script=crash)) + "p.set_boot()\n")
    ended = board.run(WHERE)
    assert (ended.output, ended.boots) == ("crash\nota_0\n", 2)


def boot(entries: tuple[bytes, bytes], **images: bytes) -> tuple[Boot | None, bytearray]:
    flash = flash_image.new(TABLE)
    for label, image in images.items():
        flash_image.put(flash, TABLE, label, image)
    flash[OTADATA : OTADATA + 32] = entries[0]
    flash[OTADATA + 4096 : OTADATA + 4096 + 32] = entries[1]
    return BootLoader(Nor(flash)).run(), flash


def entry(seq: int, state: int = VALID, crc: int | None = None) -> bytes:
    return OtaEntry(seq, state, crc).encode()


ERASED = b"\xff" * 32


@pytest.mark.parametrize(
    ("first", "second", "starts"),
    [
        (ERASED, ERASED, "ota_0"),
        (entry(1), ERASED, "ota_0"),
        (entry(2), ERASED, "ota_1"),
        (ERASED, entry(2), "ota_1"),
        (entry(3), entry(2), "ota_0"),
        (entry(3), entry(4), "ota_1"),
        (entry(4, INVALID), entry(3), "ota_0"),
        (entry(4, ABORTED), entry(3), "ota_0"),
        (entry(4, PENDING_VERIFY), entry(3), "ota_0"),
        (entry(4, crc=5), entry(3), "ota_0"),
        (entry(4, crc=5), ERASED, "ota_0"),
        (entry(4, INVALID), entry(2, ABORTED), "ota_0"),
        (entry(4, 0xFFFFFFFF), entry(3), "ota_1"),
        (entry(4, NEW), entry(3), "ota_1"),
        (entry(0), ERASED, "ota_1"),
    ],
)
def test_boot_reads_otadata_as_esp_idf(first: bytes, second: bytes, starts: str) -> None:
    booted, _ = boot((first, second), ota_1=TWO)
    assert booted is not None
    assert booted.partition.label == starts


def test_boot_marks_only_what_it_has_to() -> None:
    _, flash = boot((entry(3), entry(2)), ota_1=TWO)
    assert flash[OTADATA : OTADATA + 32] == entry(3)
    _, flash = boot((entry(3), entry(4, NEW)), ota_1=TWO)
    assert flash[OTADATA + 4096 : OTADATA + 4096 + 32] == entry(4, PENDING_VERIFY)


def test_otadata_has_the_checksum_of_esp_idf() -> None:
    """otatool writes CRC-32 of the sequence number, begun with all ones."""
    assert entry(1)[28:] == bytes.fromhex("9a984347")
    assert entry(2)[28:] == bytes.fromhex("7437f655")


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_boot_takes_any_otadata(first: bytes, second: bytes) -> None:
    booted, _ = boot((first, second))
    assert booted is not None
    assert booted.partition.label == "ota_0"  # the only one with an image


@given(st.data())
def test_boot_takes_any_table(data: st.DataObject) -> None:
    flash = flash_image.new(TABLE)
    for _ in range(data.draw(st.integers(1, 4))):
        flash[0x8000 + data.draw(st.integers(0, 300))] = data.draw(st.integers(0, 255))
    try:
        BootLoader(Nor(flash)).run()
    except (SimError, NoAppError):
        return
    assert read_table(flash) in (TABLE, ())


@given(st.binary(max_size=400))
def test_image_takes_any_bytes(data: bytes) -> None:
    with pytest.raises(app_image.ImageError):
        app_image.read(data)


@given(st.data())
def test_image_takes_any_damage(data: st.DataObject) -> None:
    image = bytearray(TWO)
    at = data.draw(st.integers(0, len(image) - 1))
    image[at] ^= 1 << data.draw(st.integers(0, 7))
    damaged = bytes(image[: data.draw(st.integers(0, len(image)))])
    try:
        app_image.read(damaged)
    except app_image.ImageError:
        return
    assert at == 23 or (at >= len(TWO) - 32 and not damaged[23])  # the flag: there is a hash


def test_image_holds_what_was_put_in() -> None:
    for version, elf, script in (("1", None, None), ("2.0", b"\x7fELF", None), ("3", None, b"x=1")):
        image = app_image.make(version, elf=elf, script=script)
        found = app_image.read(image + b"\xff" * 99)
        assert (found.version, found.size_bytes) == (version, len(image))
        assert found.elf == elf
        assert (found.script or b"").rstrip() == (script or b"")
        assert image[0] == 0xE9 and struct.unpack_from("<I", image, 32)[0] == 0xABCD5432


@pytest.mark.parametrize("version", ["x" * 32, "ä", "a\0"])
def test_image_refuses_a_version(version: str) -> None:
    with pytest.raises(SimError, match="cannot be the version"):
        app_image.make(version)


def _unaligned(flash: bytearray) -> None:
    flash[0x8000:0x8C00] = flash_image.encode([Partition("a", 1, 6, 0x9100, 0x1000)])


def _outside(flash: bytearray) -> None:
    flash[0x8000:0x8C00] = flash_image.encode([Partition("a", 1, 6, 0x9000, 0x1000000)])


def _over_the_table(flash: bytearray) -> None:
    flash[0x8000:0x8C00] = flash_image.encode([Partition("a", 1, 6, 0x8000, 0x1000)])


def _changed(flash: bytearray) -> None:
    flash[0x8004] ^= 1


@pytest.mark.parametrize("damage", [_unaligned, _outside, _over_the_table, _changed])
def test_table_that_is_damaged(board: Board, damage: Callable[[bytearray], None]) -> None:
    flash = bytearray(board.flash.read_bytes())
    damage(flash)
    board.flash.write_bytes(flash)
    with pytest.raises(SimError, match="the flash's partition table is damaged"):
        board.run("print(1)")
