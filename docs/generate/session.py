"""Run what a document shows, in order, as a reader would: one shell, one folder."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import blocks
import compare
from blocks import Block, Command

from wedau.paths import cache_dir

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 300
_MARK = "\x1e"


@dataclass(frozen=True)
class Step:
    """A command as it was run: what the document says that it prints, and what it printed."""

    block: Block
    command: Command
    said: list[str]


@dataclass(frozen=True)
class _Line:
    """A command and the text that the shell gets for it."""

    block: Block
    command: Command
    shell: str


def run(path: Path) -> list[Step]:
    """Run all blocks of a document that can be run here.

    The working folder is a new one with the project's docs in it. Simulated boards are kept apart
    from the user's own.

    Raises:
        AssertionError: a command failed; names it and what it said.
    """
    with TemporaryDirectory(prefix="wedau-docs-") as name:
        folder = Path(name, "work")
        folder.mkdir()
        (folder / "docs").symlink_to(ROOT / "docs")
        lines = [line for block in blocks.read(path) if block.runs for line in _lines(block)]
        with _cache(Path(name, "cache")) as cache:
            return _run(lines, folder, _environment(cache))


def _lines(block: Block) -> list[_Line]:
    if block.language == "console":
        return [_Line(block, c, c.text) for c in blocks.commands(block)]
    text = "\n".join(block.lines) + "\n"
    program = f"{ROOT / 'docs/generate/board_repl.py'} $PORT" if block.language == "pycon" else "-"
    output = block.lines if block.language == "pycon" else ()
    command = Command(text, output, block.line + 1)
    return [_Line(block, command, f"python {program} <<'THE_END'\n{text}THE_END")]


def _run(lines: list[_Line], folder: Path, environment: dict[str, str]) -> list[Step]:
    script = ["trap 'wedau sim stop --all 2>/dev/null' EXIT"]
    for line in lines:
        script += [line.shell, f"status=$?; printf '{_MARK}'; [ $status = 0 ] || exit $status"]
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    said = done.stdout.split(_MARK)
    if done.returncode:
        failed = lines[len(said) - 2 if done.stdout.endswith(_MARK) else len(said) - 1]
        raise AssertionError(
            f"{failed.block.path}:{failed.command.line}: exit code {done.returncode}:\n"
            f"{failed.command.text}\n{said[-2:]}\n{done.stderr[-2000:]}"
        )
    return [
        Step(line.block, line.command, compare.plain(text))
        for line, text in zip(lines, said, strict=False)
    ]


def _environment(cache: Path) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    own = {"PATH": path, "WEDAU_CACHE": str(cache), "COLUMNS": "80", "NO_COLOR": "1"}
    kept = {k: v for k, v in os.environ.items() if not re.match("COLUMNS|FORCE_COLOR|TTY_", k)}
    return {**kept, "TERM": "dumb", **own}


@contextmanager
def _cache(folder: Path) -> Iterator[Path]:
    """Give a cache with all that the user's has, but for the simulated boards."""
    folder.mkdir()
    for path in cache_dir().iterdir():
        if path.name != "sim":
            (folder / path.name).symlink_to(path)
    yield folder


def write(path: Path) -> None:
    """Run a document and put what its commands print below them, where it shows an output.

    An output with a line "..." is left as it is.
    """
    texts: dict[int, list[str]] = {}
    for step in run(path):
        if step.block.language == "console":
            kept = not step.command.output or "..." in step.command.output
            shown = list(step.command.output) if kept else step.said
            texts.setdefault(step.block.line, []).extend(blocks.show(step.command, shown))
        elif step.block.language == "pycon":
            texts[step.block.line] = step.said
    blocks.replace(path, texts)
