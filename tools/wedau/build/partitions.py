"""Partition tables of the ESP32-S3: read from a description, checked, and drawn for people."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from wedau.errors import BuildError

TABLE_END = 0x9000  # boot loader from 0, the table itself from 0x8000
_SECTOR = 0x1000
_APP_ALIGNMENT = 0x10000  # what the flash's memory map needs
_NAME_BYTES = 15
_PAIRS = (("ota_0", "ota_1"), ("model_0", "model_1"))
# The smallest size of each partition that has to be there; otadata has to have just this one.
_LEAST_BYTES = {
    "nvs": 0x3000,
    "otadata": 0x2000,
    "phy_init": 0x1000,
    "ota_0": 0x100000,
    "ota_1": 0x100000,
    "model_0": 0x10000,
    "model_1": 0x10000,
    "vfs": 0x40000,
}
_PURPOSE = {
    "nvs": "settings of the radio and of ESP-IDF",
    "otadata": "which firmware starts",
    "phy_init": "calibration of the radio",
    "ota_0": "firmware",
    "ota_1": "firmware, the other one",
    "model_0": "model",
    "model_1": "model, the other one",
    "vfs": "files",
}


@dataclass(frozen=True)
class Partition:
    """A part of the flash; offset and size are bytes."""

    name: str
    kind: str
    subtype: str
    offset: int
    size: int

    @property
    def end(self) -> int:
        """The offset of the first byte behind it."""
        return self.offset + self.size


def parse(text: str) -> list[Partition]:
    """Read a table as ESP-IDF's CSV; where an offset is missing, it follows the one before.

    Args:
        text: lines of name, type, subtype, offset, size; numbers as in Python, with K or M behind.

    Returns:
        The partitions in the order of the text.

    Raises:
        BuildError: a line has too few fields, a number is none, or a size is missing.

    Source: "Partition Tables" in ESP-IDF's programming guide.
    """
    table: list[Partition] = []
    end = TABLE_END
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        partition = _parse_line(line, number, end)
        table.append(partition)
        end = partition.end
    return table


def _parse_line(line: str, number: int, end: int) -> Partition:
    fields = [field.strip() for field in line.split(",")]
    if len(fields) < 5:
        raise BuildError(
            f"partition table, line {number}: {len(fields)} fields, there have to be 5",
            "write name, type, subtype, offset, size",
        )
    name, kind, subtype, offset, size = fields[:5]
    alignment = _alignment(kind)
    start = _number(offset, number) if offset else -(-end // alignment) * alignment
    return Partition(name, kind, subtype, start, _number(size, number))


def _number(text: str, line: int) -> int:
    match = re.fullmatch(r"(0x[0-9a-f]+|\d+)([km]?)", text.lower())
    if not match:
        raise BuildError(
            f"partition table, line {line}: '{text}' is not a number of bytes",
            "write for example 0x10000 or 64K",
        )
    return int(match[1], 0) * {"": 1, "k": 1024, "m": 1024 * 1024}[match[2]]


def _alignment(kind: str) -> int:
    return _APP_ALIGNMENT if kind == "app" else _SECTOR


def problems(table: list[Partition], flash_bytes: int, image_bytes: int) -> list[str]:
    """Say what is wrong with a table; an empty list where it is sound.

    Args:
        table: what parse() returned.
        flash_bytes: size of the flash.
        image_bytes: size of the firmware's image that has to fit into ota_0 and ota_1.
    """
    found = [*_names(table), *_alignments(table), *_overlaps(table)]
    found += [
        f"partition {p.name} ends at {p.end:#x}, behind the flash's end at {flash_bytes:#x}"
        for p in table
        if p.end > flash_bytes
    ]
    return [*found, *_sizes(table, image_bytes)]


def _names(table: list[Partition]) -> Iterator[str]:
    names = [p.name for p in table]
    yield from (f"there is no partition {name}" for name in _LEAST_BYTES if name not in names)
    for name in sorted({n for n in names if names.count(n) > 1}):
        yield f"{names.count(name)} partitions are called {name}"
    for name in names:
        if not 0 < len(name.encode()) <= _NAME_BYTES:
            yield f"partition name '{name}' has to have 1 to {_NAME_BYTES} bytes"


def _alignments(table: list[Partition]) -> Iterator[str]:
    for p in table:
        step = _alignment(p.kind)
        if p.offset % step:
            yield f"partition {p.name} at {p.offset:#x} is not at a multiple of {step:#x}"
        if p.size % _SECTOR or not p.size:
            yield f"the size of partition {p.name}, {p.size:#x}, is not a multiple of {_SECTOR:#x}"


def _overlaps(table: list[Partition]) -> Iterator[str]:
    end, before = TABLE_END, "the partition table"
    for p in sorted(table, key=lambda p: p.offset):
        if p.offset < end:
            yield f"partition {p.name} at {p.offset:#x} overlaps {before}, which ends at {end:#x}"
        if p.end > end:
            end, before = p.end, f"partition {p.name}"


def _sizes(table: list[Partition], image_bytes: int) -> Iterator[str]:
    sizes = {p.name: p.size for p in table}
    for name, least in _LEAST_BYTES.items():
        if sizes.get(name, least) < least:
            yield f"partition {name} has {sizes[name]:#x} bytes, it needs {least:#x}"
    if sizes.get("otadata", 0x2000) != 0x2000:
        yield f"partition otadata has {sizes['otadata']:#x} bytes, it has to have 0x2000"
    for first, second in _PAIRS:
        if first in sizes and second in sizes and sizes[first] != sizes[second]:
            yield f"partitions {first} and {second} differ in size"
    for name in _PAIRS[0]:
        if name in sizes and sizes[name] < image_bytes:
            yield (
                f"partition {name} has {sizes[name]:,} bytes, "
                f"too few for a firmware of {image_bytes:,} bytes"
            )


def picture(table: list[Partition], flash_bytes: int) -> list[str]:
    """Draw the map of the flash, one line a part, gaps included."""
    lines = [_row("offset", "size", "name", "what for")]
    lines.append(_row(f"{0:#08x}", _size(TABLE_END), "-", "boot loader, partition table"))
    end = TABLE_END
    for p in sorted(table, key=lambda p: p.offset):
        if p.offset > end:
            lines.append(_row(f"{end:#08x}", _size(p.offset - end), "-", "free"))
        lines.append(_row(f"{p.offset:#08x}", _size(p.size), p.name, _PURPOSE.get(p.name, "")))
        end = max(end, p.end)
    if end < flash_bytes:
        lines.append(_row(f"{end:#08x}", _size(flash_bytes - end), "-", "free"))
    return lines


def _row(offset: str, size: str, name: str, purpose: str) -> str:
    return f"{offset:<9} {size:>9}  {name:<9} {purpose}".rstrip()


def _size(size: int) -> str:
    return f"{size / 1024:,.0f} KiB"
