"""wedau demo"""

from pathlib import Path
from typing import Annotated

import typer

from wedau.cli import options
from wedau.cli.console import err, out, print_json, print_rows


def demo(
    folder: Annotated[Path, typer.Argument(help="Folder for the results.")] = Path("demo"),
    micropython: options.Micropython = None,
    json: options.Json = False,
) -> None:
    """Do the main job on real data: train, convert, compile, push, replay on a simulated board."""
    from wedau.cli import showcase

    shown = showcase.run(folder, micropython)
    if json:
        print_json(shown.document())
        return
    err.print()
    print_rows(shown.rows())
    out.print()
    out.print("Now with your own data: wedau train --help, and docs/tutorial/first-model.md")
