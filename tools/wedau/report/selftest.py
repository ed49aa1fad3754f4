"""What the self-test of a board showed: as JSON, and as rows for a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from . import figures

_FIGURES = {"us": "us a call", "instructions": "instructions a call"}


class Outcome(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Checked:
    """One check.

    Attributes:
        name: what `--only` takes.
        what: what it is about.
        outcome: how it ended.
        reason: why it failed or was skipped; None if it passed.
        figures: what was measured on the way, by name; units are in the names.
    """

    name: str
    what: str
    outcome: Outcome
    reason: str | None
    figures: Mapping[str, int | float]


@dataclass(frozen=True)
class Tested:
    """The board that was tested; None is what it does not tell.

    Attributes:
        port: where it is.
        machine: the board's and the chip's name.
        micropython: its version.
        wedau: version of the tools that tested it.
        arch: of its native modules; "bytecode" if it takes none.
        frequency_hz: of the processor.
        heap_bytes: MicroPython's heap, PSRAM included.
        flash_bytes: the whole flash.
        psram_bytes: 0 if there is none that works.
        modules: where each of our modules comes from: "firmware", a path on the board, "brought
            along", or "missing: " and why.
    """

    port: str
    machine: str
    micropython: str
    wedau: str
    arch: str
    frequency_hz: int | None
    heap_bytes: int
    flash_bytes: int | None
    psram_bytes: int | None
    modules: Mapping[str, str]


@dataclass(frozen=True)
class SelfTest:
    """The whole of it."""

    board: Tested
    checks: Sequence[Checked]

    def named(self, outcome: Outcome) -> list[str]:
        """Return the names of the checks that ended so."""
        return [check.name for check in self.checks if check.outcome is outcome]

    def document(self) -> dict[str, Any]:
        """Return it for JSON; docs/howto/selftest.md explains the keys."""
        counts = {str(outcome): len(self.named(outcome)) for outcome in Outcome}
        checks = [asdict(check) | {"outcome": str(check.outcome)} for check in self.checks]
        return {"selftest_version": 1, "board": asdict(self.board), **counts, "checks": checks}

    def head(self) -> Iterator[tuple[str, str]]:
        """Yield the rows about the board."""
        board = self.board
        unknown = "the board does not tell"
        yield "Board", f"{board.machine} at {board.port}"
        yield "MicroPython", f"{board.micropython}, native modules: {board.arch}"
        yield "Wedau", board.wedau
        mhz = board.frequency_hz and board.frequency_hz / 1_000_000
        yield "Clock", figures.number(mhz, "MHz") if mhz else unknown
        yield "Heap", figures.size(board.heap_bytes)
        yield "Flash", unknown if board.flash_bytes is None else figures.size(board.flash_bytes)
        yield "PSRAM", unknown if board.psram_bytes is None else figures.size(board.psram_bytes)
        yield from board.modules.items()

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """Yield name, outcome, and what there is to say, of each check."""
        for check in self.checks:
            said = [check.what] if check.outcome is Outcome.PASSED else []
            said += [check.reason] if check.reason else []
            said += [_figure(name, value) for name, value in check.figures.items()]
            yield check.name, str(check.outcome), "; ".join(said)


def _figure(name: str, value: float) -> str:
    if name in _FIGURES:
        return f"{value:,.4g} {_FIGURES[name]}" if name == "us" else f"{value:,} {_FIGURES[name]}"
    stem, _, unit = name.rpartition("_")
    shown = {
        "bytes": lambda: f"{stem.replace('_', ' ')} {figures.size(int(value))}",
        "us": lambda: f"{stem.replace('_', ' ')} {value:,} us",
        "ms": lambda: f"{stem.replace('_', ' ')} {value:,} ms",
    }
    return shown[unit]() if unit in shown else f"{name.replace('_', ' ')} {value:,.4g}"
