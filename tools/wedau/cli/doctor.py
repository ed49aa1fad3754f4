"""wedau doctor"""

import typer
from rich.markup import escape

from wedau.cli import options
from wedau.cli.console import err, out, print_json


def doctor(json: options.Json = False) -> None:
    """Say what is installed, what is missing, and how to get it."""
    from wedau.build import doctor as checks

    found = checks.checks()
    missing = [check for check in found if check.found is None]
    if json:
        print_json([vars(check) for check in found])
    else:
        for check in found:
            mark = "[green]ok[/]     " if check.found else "[red]missing[/]"
            out.print(f"{mark} [bold]{check.name}[/]: {escape(check.found or check.purpose)}")
        for check in missing:
            err.print(f"[bold]hint:[/] {escape(check.hint)}")
    if missing:
        raise typer.Exit(4)
