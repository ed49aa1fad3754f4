"""wedau push"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wedau.cli import options
from wedau.cli.console import bar, print_json, print_line, say
from wedau.errors import UsageError

if TYPE_CHECKING:
    from wedau.cli.pushing_release import Installed
    from wedau.device.push import Pushed


def push(
    what: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FOLDER]",
            help="Folder that 'wedau train' made, a .mpy file, or a signed release, a .swu file.",
            show_default=False,
        ),
    ] = None,
    port: options.Port = None,
    format: Annotated[
        options.Format | None,
        typer.Option(help="native or data; default: native if it is built for the board."),
    ] = None,
    engine: Annotated[
        Path | None,
        typer.Option(help="For data: folder that 'wedau build-engine' made, put there as well."),
    ] = None,
    runtime: Annotated[
        bool,
        typer.Option("--runtime", help="Instead of a model, what stock MicroPython lacks for it."),
    ] = False,
    compat: Annotated[
        bool,
        typer.Option("--compat", help="As --runtime, and the modules emlearn_*."),
    ] = False,
    runtime_from: Annotated[
        Path | None,
        typer.Option(
            "--from", help="For --runtime: folder that 'wedau build-engine' made; no compiler then."
        ),
    ] = None,
    micropython: options.Micropython = None,
    json: options.Json = False,
) -> None:
    """Put a model, a module or a release onto a board; the old stays until the new is whole."""
    if runtime or compat:
        _check_alone(what, format, engine)
        _runtime(port, runtime_from, micropython, compat, json)
        return
    if what is None or runtime_from or micropython:
        raise UsageError(
            "there is nothing to push" if what is None else "--from goes with --runtime",
            "give the folder of a built model, a .mpy file, a .swu file, or --runtime",
        )
    if what.suffix == ".swu" and not what.is_dir():
        _check_plain(format, engine)
        _release(what, port, json)
        return
    from wedau.cli import pushing
    from wedau.cli.workbench import choose_port
    from wedau.device import link
    from wedau.train.model import TrainedModel

    if what.suffix == ".mpy" and not what.is_dir():
        with link.Board(choose_port(port)) as board, bar("pushing") as on_progress:
            done = pushing.push_module(board, what, on_progress)
            _show(done, what.name, board.port, json)
        return
    card = TrainedModel.load(what).card
    with link.Board(choose_port(port)) as board, bar("pushing") as on_progress:
        done = pushing.push(board, what, card, format, engine, on_progress)
        _show(done, f"{card.name} {card.version}", board.port, json)


def _check_alone(what: Path | None, format: options.Format | None, engine: Path | None) -> None:
    if what or format or engine:
        raise UsageError(
            "--runtime pushes no model and takes neither --format nor --engine",
            "push the runtime first, then the model with a command of its own",
        )


def _check_plain(format: options.Format | None, engine: Path | None) -> None:
    if format or engine:
        raise UsageError(
            "a signed release takes neither --format nor --engine",
            "it is pushed as it was signed: leave them out",
        )


def _release(path: Path, port: str | None, json: bool) -> None:
    from wedau.cli import pushing_release
    from wedau.cli.workbench import choose_port
    from wedau.device import link

    with link.Board(choose_port(port)) as board, bar("pushing") as on_progress:
        done = pushing_release.install(board, path, on_progress)
        port = board.port
    if json:
        print_json({"port": port, **vars(done)})
        return
    _show_release(done, port)


def _show_release(done: "Installed", port: str) -> None:
    what = f"{done.name} {done.version}"
    if done.state == "confirmed":
        print_line(f"{what} is on {port} and confirmed already")
        return
    if done.kind == "firmware":
        print_line(f"the firmware {what} is verified and stored on {port}")
        say("restart the board: the firmware starts on trial, and the old one is kept")
        return
    print_line(f"{what} is verified, stored and on trial on {port}")
    say("restart the board: its program confirms it, or the board goes back to what it had")


def _runtime(
    port: str | None, folder: Path | None, micropython: Path | None, compat: bool, json: bool
) -> None:
    from wedau.cli import installing
    from wedau.cli.workbench import choose_port
    from wedau.device import link

    with link.Board(choose_port(port)) as board, bar("pushing") as on_progress:
        done = installing.install(board, folder, micropython, on_progress, with_compat=compat)
        port = board.port
    if json:
        pushed = vars(done.pushed) if done.pushed else {"folder": None, "names": []}
        print_json({"port": port, "arch": done.arch, "in_firmware": done.in_firmware, **pushed})
        return
    if done.in_firmware:
        print_line(f"in the firmware: {', '.join(done.in_firmware)}")
    if done.pushed:
        _show(done.pushed, "the runtime", port, json)


def _show(done: "Pushed", name: str, port: str, json: bool) -> None:
    if json:
        print_json({"port": port, **vars(done)})
        return
    if not done.names:
        print_line(f"{name} is on {port} in its firmware")
        return
    kept = " (was there already)" if not done.sent_bytes else ""
    print_line(f"{name} is on {port} in {done.folder}{kept}")
