"""wedau push"""

from pathlib import Path
from typing import Annotated

import typer

from wedau.cli import options
from wedau.cli.console import bar, print_json, print_line


def push(
    folder: options.ModelFolder,
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
    """Put a built model onto a board; the old one stays until the new one is whole."""
    from wedau.cli import pushing
    from wedau.cli.workbench import choose_port
    from wedau.device import link
    from wedau.train.model import TrainedModel

    card = TrainedModel.load(folder).card
    with link.Board(choose_port(port)) as board, bar("pushing") as on_progress:
        done = pushing.push(board, folder, card, format, engine, on_progress)
        name = board.port
    if json:
        print_json({"port": name, **vars(done)})
        return
    kept = " (was there already)" if not done.sent_bytes else ""
    print_line(f"{card.name} {card.version} is on {name} in {done.folder}{kept}")
