"""The folder of a firmware: written whole or not at all, and read back before it is given out."""

import contextlib
import hashlib
import json
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wedau import __version__, files
from wedau.build.boards import MEBIBYTE, Board
from wedau.build.esp32 import CHIP, Built
from wedau.build.simboard import SimFirmware
from wedau.device import esptool, firmware
from wedau.errors import DataError, UsageError

MERGED = "merged.bin"
WEB_MANIFEST = "web-manifest.json"
LOCK = "dependencies.lock"
SIM = "SIM"
_LARGEST_FILE = 1 << 28
_ELF, _PLUGIN = "firmware.elf", "libicount.so"
_WEB_FAMILY = {"esp32s3": "ESP32-S3"}
_SIM_HINT = "give the folder that 'wedau firmware build --board SIM' made"


@dataclass(frozen=True)
class Versions:
    """What a firmware was made of, for people and for repeating it."""

    micropython: str
    esp_idf: str | None
    source_date_epoch: str | None
    models: dict[str, str]

    def document(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {"wedau": __version__, **vars(self)}

    def __str__(self) -> str:
        return f"MicroPython {self.micropython}, Wedau {__version__}"


def file_names() -> list[str]:
    """Return the files of a chip's firmware, but for the images."""
    return [MERGED, firmware.MANIFEST, WEB_MANIFEST, LOCK]


def check_replaceable(folder: Path) -> None:
    """Check that a firmware may be written to a folder: there is none, an empty one, or an older.

    Raises:
        UsageError: it holds something else.
    """
    if not folder.exists() and not folder.is_symlink():
        return
    if folder.is_dir() and ((folder / firmware.MANIFEST).is_file() or not any(folder.iterdir())):
        return
    raise UsageError(
        f"{folder} is there and is no firmware's folder", "give another folder with --out"
    )


def write_chip(folder: Path, board: Board, built: Built, versions: Versions) -> dict[str, Any]:
    """Write the firmware of a chip's board; an older one there is replaced.

    Returns:
        The manifest.

    Raises:
        DataError: what was built is not what ``wedau flash`` takes.
        DeviceError: esptool could not merge the images.
    """
    with _replacing(folder) as new:
        for image in built.images:
            shutil.copyfile(image.path, new / image.path.name)
        if built.lock:
            shutil.copyfile(built.lock, new / LOCK)
        images = [(image.offset, new / image.path.name) for image in built.images]
        esptool.merge(images, new / MERGED, chip=CHIP)
        manifest = _chip_manifest(new, board, built, versions)
        _write_json(new / firmware.MANIFEST, manifest)
        _write_json(new / WEB_MANIFEST, _web_manifest(board, built, versions))
        firmware.load(new, board.name)
    return manifest


def _chip_manifest(folder: Path, board: Board, built: Built, versions: Versions) -> dict[str, Any]:
    psram_bytes = int(board.hardware["psram_mb"]) * MEBIBYTE
    return {
        "manifest_version": firmware.MANIFEST_VERSION,
        "board": board.name,
        "version": str(versions),
        "chip": CHIP,
        "flash_bytes": board.flash_bytes,
        "psram_kind": str(board.hardware["psram"]) if psram_bytes else "none",
        "psram_bytes": psram_bytes,
        "usb_ids": list(board.usb_ids),
        "images": [
            {"offset": image.offset, **_entry(folder / image.path.name)} for image in built.images
        ],
        "merged": _entry(folder / MERGED),
        "app": {
            "size": built.app_bytes,
            "slot_bytes": built.slot_bytes,
            "free_share": round(built.free_share, 4),
        },
        "made_of": versions.document(),
    }


def _web_manifest(board: Board, built: Built, versions: Versions) -> dict[str, Any]:
    """Return the manifest that ESP Web Tools reads, for flashing from the browser."""
    parts = [{"path": image.path.name, "offset": image.offset} for image in built.images]
    return {
        "name": f"Wedau for {board.title}",
        "version": str(versions),
        "new_install_prompt_erase": True,
        "builds": [{"chipFamily": _WEB_FAMILY[CHIP], "parts": parts}],
    }


def write_sim(folder: Path, built: SimFirmware, versions: Versions) -> dict[str, Any]:
    """Write the firmware of the simulated board; an older one there is replaced.

    Returns:
        The manifest.
    """
    with _replacing(folder) as new:
        shutil.copy(built.elf, new / _ELF)  # QEMU wants it executable
        shutil.copy(built.plugin, new / _PLUGIN)
        manifest = {
            "manifest_version": firmware.MANIFEST_VERSION,
            "board": SIM,
            "version": str(versions),
            "images": [_entry(new / _ELF), _entry(new / _PLUGIN)],
            "made_of": versions.document(),
        }
        _write_json(new / firmware.MANIFEST, manifest)
    return manifest


def load_sim(folder: Path) -> SimFirmware:
    """Return the simulated board's firmware in a folder, or in the folder SIM in it.

    Raises:
        DataError: there is none, or it is damaged.
    """
    place = (folder if (folder / firmware.MANIFEST).is_file() else folder / SIM).resolve()
    try:
        manifest = json.loads(_read(place / firmware.MANIFEST))
        board, images = manifest["board"], {each["file"]: each for each in manifest["images"]}
        found = {name: _entry(place / name) for name in (_ELF, _PLUGIN)} if board == SIM else {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise DataError(f"{folder} holds no firmware of the simulated board", _SIM_HINT) from None
    if board != SIM:
        raise DataError(f"{folder} holds a firmware for {str(board)[:40]}", _SIM_HINT)
    for name, entry in found.items():
        if images.get(name) != entry:
            raise DataError(
                f"{place / name} is damaged: it is not what the manifest says", _SIM_HINT
            )
    return SimFirmware(place / _ELF, place / _PLUGIN)


def _entry(path: Path) -> dict[str, Any]:
    data = _read(path)
    return {"file": path.name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _read(path: Path) -> bytes:
    return files.read(path, _LARGEST_FILE, DataError, _SIM_HINT)


def _write_json(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


@contextlib.contextmanager
def _replacing(folder: Path) -> Iterator[Path]:
    """Give a new folder beside, and put it in the folder's place when the block is through."""
    check_replaceable(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    mark = secrets.token_hex(4)
    new, old = (folder.with_name(f".{folder.name}.{kind}-{mark}") for kind in ("new", "old"))
    new.mkdir()
    try:
        yield new
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
    finally:
        for each in (new, old):
            shutil.rmtree(each, ignore_errors=True)
