"""Build firmware for an ESP32-S3 board: MicroPython's own build, run on a copy of all its sources.

The copy keeps MicroPython's source as it is: the build writes the ESP-IDF components that it
downloads, their lock file and mpy-cross among the sources.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wedau.build import boards, monocypher, sources, usermod, workshop
from wedau.build.boards import Board
from wedau.build.partitions import Partition
from wedau.build.sources import Source
from wedau.build.workshop import Workshop
from wedau.errors import BuildError
from wedau.paths import cache_dir, resource

CHIP = "esp32s3"
APP = "micropython.bin"
_TABLE_OFFSET = 0x8000
_TAIL_LINES = 15
_LOCK = f"lockfiles/dependencies.lock.{CHIP}"
_LEFT_OUT = {".": {".git", ".github", "docs", "examples", "logo", "tests"}, "ports": set[str]()}
_LINES_OF_ERRORS = re.compile(r"error:|CMake Error|ninja: |^ERROR|fatal:|\*\*\*", re.IGNORECASE)
_VERSION_TIMEOUT_S = 60
# What makes a build repeatable: the time of the build, and MicroPython's version, which its copy
# cannot find out.
SETTINGS = ("SOURCE_DATE_EPOCH", "MICROPY_GIT_TAG", "MICROPY_GIT_HASH")


@dataclass(frozen=True)
class Image:
    """A file for one place in the flash."""

    path: Path
    offset: int


@dataclass(frozen=True)
class Built:
    """What a build made.

    Attributes:
        images: boot loader, partition table, what says which program starts, the program.
        app_bytes: size of the program.
        slot_bytes: size of the partition that it has to fit into.
        lock: the ESP-IDF components that were downloaded; None if the build named none.
    """

    images: tuple[Image, ...]
    app_bytes: int
    slot_bytes: int
    lock: Path | None

    @property
    def free_share(self) -> float:
        """Share of the slot that is left."""
        return 1 - self.app_bytes / self.slot_bytes


@dataclass(frozen=True)
class Plan:
    """A build that has not begun.

    Attributes:
        board: what it is for.
        source: MicroPython's; may not be there yet.
        place: where it is built.
        work: folder for the copy and the build, which is removed afterwards.
        settings: variables of the environment that the result depends on.
        models: what is built in beside Wedau's own modules.
    """

    board: Board
    source: Source
    place: Workshop
    work: Path
    settings: dict[str, str]
    models: tuple[usermod.Model, ...] = ()

    @property
    def commands(self) -> list[list[str]]:
        """What is run, in this order, without Docker's part.

        MicroPython's mpy-cross comes first: within the port's build it would inherit BUILD.
        """
        root = self.place.root(self.work)
        modules = f"{root}/models" if self.models else f"{root}/modules/bind"
        return [
            ["make", "-C", f"{root}/micropython/mpy-cross", f"-j{os.cpu_count() or 1}"],
            [
                *["make", "-C", f"{root}/micropython/ports/esp32", f"BOARD={self.board.name}"],
                f"BOARD_DIR={root}/boards/{self.board.name}",
                f"USER_C_MODULES={modules}/micropython.cmake",
                f"BUILD={root}/build",
            ],
        ]

    @property
    def variables(self) -> dict[str, str]:
        """The environment of the commands, beside ESP-IDF's."""
        root = self.place.root(self.work)
        return self.settings | {
            "CFLAGS_EXTRA": f"-ffile-prefix-map={root}=/wedau",
            "MICROPY_MPYCROSS": f"{root}/micropython/mpy-cross/build/mpy-cross",
            monocypher.VARIABLE: f"{root}/monocypher",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    @property
    def started(self) -> list[list[str]]:
        """The commands as they are started, Docker's part included."""
        first, second = self.commands
        plain = {k: v for k, v in self.variables.items() if k != "CFLAGS_EXTRA"}
        return [
            self.place.wrapped(first, self.work, plain),
            self.place.wrapped(second, self.work, self.variables),
        ]


def image_names() -> list[str]:
    """Return the names of the images, in the order of the flash."""
    return ["bootloader.bin", "partition-table.bin", "ota_data_initial.bin", APP]


def new_work_folder() -> Path:
    """Return the name of a folder for a build; several builds may run side by side."""
    return cache_dir("esp32") / f"work-{os.getpid()}"


def settings(source: Source) -> dict[str, str]:
    """Return SETTINGS with their values: date and version of MicroPython.

    ``SOURCE_DATE_EPOCH`` is kept where it is set.

    Raises:
        BuildError: MicroPython's own script does not tell the version.
    """
    tag, commit = _git_version(source.path)
    return dict(zip(SETTINGS, (sources.epoch(source.path), tag, commit), strict=True))


def build(
    plan: Plan,
    log: Path,
    *,
    say: Callable[[str], None] = lambda message: None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Built:
    """Build a firmware.

    Args:
        plan: what is built, where.
        log: file that everything printed goes to; its folder exists.
        say: called with a sentence for people at each longer step, and with the log's last lines
            when the build fails.
        on_progress: called with what of how much is compiled.

    Returns:
        What it made; the files are in the plan's work folder, which the caller removes.

    Raises:
        BuildError: a tool is missing, the build fails, the program does not fit into its slot, or
            the build made something else than the board's partitions say.
    """
    environment = plan.place.environment(plan.variables)
    log.write_text("", encoding="utf-8")
    say(f"building {plan.board.name} with {plan.place}; this takes some minutes")
    _stage(plan, say)
    for at, command in enumerate(plan.started):
        own = {k: v for k, v in environment.items() if at or k != "CFLAGS_EXTRA"}
        with log.open("a", encoding="utf-8") as file:
            file.write(f"$ {' '.join(command)}\n")
        try:
            code = workshop.run(command, own, log, on_progress)
        except BaseException:
            plan.place.end()
            raise
        if code:
            raise _failed(plan, log, say)
    return _collect(plan)


def _stage(plan: Plan, say: Callable[[str], None]) -> None:
    """Copy all that the build reads into the work folder."""
    shutil.rmtree(plan.work, ignore_errors=True)
    source, target = plan.source.path, plan.work / "micropython"
    ignored = _ignore(source)
    shutil.copytree(source, target, symlinks=True, ignore=ignored)
    caches = shutil.ignore_patterns("__pycache__", "*.o", "*.pyc")
    shutil.copytree(plan.board.folder.parent, plan.work / "boards", ignore=caches)
    shutil.copytree(resource("modules"), plan.work / "modules", ignore=caches)
    (plan.work / "monocypher").mkdir()
    for path in monocypher.folder(say=say).glob("monocypher.[ch]"):
        shutil.copyfile(path, plan.work / "monocypher" / path.name)
    (plan.work / "home").mkdir()
    if plan.models:
        _write_models(plan)


def _write_models(plan: Plan) -> None:
    """Write the models' C, with the places of the copies as the build sees them."""
    folder = plan.work / "models"
    folder.mkdir()
    tree = usermod.write(folder, plan.models, micropython=plan.source.path)
    root = plan.place.root(plan.work)
    text = tree.cmake.read_text(encoding="utf-8")
    text = text.replace(str(resource("modules")), f"{root}/modules").replace(str(plan.work), root)
    tree.cmake.write_text(text.replace("\\", "/"), encoding="utf-8")


def _ignore(source: Path) -> Callable[[str, list[str]], set[str]]:
    """Return what shutil.copytree() leaves out: other ports, documents, what builds left behind."""
    built = {"managed_components", "build", "__pycache__"}

    def ignore(folder: str, names: list[str]) -> set[str]:
        where = Path(folder).relative_to(source).as_posix()
        if where == "ports":
            return set(names) - {"esp32"}
        left = set(names) & _LEFT_OUT.get(where, {"__pycache__", ".git"})
        if where in ("ports/esp32", "mpy-cross"):
            left |= {name for name in names if name in built or name.startswith("build-")}
        return left

    return ignore


def _failed(plan: Plan, log: Path, say: Callable[[str], None]) -> BuildError:
    """Say why a build failed."""
    app = plan.work / "build" / APP
    if app.is_file() and app.stat().st_size > _slot(plan.board).size:
        return _too_large(plan.board, app.stat().st_size)
    lines = [line.rstrip() for line in log.read_text(encoding="utf-8").splitlines() if line.strip()]
    for line in lines[-_TAIL_LINES:]:
        say(line)
    named = [line for line in lines if _LINES_OF_ERRORS.search(line)]
    reason = (named or lines[-1:] or ["it printed nothing"])[0].strip()
    return BuildError(
        f"building the firmware for {plan.board.name} failed: {reason}",
        f"the whole log is in {log}",
    )


def _slot(board: Board) -> Partition:
    return next(part for part in boards.table(board) if part.name == "ota_0")


def _too_large(board: Board, app_bytes: int) -> BuildError:
    slot = _slot(board)
    return BuildError(
        f"the firmware for {board.name} has {app_bytes:,} bytes, "
        f"{app_bytes - slot.size:,} more than fit into its slot of {slot.size:,}",
        "build fewer models in and push them as .mpy, or use a board with more flash",
    )


def _collect(plan: Plan) -> Built:
    """Read what the build made, and compare it with the board's partitions."""
    folder = plan.work / "build"
    arguments = _arguments(folder / "flasher_args.json")
    table = {part.name: part for part in boards.table(plan.board)}
    offsets = (0, _TABLE_OFFSET, table["otadata"].offset, table["ota_0"].offset)
    expected = dict(zip(offsets, image_names(), strict=True))
    found = {int(at, 0): folder / name for at, name in arguments["flash_files"].items()}
    if {at: path.name for at, path in found.items()} != expected:
        raise _unexpected(
            plan, f"images at {', '.join(f'{at:#x} {p.name}' for at, p in found.items())}"
        )
    size = f"{plan.board.hardware['flash_mb']}MB"
    said = (arguments["extra_esptool_args"]["chip"], arguments["flash_settings"]["flash_size"])
    if said != (CHIP, size):
        raise _unexpected(plan, f"a firmware for {said[0]} with {said[1]} of flash")
    app_bytes = found[table["ota_0"].offset].stat().st_size
    if app_bytes > table["ota_0"].size:
        raise _too_large(plan.board, app_bytes)
    images = tuple(Image(found[at], at) for at in sorted(found))
    lock = plan.work / "micropython/ports/esp32" / _LOCK
    return Built(images, app_bytes, table["ota_0"].size, lock if lock.is_file() else None)


def _arguments(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        files, chip = found["flash_files"], found["extra_esptool_args"]["chip"]
        settings = found["flash_settings"]["flash_size"]
        whole = all((path.parent / name).is_file() for name in files.values())
        offsets = [int(at, 0) for at in files]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        whole = False
    if not whole or not offsets or not chip or not settings:
        raise BuildError(
            f"the build ended without the images that {path.name} should name",
            "build again; if it persists, the versions of MicroPython and ESP-IDF do not fit",
        )
    return dict(found)


def _unexpected(plan: Plan, what: str) -> BuildError:
    return BuildError(
        f"the build for {plan.board.name} made {what}, which the board's definition does not say",
        f"compare with 'wedau boards {plan.board.name}'; 'wedau boards --check' checks definitions",
    )


def _git_version(source: Path) -> tuple[str, str]:
    """Return version and commit as MicroPython's own script finds them; the copy has no .git."""
    ceiling = {"GIT_CEILING_DIRECTORIES": str(source.parent)}  # not those of what it lies in
    kept = {k: v for k, v in os.environ.items() if not k.startswith("MICROPY_")}
    with tempfile.TemporaryDirectory(prefix="wedau-") as folder:
        header = Path(folder) / "mpversion.h"
        done = subprocess.run(
            [sys.executable, "-B", str(source / "py/makeversionhdr.py"), str(header)],
            env=kept | ceiling,
            capture_output=True,
            text=True,
            timeout=_VERSION_TIMEOUT_S,
            check=False,
        )
        text = header.read_text(encoding="utf-8") if header.is_file() else ""
    found = dict(re.findall(r'^#define (MICROPY_GIT_\w+) "([^"]*)"', text, re.MULTILINE))
    if done.returncode or len(found) < 2:
        raise BuildError(
            f"{source} does not tell its version: {done.stderr.strip()[-200:]}",
            "name a complete source of MicroPython, or none",
        )
    return found["MICROPY_GIT_TAG"], found["MICROPY_GIT_HASH"]
