"""New flash files for simulated boards: erased, or with partitions and a first application."""

from collections.abc import Sequence
from dataclasses import replace

from wedau import __version__
from wedau.errors import SimError
from wedau.flash_map import TABLE_OFFSET, Partition, encode
from wedau.sim import app_image

_FILE_SYSTEM = "vfs"


def new(table: Sequence[Partition], file_system_bytes: int | None = None) -> bytearray:
    """Return a flash as it leaves the factory: the table, and in ota_0 the board's own firmware.

    Args:
        table: the partitions; the last one is the file system, vfs. An empty table makes an erased
            flash that is one file system.
        file_system_bytes: size of the file system; default: that of the table.

    Raises:
        SimError: there is no size for an erased flash, or the table has no vfs at its end.
    """
    if not table:
        if file_system_bytes is None:
            raise SimError("a flash without partitions has no size", "give file_system_bytes")
        return bytearray(b"\xff" * file_system_bytes)
    table = resized(table, file_system_bytes)
    flash = bytearray(b"\xff" * max(p.end for p in table))
    data = encode(table)
    flash[TABLE_OFFSET : TABLE_OFFSET + len(data)] = data
    put(flash, table, "ota_0", app_image.make(__version__))
    return flash


def resized(table: Sequence[Partition], file_system_bytes: int | None) -> tuple[Partition, ...]:
    """Return a table with a file system of another size.

    Raises:
        SimError: the file system is not the last partition.
    """
    if file_system_bytes is None:
        return tuple(table)
    if not table or table[-1].label != _FILE_SYSTEM:
        raise SimError("the last partition is not the file system", "leave its size out")
    return (*table[:-1], replace(table[-1], size_bytes=file_system_bytes))


def put(flash: bytearray, table: Sequence[Partition], label: str, data: bytes) -> None:
    """Write data to the start of a partition and erase the rest of it.

    Raises:
        SimError: there is no such partition, or it is too small.
    """
    partition = next((p for p in table if p.label == label), None)
    if partition is None or len(data) > partition.size_bytes:
        why = "is not there" if partition is None else f"has fewer than {len(data):,} bytes"
        raise SimError(f"the partition {label} {why}", "choose another table")
    flash[partition.offset : partition.end] = data.ljust(partition.size_bytes, b"\xff")
