"""The browser's page of a release: the boards' definitions, the firmwares, and ESP Web Tools."""

import json
import shutil
from pathlib import Path
from typing import Any

from wedau.build import boards as definitions
from wedau.cli.firmware_folder import WEB_MANIFEST
from wedau.device import firmware
from wedau.device.release_index import MANIFEST
from wedau.errors import ReleaseError
from wedau.report import install

PAGE = "index.html"
TOOLS = "esp-web-tools"
_SCRIPT = "install-button.js"
_FAMILY = "ESP32-S3"
_LARGEST_MANIFEST = 1 << 20


def write(folder: Path, tools: Path, version: str) -> list[str]:
    """Write index.html and ESP Web Tools into a release's folder.

    Args:
        folder: with a firmware's folder for each board.
        tools: ESP Web Tools' folder as npm installs it.
        version: of the release.

    Returns:
        Names of the boards that can be installed.

    Raises:
        ReleaseError: a firmware has no manifest for the browser, or one that says something else
            than its own; or the tools are not there.
        DataError: a firmware is damaged.
    """
    shown = [
        install.board(definitions.document(each), _manifest(folder, each.name)) for each in _all()
    ]
    _copy(tools, folder / TOOLS)
    page = install.render(shown, version, f"{TOOLS}/{_SCRIPT}")
    folder.joinpath(PAGE).write_text(page, encoding="utf-8", newline="\n")
    return [each.name for each in shown if each.manifest]


def _all() -> list[definitions.Board]:
    found = [definitions.load(name) for name in definitions.names()]
    return sorted(found, key=lambda board: board.title.lower())


def _manifest(folder: Path, board: str) -> str | None:
    """Return the path of a board's manifest for the browser, which has to say what its own says."""
    if not (folder / board / MANIFEST).is_file():
        return None
    loaded = firmware.load(folder / board, board)
    path = folder / board / WEB_MANIFEST
    wanted = sorted((image.name, image.offset) for image in loaded.images)
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(_LARGEST_MANIFEST))
        sound = _parts(content) == wanted and content["new_install_prompt_erase"] is True
    except OSError as error:
        raise ReleaseError(
            f"{path} cannot be read: {error.strerror}",
            f"build it again: wedau firmware build --board {board}",
        ) from None
    except (ValueError, KeyError, TypeError, RecursionError):
        sound = False
    if not sound:
        raise ReleaseError(
            f"{path} does not install what {MANIFEST} beside it names, or would erase the files",
            f"build it again: wedau firmware build --board {board}",
        )
    return f"{board}/{WEB_MANIFEST}"


def _parts(content: Any) -> list[tuple[str, int]]:
    (build,) = content["builds"]
    if build["chipFamily"] != _FAMILY or not content["name"] or not content["version"]:
        raise ValueError
    return sorted((part["path"], part["offset"]) for part in build["parts"])


def _copy(tools: Path, target: Path) -> None:
    scripts, licence = tools / "dist" / "web", tools / "LICENSE"
    if not (scripts / _SCRIPT).is_file() or not licence.is_file():
        raise ReleaseError(
            f"{tools} does not hold ESP Web Tools", "run: make page (it gets them from npm)"
        )
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(scripts, target)
    shutil.copy(licence, target)
