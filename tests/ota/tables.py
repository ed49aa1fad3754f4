"""Partition tables of nodes."""

from dataclasses import replace

from wedau.cli import ota_node
from wedau.flash_map import Partition


def for_firmware(size: int) -> tuple[Partition, ...]:
    """Return the small table with partitions for a whole firmware."""
    found, at = [], ota_node.TABLE[0].offset
    for part in ota_node.TABLE:
        length = size if part.label.startswith("ota_") else part.size_bytes
        at = -(-at // 0x10000) * 0x10000 if part.label.startswith("ota_") else at
        found.append(replace(part, offset=at, size_bytes=length))
        at += length
    return tuple(found)
