"""Code blocks in Markdown: find them, and put other text into them."""

import re
from dataclasses import dataclass
from pathlib import Path

RUN = ("console", "pycon", "python")
SHOWN = ("text", "json", "csv")
_FENCE = re.compile(r"^```(\S*)\s*$")
_NOT_RUN = re.compile(r"^<!-- not run: (.+?) -->$")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        path: the document.
        line: number of its first line, the fence's, from 1 on.
        language: what stands behind the fence.
        lines: what is in it.
        reason: why it is not run; an empty string if it is.
    """

    path: Path
    line: int
    language: str
    lines: tuple[str, ...]
    reason: str

    @property
    def where(self) -> str:
        """Name the block for people."""
        return f"{self.path.name}:{self.line}"

    @property
    def runs(self) -> bool:
        """Whether the block is run."""
        return self.language in RUN and not self.reason


@dataclass(frozen=True)
class Command:
    """One command of a block, and what the document says that it prints.

    Attributes:
        text: for the shell; several lines if the document shows several.
        output: the lines shown below it.
        line: number of its first line in the document, from 1 on.
    """

    text: str
    output: tuple[str, ...]
    line: int


def read(path: Path) -> list[Block]:
    """Return the blocks of a document, in order."""
    blocks = []
    lines = path.read_text(encoding="utf-8").splitlines()
    start = None
    for number, line in enumerate(lines):
        fence = _FENCE.match(line)
        if start is None and fence:
            start = number
        elif start is not None and line == "```":
            language = _FENCE.match(lines[start])[1]
            inside = tuple(lines[start + 1 : number])
            blocks.append(Block(path, start + 1, language, inside, _reason(lines, start)))
            start = None
    if start is not None:
        raise ValueError(f"{path}:{start + 1}: the block does not end")
    return blocks


def _reason(lines: list[str], start: int) -> str:
    before = [line for line in lines[:start] if line.strip()]
    found = _NOT_RUN.match(before[-1]) if before else None
    return found[1] if found else ""


def commands(block: Block) -> list[Command]:
    """Return the commands of a console block: lines with "$ ", continued by lines with "> "."""
    found: list[Command] = []
    for number, line in enumerate(block.lines, block.line + 1):
        if line.startswith("$ "):
            found.append(Command(line[2:], (), number))
            continue
        if not found:
            raise ValueError(f"{block.path}:{number}: output before the first command")
        last = found[-1]
        if line.startswith("> ") and last.text.endswith("\\") and not last.output:
            found[-1] = Command(f"{last.text}\n{line[2:]}", (), last.line)
        else:
            found[-1] = Command(last.text, (*last.output, line), last.line)
    return found


def show(command: Command, output: list[str]) -> list[str]:
    """Return the lines of a console block for a command and its output."""
    first, *more = command.text.split("\n")
    return [f"$ {first}", *(f"> {line}" for line in more), *output]


def replace(path: Path, texts: dict[int, list[str]]) -> None:
    """Put other lines into the blocks that begin at these line numbers."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for block in reversed(read(path)):
        if block.line in texts:
            lines[block.line : block.line + len(block.lines)] = texts[block.line]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
