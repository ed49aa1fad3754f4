"""wedau build"""

from typing import Annotated

import typer

from wedau.cli import options
from wedau.cli.console import print_json, print_line, print_rows


def build(
    folder: options.ModelFolder,
    arch: options.Arch = "xtensawin",
    micropython: options.Micropython = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the module's path only.")] = False,
    json: options.Json = False,
) -> None:
    """Make NAME.mpy: convert, compile, replay on a simulated board, report."""
    from wedau.cli.verify import build_model
    from wedau.report import summary

    report, path = build_model(folder, arch, micropython)
    if json:
        print_json(report.to_dict())
        return
    if not quiet:
        print_rows([*summary(report), ("Report", str(folder / "report.html"))])
    print_line(str(path))
