"""wedau build"""

from typing import Annotated

import typer

from wedau.cli import options
from wedau.cli.console import print_json, print_line, print_rows
from wedau.errors import BuildError, SimError, UsageError


def build(
    folder: options.ModelFolder,
    arch: options.Arch = "xtensawin",
    format: Annotated[
        options.Format,
        typer.Option(
            help="native: NAME.mpy, compiled; data: NAME.wdt, without a compiler, for any board."
        ),
    ] = options.Format.NATIVE,
    on_board: Annotated[
        bool,
        typer.Option("--on-board", help="Replay a data file on a simulated board too."),
    ] = False,
    port: Annotated[
        str | None,
        typer.Option(
            "--port", "-p", help="Prove NAME.mpy on this board, not on a simulated one; it stays."
        ),
    ] = None,
    micropython: options.Micropython = None,
    budget_instructions: Annotated[
        int | None,
        typer.Option(min=0, help="Fail if a prediction could take more instructions."),
    ] = None,
    budget_flash: Annotated[
        int | None, typer.Option(min=0, help="Fail if the model takes more bytes of flash.")
    ] = None,
    budget_ram: Annotated[
        int | None, typer.Option(min=0, help="Fail if it could take more bytes of RAM.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the module's path only.")] = False,
    json: options.Json = False,
) -> None:
    """Make NAME.mpy or a data file: convert, prove that it decides as on the host, report."""
    from wedau.cli import data_files, verify
    from wedau.cli.budget import Budget
    from wedau.report import summary

    budget = Budget(budget_instructions, budget_flash, budget_ram)
    if format is options.Format.DATA:
        if port:
            raise UsageError(
                "a data file is proven on this computer, not on the board at a port",
                "leave --port out; 'wedau predict' compares on the board",
            )
        report, path = data_files.build_data(folder, on_board, micropython, budget)
    else:
        try:
            verify.check_tools(arch, port)
        except (BuildError, SimError) as error:
            hint = f"{error.hint}; or build without a compiler: wedau build {folder} --format data"
            raise type(error)(error.message, hint) from None
        report, path = verify.build_model(folder, arch, micropython, budget, port)
    if json:
        print_json(report.to_dict())
        return
    if not quiet:
        print_rows([*summary(report), ("Report", str(folder / "report.html"))])
    print_line(str(path))
