"""Images of applications for the simulated board: what lies in ota_0 and ota_1.

The form is that of ESP-IDF's, for a chip of its own: header, segments, checksum, SHA-256. The first
segment is ESP-IDF's description with the version; a second one carries either the firmware to run,
an ELF file, or a Python script that the board's own firmware runs before boot.py.

Source: ESP-IDF 5.5, components/bootloader_support (esp_image_format, esp_app_desc). Its twin on the
board is firmware/sim/appimage.c.
"""

import functools
import hashlib
import operator
import struct
from dataclasses import dataclass

from wedau.errors import SimError
from wedau.sim.protocol import number

_HEADER = struct.Struct("<BBBBI4sHBHH4sB")
_SEGMENT = struct.Struct("<II")
_DESCRIPTION = struct.Struct("<II8s32s32s16s16s32s32s80s")
_MAGIC = 0xE9
_DESCRIPTION_MAGIC = 0xABCD5432
_CHECKSUM = 0xEF
_BLOCK_BYTES = 16
_HASH_BYTES = 32
_MOST_SEGMENTS = 16
_VERSION_BYTES = 32


class ImageError(ValueError):
    """Bytes are no image that the boot loader would start."""


@dataclass(frozen=True)
class AppImage:
    """What an image carries.

    Attributes:
        version: of the application, for people.
        elf: the firmware to run; None: the board's own.
        script: Python to run before boot.py; None: none.
        size_bytes: length of the image, its hash included.
    """

    version: str
    elf: bytes | None
    script: bytes | None
    size_bytes: int


def make(version: str, *, elf: bytes | None = None, script: bytes | None = None) -> bytes:
    """Make an image; read() reads it.

    Args:
        version: ASCII, at most 31 characters.
        elf: the simulated board's firmware (firmware.elf); None: the one that the board is
            started with.
        script: Python source to run before boot.py; None: none.

    Raises:
        SimError: the version cannot be stored.
    """
    if not (version.isascii() and version.isprintable() and len(version) < _VERSION_BYTES):
        raise SimError(
            f"{version!r} cannot be the version of an application",
            f"use at most {_VERSION_BYTES - 1} ASCII characters",
        )
    segments = [(number("SIM_IMAGE_DESCRIPTION"), _description(version, elf))]
    if elf is not None:
        segments.append((number("SIM_IMAGE_ELF"), elf + bytes(-len(elf) % 4)))
    if script is not None:
        segments.append((number("SIM_IMAGE_SCRIPT"), script + b"\n" * (-len(script) % 4)))
    image = _header(len(segments))
    for load_address, data in segments:
        image += _SEGMENT.pack(load_address, len(data)) + data
    image += bytes(-(len(image) + 1) % _BLOCK_BYTES)
    image += bytes([_checksum([data for _, data in segments])])
    return image + hashlib.sha256(image).digest()


def _header(n_segments: int) -> bytes:
    chip = number("SIM_IMAGE_CHIP_ID")
    return _HEADER.pack(_MAGIC, n_segments, 0, 0, 0, bytes(4), chip, 0, 0, 0xFFFF, bytes(4), 1)


def _description(version: str, elf: bytes | None) -> bytes:
    digest = bytes(_HASH_BYTES) if elf is None else hashlib.sha256(elf).digest()
    texts = [version.encode("ascii"), b"wedau", b"", b"", b""]
    return _DESCRIPTION.pack(_DESCRIPTION_MAGIC, 0, b"", *texts, digest, b"")


def _checksum(parts: list[bytes]) -> int:
    sums = (functools.reduce(operator.xor, _fold(part), 0) for part in parts)
    return functools.reduce(operator.xor, sums, _CHECKSUM)


def _fold(data: bytes) -> bytes:
    """Return a few bytes whose XOR is that of all; the images have megabytes."""
    while len(data) > 64:
        half = (len(data) + 1) // 2
        low, high = (int.from_bytes(part, "little") for part in (data[:half], data[half:]))
        data = (low ^ high).to_bytes(half, "little")
    return data


def read(data: bytes) -> AppImage:
    """Read an image and verify it as the boot loader does.

    Args:
        data: the image; what follows it, such as the rest of its partition, is ignored.

    Raises:
        ImageError: it is damaged, for another chip, cut off, or no image.
    """
    n_segments, has_hash = _read_header(data)
    segments, end = _read_segments(data, n_segments)
    end += 1 + -(end + 1) % _BLOCK_BYTES
    if end > len(data) or data[end - 1] != _checksum([part for _, part in segments]):
        raise ImageError("its checksum does not match")
    if has_hash:
        if data[end : end + _HASH_BYTES] != hashlib.sha256(data[:end]).digest():
            raise ImageError("its SHA-256 does not match")
        end += _HASH_BYTES
    found = dict(segments)
    return AppImage(
        version=_version(found.get(number("SIM_IMAGE_DESCRIPTION"), b"")),
        elf=found.get(number("SIM_IMAGE_ELF")),
        script=found.get(number("SIM_IMAGE_SCRIPT")),
        size_bytes=end,
    )


def _read_header(data: bytes) -> tuple[int, bool]:
    if len(data) < _HEADER.size:
        raise ImageError("it is too short")
    fields = _HEADER.unpack_from(data)
    magic, n_segments, chip, has_hash = fields[0], fields[1], fields[6], fields[-1]
    if magic != _MAGIC:
        raise ImageError("there is no image")
    if chip != number("SIM_IMAGE_CHIP_ID"):
        raise ImageError("it is for another chip")
    if n_segments > _MOST_SEGMENTS:
        raise ImageError("it has too many segments")
    return n_segments, bool(has_hash)


def _read_segments(data: bytes, count: int) -> tuple[list[tuple[int, bytes]], int]:
    segments = []
    at = _HEADER.size
    for _ in range(count):
        if len(data) - at < _SEGMENT.size:
            raise ImageError("it is cut off")
        load_address, length = _SEGMENT.unpack_from(data, at)
        at += _SEGMENT.size
        if length % 4 or length > len(data) - at:
            raise ImageError("a segment does not fit")
        segments.append((load_address, data[at : at + length]))
        at += length
    return segments, at


def _version(description: bytes) -> str:
    if len(description) < _DESCRIPTION.size:
        return ""
    magic, _, _, version = _DESCRIPTION.unpack_from(description)[:4]
    return version.split(b"\0")[0].decode("ascii", "replace") if magic == _DESCRIPTION_MAGIC else ""
