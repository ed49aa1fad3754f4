"""A firmware to flash: a folder with a manifest, or a merged file; checked in full when loaded."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wedau import files, flash_map
from wedau.device.chips import KINDS, MB, Psram
from wedau.errors import DataError
from wedau.flash_map import SECTOR_BYTES, TABLE_BYTES, TABLE_OFFSET, Partition

MANIFEST = "manifest.json"
MANIFEST_VERSION = 1

_CHIP_IDS = {"esp32s3": 9}  # esp_chip_id_t, in the header of every program
_MAGIC = 0xE9
_HEADER_BYTES = 24
_LARGEST_FLASH = 32 * MB
_LARGEST_MANIFEST = 1 * MB
_NAME = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]{0,99}")
_AGAIN = "copy the whole folder again, or build it again: wedau firmware build"


@dataclass(frozen=True)
class Image:
    """Bytes for one place in the flash.

    Attributes:
        name: its file, or the partition's label.
        offset: where it goes; a multiple of 4096.
        data: the bytes.
    """

    name: str
    offset: int
    data: bytes

    @property
    def end(self) -> int:
        """The first offset behind what is erased for it."""
        return -(-(self.offset + len(self.data)) // SECTOR_BYTES) * SECTOR_BYTES


@dataclass(frozen=True)
class Firmware:
    """What to write onto which board.

    Attributes:
        board: the board's name; None for a file that does not tell.
        version: for people; may be empty.
        chip: ESP-IDF's name of the chip, such as "esp32s3".
        flash_bytes: the flash that it is built for.
        psram: the PSRAM that it is built for; None for a file that does not tell.
        usb_ids: vendor and product of the board at USB; may be empty.
        images: what to write, in the order of the offsets.
        partitions: the partition table among the images.
    """

    board: str | None
    version: str
    chip: str
    flash_bytes: int
    psram: Psram | None
    usb_ids: tuple[tuple[int, int], ...]
    images: tuple[Image, ...]
    partitions: tuple[Partition, ...]

    @property
    def title(self) -> str:
        """Its name for people."""
        return f"{self.board or 'the firmware'} {self.version}".strip()

    @property
    def size_bytes(self) -> int:
        """Bytes of all images."""
        return sum(len(image.data) for image in self.images)


def load(path: Path, board: str) -> Firmware:
    """Load a firmware for a board and check all of it.

    Args:
        path: a folder with manifest.json, a folder with such a folder for each board, or a
            merged .bin file for offset 0.
        board: the board's name.

    Raises:
        DataError: it cannot be read, is damaged, or is for another board.
    """
    if not path.is_dir():
        return _load_merged(path)
    folder = path if (path / MANIFEST).is_file() else path / board
    if not (folder / MANIFEST).is_file():
        built = sorted(p.parent.name for p in path.glob(f"*/{MANIFEST}"))
        here = f"there are: {', '.join(built)}" if built else "it has no manifest.json"
        raise DataError(
            f"{path} holds no firmware for {board}: {here}",
            f"give '--image' the folder that 'wedau firmware build --board {board}' made",
        )
    firmware = _load_folder(folder)
    if firmware.board != board:
        raise DataError(
            f"{folder} holds a firmware for {firmware.board}, not for {board}",
            f"give --board {firmware.board}, or the folder of {board}",
        )
    return firmware


def _load_folder(folder: Path) -> Firmware:
    manifest = folder / MANIFEST
    try:
        content = json.loads(_read(manifest, _LARGEST_MANIFEST))
    except (ValueError, RecursionError):
        raise DataError(f"{manifest} is not JSON", _AGAIN) from None
    try:
        firmware = _from_manifest(content, folder)
        _check_images(firmware)
    except _ProblemError as problem:
        raise DataError(f"{manifest}: {problem}", _AGAIN) from None
    return firmware


class _ProblemError(ValueError):
    """What is wrong with a manifest or an image."""


def _from_manifest(content: Any, folder: Path) -> Firmware:
    version = _field(content, "manifest_version", int)
    if version != MANIFEST_VERSION:
        raise _ProblemError(f"manifest_version is {version}, this Wedau reads {MANIFEST_VERSION}")
    chip = _field(content, "chip", str)
    if chip not in _CHIP_IDS:
        raise _ProblemError(f"the chip {chip!r} is not one of {', '.join(_CHIP_IDS)}")
    flash_bytes = _number(content, "flash_bytes", MB, _LARGEST_FLASH)
    kind = _field(content, "psram_kind", str)
    psram_bytes = _number(content, "psram_bytes", 0, _LARGEST_FLASH)
    if kind not in KINDS or (kind == "none") != (psram_bytes == 0):
        raise _ProblemError(f"{psram_bytes} bytes of PSRAM of the kind {kind!r} do not exist")
    in_package = content.get("psram_in_package", Psram.exists_in_package(kind, psram_bytes))
    if not isinstance(in_package, bool):
        raise _ProblemError("psram_in_package is neither true nor false")
    images = [_image(entry, folder) for entry in _field(content, "images", list)]
    images.sort(key=lambda image: image.offset)
    return Firmware(
        board=_name(content, "board"),
        version=_text(content.get("version", "")),
        chip=chip,
        flash_bytes=flash_bytes,
        psram=Psram(kind, psram_bytes, in_package),
        usb_ids=tuple(_usb_id(entry) for entry in _list(content.get("usb_ids", []))),
        images=tuple(images),
        partitions=_partitions(images),
    )


def _field(content: Any, key: str, kind: type) -> Any:
    if not isinstance(content, dict):
        raise _ProblemError("an entry is no object with keys")
    if key not in content:
        raise _ProblemError(f"{key} is missing")
    value = content[key]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise _ProblemError(f"{key} is {str(value)[:40]!r}, which is no {_WORDS[kind]}")
    return value


_WORDS = {int: "whole number", str: "text", list: "list"}


def _number(content: Any, key: str, lowest: int, highest: int) -> int:
    value = _field(content, key, int)
    if not lowest <= value <= highest:
        raise _ProblemError(f"{key} is not between {lowest} and {highest}")
    return int(value)


def _name(content: Any, key: str) -> str:
    name = _field(content, key, str)
    if not _NAME.fullmatch(name) or not name.strip("."):
        raise _ProblemError(f"{key} is {name[:40]!r}, which is no plain name")
    return str(name)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable() or len(value) > 200:
        raise _ProblemError("version is no line of text")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _ProblemError("usb_ids is no list")
    return value


def _usb_id(entry: Any) -> tuple[int, int]:
    if not isinstance(entry, str) or not re.fullmatch(r"[0-9A-Fa-f]{4}:[0-9A-Fa-f]{4}", entry):
        raise _ProblemError("an entry of usb_ids is not like '303A:1001'")
    return int(entry[:4], 16), int(entry[5:], 16)


def _image(entry: Any, folder: Path) -> Image:
    name = _name(entry, "file")
    offset = _number(entry, "offset", 0, _LARGEST_FLASH)
    size = _number(entry, "size", 1, _LARGEST_FLASH)
    data = _read(folder / name, _LARGEST_FLASH)
    if len(data) != size:
        raise _ProblemError(f"{name} has {len(data)} bytes, the manifest says {size}")
    if hashlib.sha256(data).hexdigest() != _field(entry, "sha256", str).lower():
        raise _ProblemError(f"{name} is damaged: its hash is not the manifest's")
    return Image(name, offset, data)


def _read(path: Path, limit_bytes: int) -> bytes:
    try:
        return files.read(path, limit_bytes, DataError, _AGAIN)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", _AGAIN) from None


def _partitions(images: Sequence[Image]) -> tuple[Partition, ...]:
    for image in images:
        if image.offset <= TABLE_OFFSET < image.offset + len(image.data):
            start = TABLE_OFFSET - image.offset
            return _table(image.data[start : start + TABLE_BYTES])
    raise _ProblemError(f"no image holds the partition table, at {TABLE_OFFSET:#x}")


def _table(data: bytes) -> tuple[Partition, ...]:
    try:
        partitions = flash_map.parse(data)
    except flash_map.TableError as error:
        raise _ProblemError(f"the partition table is damaged: {error}") from None
    if not any(partition.is_app for partition in partitions):
        raise _ProblemError("the partition table has no place for a program")
    return partitions


def _check_images(firmware: Firmware) -> None:
    end = 0
    for image in firmware.images:
        if image.offset % SECTOR_BYTES:
            raise _ProblemError(f"{image.name} is not at a multiple of {SECTOR_BYTES}")
        if image.offset < end:
            raise _ProblemError(f"{image.name} overlaps the image before it")
        end = image.end
    last = max([end, *(partition.end for partition in firmware.partitions)])
    if last > firmware.flash_bytes:
        raise _ProblemError(f"it needs {last} bytes of flash, the board has {firmware.flash_bytes}")
    _check_program(firmware, 0, TABLE_OFFSET, "the boot loader")
    apps = [p for p in firmware.partitions if p.is_app]
    present = [p for p in apps if any(i.offset == p.offset for i in firmware.images)]
    if not present:
        raise _ProblemError("no image holds a program")
    for app in present:
        _check_program(firmware, app.offset, app.end, app.label)
    for partition in flash_map.with_file_system(firmware.partitions, firmware.flash_bytes):
        _check_partition(firmware, partition)


def _check_partition(firmware: Firmware, partition: Partition) -> None:
    touching = [i for i in firmware.images if partition.overlaps(i.offset, i.end)]
    if partition.is_users and touching:
        raise _ProblemError(f"{touching[0].name} would overwrite the user's {partition.label}")
    if partition.is_otadata and not any(
        i.offset <= partition.offset and partition.end <= i.end for i in touching
    ):
        raise _ProblemError(f"no image holds {partition.label}, which says which program starts")


def _check_program(firmware: Firmware, start: int, end: int, what: str) -> None:
    """Check what an image's header says, and that it ends before what follows."""
    image = next((i for i in firmware.images if i.offset == start), None)
    if image is None:
        raise _ProblemError(f"no image holds {what}, at {start:#x}")
    if image.end > end:
        raise _ProblemError(f"{image.name} is too large for {what}")
    if len(image.data) < _HEADER_BYTES or image.data[0] != _MAGIC:
        raise _ProblemError(f"{image.name} is no program for an ESP32")
    chip_id = int.from_bytes(image.data[12:14], "little")
    if chip_id != _CHIP_IDS[firmware.chip]:
        raise _ProblemError(f"{image.name} is for another chip (number {chip_id})")


