"""Compare what a document shows with what a command prints."""

import difflib
import re

_PORT = re.compile(r"/dev/pts/\d+")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
SHOWN_PORT = "/dev/pts/7"

# How far a figure may be off where other versions of the tools made it.
_TOLERANCE = 0.25


def plain(text: str) -> list[str]:
    """Return the lines of a command's output without what differs from run to run."""
    lines = [_PORT.sub(SHOWN_PORT, line).rstrip() for line in text.splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def difference(shown: list[str], said: list[str]) -> str:
    """Return what differs, for people: lines with "-" are in the document only."""
    return "\n".join(difflib.unified_diff(shown, said, "shown", "said", lineterm="", n=0))


def same(shown: list[str], said: list[str], *, exact: bool) -> bool:
    """Whether the lines are equal; a line "..." stands for any lines.

    Args:
        shown: in the document.
        said: by the command.
        exact: whether the figures have to be equal; else they may be off a little.
    """
    if "..." in shown:
        at = shown.index("...")
        head, tail = shown[:at], shown[at + 1 :]
        enough = len(said) >= len(head) + len(tail)
        end = said[len(said) - len(tail) :]
        return enough and same(head, said[:at], exact=exact) and same(tail, end, exact=exact)
    return shown == said if exact else _alike("\n".join(shown), "\n".join(said))


def _alike(shown: str, said: str) -> bool:
    words = [" ".join(_NUMBER.sub("0", text).split()) for text in (shown, said)]
    numbers = [[float(n.replace(",", "")) for n in _NUMBER.findall(t)] for t in (shown, said)]
    return words[0] == words[1] and all(
        abs(a - b) <= max(1, _TOLERANCE * a) for a, b in zip(*numbers, strict=True)
    )
