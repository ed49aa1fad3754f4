"""wedau push"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wedau.cli import options
from wedau.cli.console import bar, print_json, print_line

if TYPE_CHECKING:
    from wedau.device.push import Pushed


def push(
    what: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER",
            help="Folder that 'wedau train' made, or a .mpy file.",
            show_default=False,
        ),
    ],
    port: options.Port = None,
    format: Annotated[
        options.Format | None,
        typer.Option(help="native or data; default: native if it is built for the board."),
    ] = None,
    engine: Annotated[
        Path | None,
        typer.Option(help="For data: folder that 'wedau build-engine' made, put there as well."),
    ] = None,
    json: options.Json = False,
) -> None:
    """Put a built model or a module onto a board; the old one stays until the new one is whole."""
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


def _show(done: "Pushed", name: str, port: str, json: bool) -> None:
    if json:
        print_json({"port": port, **vars(done)})
        return
    kept = " (was there already)" if not done.sent_bytes else ""
    print_line(f"{name} is on {port} in {done.folder}{kept}")