def _load_merged(path: Path) -> Firmware:
    """Load a file for offset 0, as MicroPython publishes them; its user parts are left out."""
    data = _read(path, _LARGEST_FLASH)
    try:
        firmware = _from_merged(data)
        _check_images(firmware)
    except _ProblemError as problem:
        raise DataError(
            f"{path}: {problem}",
            "give a merged image that starts with the boot loader, or a folder with manifest.json",
        ) from None
    return firmware


def _from_merged(data: bytes) -> Firmware:
    if len(data) < _HEADER_BYTES or data[0] != _MAGIC:
        raise _ProblemError("it is no program for an ESP32")
    chip_id = int.from_bytes(data[12:14], "little")
    chip = next((name for name, number in _CHIP_IDS.items() if number == chip_id), None)
    if chip is None:
        raise _ProblemError(f"it is not for an ESP32-S3 (its chip has the number {chip_id})")
    if len(data) < TABLE_OFFSET + TABLE_BYTES:
        raise _ProblemError("it is a program without boot loader and partition table")
    partitions = _table(data[TABLE_OFFSET : TABLE_OFFSET + TABLE_BYTES])
    whole = Image("merged", 0, data)
    places = [("bootloader", 0, TABLE_OFFSET), ("table", TABLE_OFFSET, TABLE_OFFSET + TABLE_BYTES)]
    places += [(p.label, p.offset, p.end) for p in partitions if not _left_out(p, whole)]
    pieces = [Image(label, start, data[start:end]) for label, start, end in places]
    images = sorted((p for p in pieces if p.data), key=lambda image: image.offset)
    return Firmware(
        board=None,
        version="",
        chip=chip,
        flash_bytes=MB << (data[3] >> 4 & 7),
        psram=None,
        usb_ids=(),
        images=tuple(images),
        partitions=partitions,
    )


def _left_out(partition: Partition, whole: Image) -> bool:
    """Leave out what is erased in the file, and what would be written over the user's parts."""
    content = whole.data[partition.offset : partition.end]
    erased = not content.strip(b"\xff")
    if partition.is_users and not erased:
        raise _ProblemError(f"it would overwrite the user's {partition.label}")
    return erased and not partition.is_otadata
