"""Where words go: results to stdout, everything else to stderr."""

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def complain(message: str, hint: str) -> None:
    """Print an error and what to do about it, one line each."""
    err.print(f"[bold red]error:[/] {escape(message)}")
    err.print(f"[bold]hint:[/] {escape(hint)}")


def say(message: str) -> None:
    """Print a line of progress."""
    err.print(f"[dim]{escape(message)}[/]")


def print_json(document: Any) -> None:
    """Print one JSON document to stdout."""
    json.dump(document, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def print_rows(rows: Iterable[tuple[str, str]], title: str | None = None) -> None:
    """Print names and values as two columns."""
    table = Table(show_header=False, box=None, title=title, title_justify="left", padding=(0, 2))
    for name, value in rows:
        table.add_row(f"[bold]{escape(name)}[/]", escape(value))
    out.print(table)


class Bar:
    """A progress bar on a terminal; silent elsewhere."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def __call__(self, done: int, total: int) -> None:
        """Show that done of total are finished."""
        self._progress.update(self._task, completed=done, total=total)


@contextmanager
def bar(what: str) -> Iterator[Bar]:
    """Show a bar named what while the block runs."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        yield Bar(progress, progress.add_task(what, total=None))
