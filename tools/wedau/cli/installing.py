"""Put onto a board with stock MicroPython what Wedau's firmware has inside."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from wedau.build import bundle, compat, compilers, natmod
from wedau.build.targets import TARGETS
from wedau.cli.console import say
from wedau.cli.workbench import micropython_source
from wedau.convert import mpy
from wedau.device import link
from wedau.device import push as device_push
from wedau.device.info import BoardInfo
from wedau.errors import DataError, DeviceError

MINIMUM = (1, 23)


@dataclass(frozen=True)
class Installed:
    """What was installed.

    Attributes:
        arch: the architecture that the native modules are for.
        in_firmware: modules that the firmware has, which were therefore not sent.
        pushed: what was sent; None if the firmware has everything.
    """

    arch: str
    in_firmware: tuple[str, ...]
    pushed: device_push.Pushed | None


def install(
    board: link.Board,
    folder: Path | None,
    micropython: Path | None,
    on_progress: Callable[[int, int], None],
    *,
    with_compat: bool = False,
) -> Installed:
    """Put the native modules and the package `wedau` onto a board, and import them there.

    Args:
        board: open; it is soft reset.
        folder: that 'wedau build-engine' made; None: they are built now.
        micropython: MicroPython's source to build with, instead of the pinned one.
        on_progress: called with the bytes sent and those to send.
        with_compat: the modules of wedau.build.compat as well, which the folder then must hold.

    Raises:
        DeviceError: the board's MicroPython is too old or takes no such modules, as for
            wedau.device.push.push(), or it does not import them.
        DataError: the folder does not hold them.
        BuildError: they cannot be built.
    """
    arch = check(board.info)
    if folder:
        files = bundle.read(folder)
        if with_compat and f"{compat.NATIVE}.mpy" not in files:
            raise DataError(
                f"{folder} holds no modules emlearn_*",
                "make it with 'wedau build-engine FOLDER --compat'",
            )
        for name, data in files.items():
            device_push.check_loads(board.info, name, data)
    else:
        compilers.for_arch(arch)
        source = micropython_source(micropython).path
        say(f"compiling for {arch}")
        files = bundle.build(arch, source, with_compat=with_compat, say=say)
    names = list(dict.fromkeys(_module(name) for name in files))
    there = [n for n in names if device_push.find_module(board, n) == device_push.FIRMWARE]
    missing = {name: data for name, data in files.items() if _module(name) not in there}
    if not missing:
        return Installed(arch, tuple(there), None)
    done = device_push.push(board, missing, on_progress=on_progress)
    _try(board, missing)
    return Installed(arch, tuple(there), done)


def check(board: BoardInfo) -> str:
    """Return the architecture that a board's native modules are built for.

    Raises:
        DeviceError: its MicroPython is too old, or there is none that Wedau builds for.
    """
    version = tuple(int(part) for part in board.version.split(".")[:2])
    theirs = (board.mpy_version, board.mpy_sub_version)
    if version < MINIMUM or not theirs >= natmod.MPY_VERSION:
        raise DeviceError(
            f"the board at {board.port} has MicroPython {board.version}, Wedau needs 1.23 or newer",
            "flash a newer MicroPython; for an ESP32-S3 'wedau flash' does it",
        )
    if theirs != natmod.MPY_VERSION:
        raise DeviceError(
            f"the board at {board.port} takes .mpy version {theirs[0]}.{theirs[1]}, "
            f"this Wedau makes {natmod.MPY_VERSION[0]}.{natmod.MPY_VERSION[1]}",
            "use a newer Wedau, or an older MicroPython on the board",
        )
    if not board.native:
        raise DeviceError(
            f"the MicroPython of the board at {board.port} takes no native modules",
            "use a firmware that is built with MICROPY_PERSISTENT_CODE_LOAD and a native emitter",
        )
    arch = next((arch for arch in TARGETS if mpy.loads(board.arch, arch)), None)
    if arch is None:
        raise DeviceError(
            f"the board at {board.port} is {board.arch}, which Wedau does not build for",
            f"use a board of one of these: {', '.join(TARGETS)}",
        )
    return arch


def _module(file: str) -> str:
    """Return the name by which a file is imported, or that of the package that it is in."""
    return PurePosixPath(file).parts[0].removesuffix(".mpy")


def _try(board: link.Board, files: Mapping[str, bytes]) -> None:
    """Import what was sent; the heap is as after a reset before and afterwards."""
    for name in dict.fromkeys(_module(file) for file in files):
        try:
            board.run(f"import {name}")
        except link.BoardError as error:
            raise DeviceError(
                f"the board at {board.port} does not import {name}: {error.last_line}",
                "report this with the board's name; 'wedau repl' shows more",
            ) from None
    board.soft_reset()
