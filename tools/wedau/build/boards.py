"""The definitions of the ESP32-S3 boards in boards/: read as data. What is wrong: board_checks."""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wedau.build import board_shape, partitions
from wedau.build.partitions import Partition
from wedau.errors import BuildError
from wedau.paths import resource

MEBIBYTE = 1024 * 1024
# Fields of MicroPython's format for board.json that say nothing here.
_UPSTREAM_ONLY = ("deploy", "docs", "images", "thumbnail")


@dataclass(frozen=True)
class Board:
    """A board as its folder describes it.

    Attributes:
        name: the folder's name, as in ``wedau firmware build --board NAME``.
        document: board.json, with what it has from its base in shared/.
        pins: the GPIO of each name in pins.csv.
        macros: what mpconfigboard.h and what it includes define.
        variables: what mpconfigboard.cmake sets.
        config: what sdkconfig.board sets, without CONFIG_.
    """

    name: str
    folder: Path
    document: dict[str, Any]
    pins: dict[str, int]
    macros: dict[str, str]
    variables: dict[str, str]
    config: dict[str, str]

    @property
    def shared(self) -> Path:
        """The folder with what boards have in common."""
        return self.folder.parent / "shared"

    @property
    def hardware(self) -> dict[str, Any]:
        """What is on the board: module, flash, PSRAM, USB, LEDs, buttons, sensors."""
        hardware: dict[str, Any] = self.document["hardware"]
        return hardware

    @property
    def title(self) -> str:
        """Maker and product, as the firmware names the board."""
        return f"{self.document['vendor']} {self.document['product']}"

    @property
    def usb_ids(self) -> dict[str, str]:
        """The USB ids, as "303a:1001", under which it may appear, and what runs there then."""
        ids: dict[str, str] = chip(self.shared)["usb_ids"] | self.hardware["usb"]["ids"]
        return ids

    @property
    def flash_bytes(self) -> int:
        """Size of the flash."""
        return int(self.hardware["flash_mb"]) * MEBIBYTE


def default_root() -> Path:
    """Return the folder with Wedau's own definitions."""
    return resource("boards")


def names(root: Path | None = None) -> list[str]:
    """Return the names of all boards for the chip; the simulated board, built by make, is none."""
    root = root or default_root()
    files = [*root.glob("*/board.json"), *root.glob("*/mpconfigboard.cmake")]
    folders = {path.parent for path in files if not path.with_name("mpconfigboard.mk").exists()}
    found = sorted(path.name for path in folders)
    if not found:
        raise BuildError(f"{root} holds no board", "name a folder like Wedau's own boards/")
    return found


def load(name: str, root: Path | None = None) -> Board:
    """Read a board's definition.

    Args:
        name: one of names().
        root: folder with the definitions and their shared/; Wedau's own by default.

    Raises:
        BuildError: there is no such board, a file is missing or cannot be read as what it is, or
            board.json lacks something.
    """
    board = read_definition(name, root)
    incomplete = board_shape.board_problems(board.document)
    if incomplete:
        raise BuildError(
            f"{name}/board.json: {incomplete[0]}", f"'wedau boards {name} --check' tells all"
        )
    return board


def read_definition(name: str, root: Path | None = None) -> Board:
    """Read a board's definition as load() does, whatever board.json has in it.

    Raises:
        BuildError: there is no such board, a file is missing, or cannot be read as what it is.
    """
    root = root or default_root()
    folder = root / name
    if name not in names(root):
        raise BuildError(f"there is no board {name}", "'wedau boards' lists them")
    return Board(
        name=name,
        folder=folder,
        document=_document(folder),
        pins=_pins(folder / "pins.csv"),
        macros=_macros(folder / "mpconfigboard.h"),
        variables=cmake_variables(folder / "mpconfigboard.cmake"),
        config=sdkconfig(folder / "sdkconfig.board"),
    )


def table(board: Board) -> list[Partition]:
    """Return the board's partitions, as the build makes them.

    Raises:
        BuildError: there is no layout for the size of its flash, or the layout lacks a size.

    Source: twin of boards/shared/board.cmake.
    """
    layout = f"flash_{board.variables.get('WEDAU_FLASH_MB', '')}MB.cmake"
    if not (board.shared / layout).is_file():
        raise BuildError(
            f"{board.name}: there is no layout shared/{layout} for its flash",
            "set WEDAU_FLASH_MB in mpconfigboard.cmake to 4, 8 or 16",
        )
    sizes = cmake_variables(board.shared / layout)

    def size(match: re.Match[str]) -> str:
        if match[1] not in sizes:
            raise BuildError(f"shared/{layout} does not set {match[1]}", "set it there")
        return sizes[match[1]]

    text = re.sub(r"@(\w+)@", size, read(board.shared / "partitions.csv.in"))
    return partitions.parse(text)


