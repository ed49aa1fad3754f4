"""wedau selftest"""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated

import typer

from wedau.cli import options
from wedau.cli.console import bar, print_json, print_line, print_rows
from wedau.errors import CheckError, UsageError

if TYPE_CHECKING:
    from wedau.cli.selftest_places import OnUnix
    from wedau.device.scripts import OnBoard
    from wedau.report.selftest import SelfTest


def selftest(
    port: options.Port = None,
    unix: Annotated[
        bool, typer.Option("--unix", help="Test MicroPython for unix instead of a board.")
    ] = False,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Run this check only; repeatable.")
    ] = None,
    long: Annotated[
        bool,
        typer.Option("--long", help="Also sleep, watchdog and many resets; restarts the board."),
    ] = False,
    board: Annotated[
        str | None,
        typer.Option("--board", help="Name of its definition, if the firmware does not tell."),
    ] = None,
    timeout: Annotated[
        float, typer.Option("--timeout", min=1, help="Seconds for each script of a check.")
    ] = 60.0,
    micropython: options.Micropython = None,
    json: options.Json = False,
) -> None:
    """Check on a board that everything of ours works there; its files stay as they are."""
    from wedau.cli import selftest_run

    with _place(port, unix) as place, bar("testing") as on_progress:
        done = selftest_run.run(
            place,
            only=only or (),
            long=long,
            board_name=board,
            timeout_s=timeout,
            micropython=micropython,
            on_progress=on_progress,
        )
    if json:
        print_json(done.document())
    else:
        _show(done)
    _check(done)


def _place(port: str | None, unix: bool) -> "AbstractContextManager[OnBoard | OnUnix]":
    from wedau.cli.selftest_places import OnUnix
    from wedau.cli.workbench import choose_port
    from wedau.device.scripts import OnBoard

    if unix and port:
        raise UsageError("--unix and --port are two places to test", "give one of them")
    return OnUnix() if unix else OnBoard(choose_port(port))


def _show(done: "SelfTest") -> None:
    print_rows(done.head())
    rows = list(done.rows())
    width = max((len(name) for name, _, _ in rows), default=0)
    for name, outcome, said in rows:
        print_line(f"{outcome:8} {name:{width}}  {said}")


def _check(done: "SelfTest") -> None:
    from wedau.report.selftest import Outcome

    failed = done.named(Outcome.FAILED)
    if failed:
        raise CheckError(
            f"{len(failed)} of {len(done.checks)} checks failed: {', '.join(failed)}",
            f"look at one alone with 'wedau selftest --only {failed[0]}'",
        )
