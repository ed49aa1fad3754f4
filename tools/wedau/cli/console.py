"""Where words go: results to stdout, everything else to stderr."""

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

_LONGEST = 1000

out = Console(highlight=False, soft_wrap=True, emoji=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)


def complain(message: str, hint: str) -> None:
    """Print an error and what to do about it, one line each."""
    err.print(f"[bold red]error:[/] {escape(_one_line(message))}")
    err.print(f"[bold]hint:[/] {escape(_one_line(hint))}")


def _one_line(text: str) -> str:
    """Join lines, shorten what nobody reads to its end, and show what a terminal would obey."""
    joined = "; ".join(line.strip() for line in text.splitlines() if line.strip())
    if len(joined) > _LONGEST:
        joined = f"{joined[: _LONGEST // 2]} ... {joined[-_LONGEST // 2 :]}"
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in joined)


def say(message: str) -> None:
    """Print a line of progress."""
    err.print(f"[dim]{escape(message)}[/]")


def print_line(text: str) -> None:
    """Print one line of a result as it is; nothing in it is markup."""
    out.print(text, markup=False)


def print_json(document: Any) -> None:
    """Print one JSON document to stdout."""
    plain = not (sys.stdout.encoding or "").lower().startswith("utf")
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=plain, allow_nan=False) + "\n")


def print_rows(rows: Iterable[tuple[str, str]]) -> None:
    """Print names and values as two columns; a value stays on its line, however long it is."""
    rows = list(rows)
    width = max((cell_len(name) for name, _ in rows), default=0)
    for name, value in rows:
        gap = " " * (width - cell_len(name) + 2)
        out.print(f"[bold]{escape(name)}[/]{gap}{escape(value)}")


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
