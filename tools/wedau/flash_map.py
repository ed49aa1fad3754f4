"""The partition table in a chip's flash: what lies where, and what of it is the user's."""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass

TABLE_OFFSET = 0x8000
TABLE_BYTES = 0xC00
SECTOR_BYTES = 4096

_ENTRY_BYTES = 32
_ENTRY = b"\xaa\x50"
_CHECKSUM = b"\xeb\xeb" + b"\xff" * 14
_END = b"\xff" * _ENTRY_BYTES

_APP, _DATA = 0, 1
_LABEL_BYTES = 16
_OTADATA, _NVS = 0x00, 0x02
_FILE_SYSTEMS = (0x81, 0x82, 0x83)  # FAT, SPIFFS, littlefs
_FILE_SYSTEM_LABELS = ("vfs", "ffat")  # those that MicroPython mounts, whatever their subtype

# ESP-IDF's names, as in a table's description.
KINDS = {"app": _APP, "data": _DATA}
SUBTYPES = {
    "app": {"factory": 0x00, "test": 0x20, **{f"ota_{i}": 0x10 + i for i in range(16)}},
    "data": {
        "ota": _OTADATA,
        "phy": 0x01,
        "nvs": _NVS,
        "undefined": 0x06,
        "fat": _FILE_SYSTEMS[0],
        "spiffs": _FILE_SYSTEMS[1],
        "littlefs": _FILE_SYSTEMS[2],
    },
}


class TableError(ValueError):
    """Bytes are no partition table."""


@dataclass(frozen=True)
class Partition:
    """A part of the flash.

    Attributes:
        label: its name.
        kind: ESP-IDF's type; 0 is a program, 1 data.
        subtype: ESP-IDF's subtype.
        offset: where it starts.
        size_bytes: how long it is.
    """

    label: str
    kind: int
    subtype: int
    offset: int
    size_bytes: int

    @property
    def end(self) -> int:
        """The first offset behind it."""
        return self.offset + self.size_bytes

    @property
    def is_app(self) -> bool:
        """Whether it holds a program."""
        return self.kind == _APP

    @property
    def is_otadata(self) -> bool:
        """Whether it says which program starts."""
        return self.kind == _DATA and self.subtype == _OTADATA

    @property
    def is_file_system(self) -> bool:
        """Whether the user's files lie in it."""
        if self.kind != _DATA:
            return False
        return self.subtype in _FILE_SYSTEMS or self.label in _FILE_SYSTEM_LABELS

    @property
    def is_users(self) -> bool:
        """Whether it holds what the user put there: files or settings (NVS)."""
        return self.is_file_system or (self.kind == _DATA and self.subtype == _NVS)

    def overlaps(self, start: int, end: int) -> bool:
        """Whether a range of the flash, its end not included, touches it."""
        return start < self.end and self.offset < end


def parse(data: bytes) -> tuple[Partition, ...]:
    """Read a partition table as it lies in the flash.

    Args:
        data: from TABLE_OFFSET on; what follows the table's end is ignored.

    Returns:
        The partitions; none where the flash is erased.

    Raises:
        TableError: it is damaged, or no table.

    Source: ESP-IDF, components/partition_table/gen_esp32part.py.
    """
    found: list[Partition] = []
    for at in range(0, TABLE_BYTES, _ENTRY_BYTES):
        entry = data[at : at + _ENTRY_BYTES]
        if entry == _END:
            return tuple(found)
        if entry[:16] == _CHECKSUM:
            if entry[16:] != hashlib.md5(data[:at], usedforsecurity=False).digest():
                raise TableError("its checksum does not match")
        elif entry[:2] == _ENTRY and len(entry) == _ENTRY_BYTES:
            found.append(_partition(entry))
        else:
            raise TableError(f"there is no entry at byte {at}")
    return tuple(found)


def encode(table: Sequence[Partition]) -> bytes:
    """Return a partition table as it lies in the flash from TABLE_OFFSET on; parse() reads it.

    Args:
        table: at most 94 partitions; labels are ASCII of at most 16 characters.

    Returns:
        TABLE_BYTES bytes.

    Source: ESP-IDF, components/partition_table/gen_esp32part.py.
    """
    entries = b"".join(_entry(partition) for partition in table)
    digest = hashlib.md5(entries, usedforsecurity=False).digest()
    return (entries + _CHECKSUM + digest).ljust(TABLE_BYTES, b"\xff")


def _entry(partition: Partition) -> bytes:
    label = partition.label.encode("ascii").ljust(_LABEL_BYTES, b"\0")
    place = struct.pack("<II", partition.offset, partition.size_bytes)
    return _ENTRY + bytes((partition.kind, partition.subtype)) + place + label + bytes(4)


def _partition(entry: bytes) -> Partition:
    label = entry[12:28].split(b"\0")[0]
    if not label.isascii() or not label.decode("ascii").isprintable():
        raise TableError("a label is no text")
    return Partition(
        label=label.decode("ascii"),
        kind=entry[2],
        subtype=entry[3],
        offset=int.from_bytes(entry[4:8], "little"),
        size_bytes=int.from_bytes(entry[8:12], "little"),
    )


def with_file_system(table: Sequence[Partition], flash_bytes: int) -> tuple[Partition, ...]:
    """Add the file system that MicroPython makes of the rest of the flash where there is none.

    Source: MicroPython, boardctrl_startup() in ports/esp32/main.c.
    """
    end = max((partition.end for partition in table), default=flash_bytes)
    if end >= flash_bytes or any(p.label in _FILE_SYSTEM_LABELS for p in table):
        return tuple(table)
    return (*table, Partition("vfs", _DATA, _FILE_SYSTEMS[0], end, flash_bytes - end))


def moved(before: Sequence[Partition], after: Sequence[Partition]) -> list[Partition]:
    """Return the file systems of one table that are not at the same place in the other."""
    kept = {(p.offset, p.size_bytes) for p in after if p.is_file_system}
    return [p for p in before if p.is_file_system and (p.offset, p.size_bytes) not in kept]