def document(board: Board) -> dict[str, Any]:
    """Return all that is known of a board, for JSON."""
    parts = [vars(p) for p in table(board)]
    kept = {k: v for k, v in board.document.items() if k not in _UPSTREAM_ONLY}
    usb = {**board.hardware["usb"], "ids": board.usb_ids}
    kept["hardware"] = {**board.hardware, "usb": usb}
    return {"board": board.name, **kept, "pins": board.pins, "partitions": parts}


def chip(shared: Path) -> dict[str, Any]:
    """Return what is known of the chip: its GPIO, what takes them, its USB ids.

    Raises:
        BuildError: the file is missing, or lacks some of that.
    """
    path = shared / "esp32s3.json"
    document = _json(path)
    incomplete = board_shape.chip_problems(document)
    if incomplete:
        raise BuildError(f"{_short(path)}: {incomplete[0]}", "correct it in that file")
    return document


def read(path: Path) -> str:
    """Return the text of one of a board's files.

    Raises:
        BuildError: it is missing or no text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:  # no text, or no path
        reason = "is missing" if isinstance(error, FileNotFoundError) else "cannot be read"
        raise BuildError(f"{_short(path)} {reason}", "each board's folder has six files") from None


def cmake_variables(path: Path) -> dict[str, str]:
    """Return the values of all ``set(NAME VALUE)`` in a CMake file."""
    found = re.findall(r"^\s*set\((\w+)\s*([^)]*)\)", read(path), re.MULTILINE)
    return {name: value.strip().strip('"') for name, value in found}


def sdkconfig(path: Path) -> dict[str, str]:
    """Return the options that a fragment of sdkconfig sets, without CONFIG_."""
    found = re.findall(r"^CONFIG_(\w+)=(.*)$", read(path), re.MULTILINE)
    return {name: value.strip().strip('"') for name, value in found}


def _document(folder: Path) -> dict[str, Any]:
    own = _json(folder / "board.json")
    base = own.pop("base", None)
    return _merge(_json(folder.parent / "shared" / str(base)), own) if base else own


def _merge(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Lay own over base: tables are merged, lists are joined, the rest is replaced."""
    merged = dict(base)
    for key, value in own.items():
        old = base.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            merged[key] = _merge(old, value)
        elif isinstance(old, list) and isinstance(value, list):
            merged[key] = old + value
        else:
            merged[key] = value
    return merged


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(read(path))
    except json.JSONDecodeError as error:
        raise BuildError(
            f"{_short(path)}, line {error.lineno}: not JSON: {error.msg}", "correct the line"
        ) from None
    except (ValueError, RecursionError) as error:
        raise BuildError(f"{_short(path)}: not JSON: {error}", "write { ... }") from None
    if not isinstance(found, dict):
        raise BuildError(f"{_short(path)} is not a JSON object", "write { ... }")
    return found


def _pins(path: Path) -> dict[str, int]:
    pins: dict[str, int] = {}
    for number, line in enumerate(read(path).splitlines(), 1):
        row = [cell.strip() for cell in line.split(",")]
        if row == [""] or row[0].startswith("#"):
            continue
        name, gpio = row if len(row) == 2 else ("", "")
        if not re.fullmatch(r"[A-Za-z_]\w*", name) or not re.fullmatch(r"GPIO[0-9]{1,3}", gpio):
            wrong = f"{_short(path)}, line {number}: '{line[:60]}' is not a name and a pin"
            raise BuildError(wrong, "write for example LED,GPIO13")
        if name in pins:
            raise BuildError(f"{_short(path)}, line {number}: {name} is there twice", "drop one")
        pins[name] = int(gpio[4:])
    return pins


def _macros(path: Path, within: tuple[Path, ...] = ()) -> dict[str, str]:
    if path in within:
        raise BuildError(f"{_short(path)} includes itself", "take the #include out")
    text = read(path)
    macros: dict[str, str] = {}
    for included in re.findall(r'^#include "([^"]+)"', text, re.MULTILINE):
        macros.update(_macros(Path(os.path.normpath(path.parent / included)), (*within, path)))
    found = re.findall(r"^#define\s+(\w+)\s+(.+?)\s*$", text, re.MULTILINE)
    return macros | {name: value.strip('()"') for name, value in found}


def _short(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"
