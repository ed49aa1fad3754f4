"""What can be released: a model's file for an architecture, an application's files, a firmware."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wedau.convert import mpy
from wedau.errors import OtaError
from wedau.files import check_tree
from wedau.ota import cpio, files
from wedau.ota.fields import node

_APP_MAGIC = 0xE9  # esp_image_header_t
_DESCRIPTOR_MAGIC = 0xABCD5432  # esp_app_desc_t
_DESCRIPTOR_AT = 32  # behind the header of the image and of its first segment
_VERSION_AT = _DESCRIPTOR_AT + 16
_VERSION_BYTES = 32
_LARGEST_FILES = 256


@dataclass(frozen=True)
class Payload:
    """One file to release.

    Attributes:
        kind: model, app or firmware.
        name: of the model or the application; a firmware's is its board's.
        version: for people; None: the serial is taken.
        data: the bytes.
        place: the fields that say where it may run, arch and mpy, or board; a model's golden.
    """

    kind: str
    name: str
    version: str | None
    data: bytes
    place: Mapping[str, Any]

    def custom(self, feed: str, serial: int) -> dict[str, Any]:
        """Return the fields that are signed, without deltas."""
        return {
            "feed": feed,
            "kind": self.kind,
            "name": self.name,
            "serial": serial,
            "version": self.version or str(serial),
            **self.place,
        }


def model(name: str, version: str, file: str, data: bytes, golden: list[int]) -> Payload:
    """Return a model's payload: a `.mpy`, native or bytecode, or its data file, `.wdt`.

    Args:
        name: the model's.
        version: for people.
        file: name of its file.
        data: the file's bytes.
        golden: what it answers; see wedau.ota.golden.

    Raises:
        OtaError: the name or the version is no plain ASCII.
        DataError: a `.mpy` that is none.
    """
    place: dict[str, Any] = {"golden": golden}
    if file.endswith(".mpy"):
        header = mpy.inspect_bytes(data, file)
        place |= {"arch": header.arch, "mpy": [header.version, header.sub_version]}
    return _checked(Payload(node.MODEL, name, version, data, place))


def app(folder: Path, name: str | None, version: str | None) -> Payload:
    """Return the payload of a folder with an application's files.

    Raises:
        OtaError: the folder cannot be read, is empty or too large, or a name is no plain ASCII.
    """
    entries: list[tuple[str, bytes]] = []
    check_tree(folder, OtaError)
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and _is_ours(p, folder))
    if not folder.is_dir() or not paths:
        raise OtaError(f"{folder} holds no files", "give the folder of the application")
    if len(paths) > _LARGEST_FILES:
        raise OtaError(
            f"{folder} holds {len(paths)} files, at most {_LARGEST_FILES} go into a release",
            "give a folder with nothing but the application",
        )
    for path in paths:
        inside = path.relative_to(folder).as_posix()
        if not node.is_path(inside):
            raise _not_plain("name of the file", inside)
        entries.append((inside, files.read(path, node.MAX_BYTES, "check the file")))
    archive = cpio.pack(entries)
    given = name or folder.resolve().name
    return _checked(Payload(node.APP, given, version, archive, {}))


def _is_ours(path: Path, folder: Path) -> bool:
    parts = path.relative_to(folder).parts
    return not any(part.startswith(".") or part == "__pycache__" for part in parts)


def firmware(path: Path, board: str, version: str | None) -> Payload:
    """Return the payload of an application image as ESP-IDF's build makes it.

    Raises:
        OtaError: it cannot be read, or is no such image.
    """
    data = files.read(path, node.MAX_BYTES, "give the application's image, such as micropython.bin")
    if len(data) < _VERSION_AT + _VERSION_BYTES or data[0] != _APP_MAGIC:
        raise OtaError(f"{path} is no image for an ESP32", "give the file micropython.bin")
    if struct.unpack_from("<I", data, _DESCRIPTOR_AT)[0] != _DESCRIPTOR_MAGIC:
        raise OtaError(
            f"{path} is an image, but not that of an application",
            "give micropython.bin, not the boot loader nor a merged firmware.bin",
        )
    inside = data[_VERSION_AT : _VERSION_AT + _VERSION_BYTES].split(b"\0")[0]
    own = inside.decode("ascii", "replace").replace("\ufffd", "?")
    version = version or (own if node.is_text(own) else None)
    return _checked(Payload(node.FIRMWARE, board, version, data, {"board": board}))


def _checked(payload: Payload) -> Payload:
    if not node.is_name(payload.name):
        raise _not_plain("name", payload.name)
    if payload.version is not None and not node.is_text(payload.version):
        raise _not_plain("version", payload.version)
    if not 0 < len(payload.data) <= node.MAX_BYTES:
        raise OtaError(
            f"{payload.name} has {len(payload.data)} bytes, 1 to {node.MAX_BYTES} are possible",
            "check the file",
        )
    return payload


def _not_plain(what: str, text: str) -> OtaError:
    return OtaError(
        f"the {what} {text[:60]!r} cannot be released: it is empty, too long or not plain ASCII",
        "use letters, digits and _ - . only; labels inside a model may be any text",
    )
