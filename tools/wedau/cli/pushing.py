"""Put what was built of a model onto a board, with the engine that a data file needs."""

from collections.abc import Callable, Mapping
from pathlib import Path

from wedau.build import package, runtime
from wedau.cli import modules
from wedau.cli.options import Format
from wedau.convert.shim import shim
from wedau.device import link
from wedau.device import push as device_push
from wedau.errors import DataError, DeviceError
from wedau.train.model import Card


def push(
    board: link.Board,
    folder: Path,
    card: Card,
    format: Format | None,
    engine_folder: Path | None,
    on_progress: Callable[[int, int], None],
) -> device_push.Pushed:
    """Put a built model, and the modules that it needs and the firmware lacks, onto a board.

    Args:
        board: open.
        folder: that of the model.
        card: the model's.
        format: None: the native module if it was built for the board, else the data file.
        engine_folder: with wedau_trees.mpy and wedau_features.mpy, for data files.
        on_progress: called with the bytes sent and those to send.

    Raises:
        DataError: it was not built, or something that is needed is not in the engine's folder.
        DeviceError: the board lacks the engine, or as for wedau.device.push.push().
    """
    built = modules.choose(folder, board.info.arch, format)
    files = dict(built.files)
    supersedes = {f"{card.name}.py": shim(card.name)}
    if built.format is Format.DATA:
        files = {**_engine_files(board, built.module, card, engine_folder), **files}
        supersedes = {}
    if card.recipe and device_push.find_module(board, package.NAME) != device_push.FIRMWARE:
        files = {**package.build(["pipeline"]), **files}
    return device_push.push(
        board,
        lacking(board, files),
        needs_heap_bytes=built.heap_bytes,
        supersedes=supersedes,
        on_progress=on_progress,
    )


def push_module(
    board: link.Board, path: Path, on_progress: Callable[[int, int], None]
) -> device_push.Pushed:
    """Put one `.mpy` file onto a board, and with wedau_baseline the package that uses it.

    Raises:
        DataError: it cannot be read, or as for wedau.device.push.push().
        DeviceError: as for wedau.device.push.push().
    """
    try:
        files = {path.name: path.read_bytes()}
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", "check the path") from None
    is_baseline = path.stem == runtime.BASELINE
    if is_baseline and device_push.find_module(board, package.NAME) != device_push.FIRMWARE:
        files |= package.build(["baseline"])
    return device_push.push(board, lacking(board, files), on_progress=on_progress)


def lacking(board: link.Board, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Leave out the modules of ours that the firmware has: an import would find those first."""
    ours = {f"{name}.mpy": name for name in runtime.modules()}
    return {
        file: data
        for file, data in files.items()
        if file not in ours or device_push.find_module(board, ours[file]) != device_push.FIRMWARE
    }


def _engine_files(
    board: link.Board, module: str, card: Card, folder: Path | None
) -> dict[str, bytes]:
    """Return the modules that have to be put on the board together with a data file."""
    needed = [runtime.TREES, *([runtime.FEATURES] if card.recipe else [])]
    found: dict[str, bytes] = {}
    for name in needed:
        there = device_push.find_module(board, name)
        if there == device_push.FIRMWARE or (there and folder is None):
            continue
        if folder is None:
            raise DeviceError(
                f"{module} needs the module {name}, which is not on the board at {board.port}",
                f"give '--engine FOLDER', a folder with {name}.mpy: "
                "'wedau build-engine FOLDER' makes it on any machine with a compiler",
            )
        found[f"{name}.mpy"] = _engine_file(folder, name)
    return found


def _engine_file(folder: Path, name: str) -> bytes:
    try:
        return Path(folder, f"{name}.mpy").read_bytes()
    except OSError:
        raise DataError(
            f"{folder} does not hold {name}.mpy",
            "give the folder that 'wedau build-engine FOLDER' made",
        ) from None
