"""Firmwares to flash: small, and whole in all that is checked."""

import hashlib
import json
import random
import struct
from pathlib import Path
from typing import Any

MB = 1024 * 1024
BOARD = "TEST_BOARD"
ESP32S3 = 9

# label: type, subtype, offset, size
LAYOUT = {
    "nvs": (1, 0x02, 0x9000, 0x5000),
    "otadata": (1, 0x00, 0xE000, 0x2000),
    "ota_0": (0, 0x10, 0x10000, 0x180000),
    "ota_1": (0, 0x11, 0x190000, 0x180000),
    "vfs": (1, 0x83, 0x310000, 0xF0000),
}
# That of MicroPython's own firmware: its file system is what lies behind.
STOCK = {
    "nvs": (1, 0x02, 0x9000, 0x6000),
    "phy_init": (1, 0x01, 0xF000, 0x1000),
    "factory": (0, 0x00, 0x10000, 0x1F0000),
}
VFS = LAYOUT["vfs"][2]


def program(size: int, seed: int, chip_id: int = ESP32S3, flash_size_id: int = 2) -> bytes:
    """Bytes with the header of a program and arbitrary content, some of which can be compressed."""
    header = struct.pack("<BBBBIBxxxH10x", 0xE9, 1, 2, flash_size_id << 4, 0, 0, chip_id)
    content = random.Random(seed).randbytes(size * 3 // 4)
    return (header + content).ljust(size, b"\0")


def table(layout: dict[str, tuple[int, int, int, int]] = LAYOUT) -> bytes:
    """A partition table as ESP-IDF makes it."""
    entries = b"".join(
        struct.pack("<2sBBII16sI", b"\xaa\x50", kind, subtype, offset, size, label.encode(), 0)
        for label, (kind, subtype, offset, size) in layout.items()
    )
    checksum = b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(entries).digest()
    return (entries + checksum).ljust(0xC00, b"\xff")


def images() -> dict[str, tuple[int, bytes]]:
    """The files of a firmware: where each goes, and what is in it."""
    return {
        "bootloader.bin": (0x0, program(9000, 1)),
        "partition-table.bin": (0x8000, table()),
        "ota_data_initial.bin": (0xE000, b"\xff" * 0x2000),
        "micropython.bin": (0x10000, program(70001, 2)),
    }


def manifest(files: dict[str, tuple[int, bytes]]) -> dict[str, Any]:
    """The manifest for files."""
    return {
        "manifest_version": 1,
        "board": BOARD,
        "version": "1.28.0",
        "chip": "esp32s3",
        "flash_bytes": 4 * MB,
        "psram_kind": "none",
        "psram_bytes": 0,
        "usb_ids": ["2886:0056"],
        "images": [
            {
                "file": name,
                "offset": offset,
                "size": len(data),
                "sha256": hashlib.sha256(data).hexdigest(),
            }
            for name, (offset, data) in files.items()
        ],
    }


def write(folder: Path, files: dict[str, tuple[int, bytes]] | None = None, **changes: Any) -> Path:
    """Write a firmware's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    files = images() if files is None else files
    for name, (_, data) in files.items():
        (folder / name).write_bytes(data)
    content = manifest(files) | changes
    (folder / "manifest.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def merged(layout: dict[str, tuple[int, int, int, int]] = LAYOUT) -> bytes:
    """A file for offset 0, as MicroPython publishes them."""
    data = bytearray()
    for offset, content in images().values():
        data = data.ljust(offset, b"\xff")
        data[offset : offset + len(content)] = content
    data[0x8000:0x8C00] = table(layout)
    return bytes(data)
