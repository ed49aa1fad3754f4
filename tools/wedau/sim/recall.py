"""What a board did, found again for a flash that is the same wherever that board read it.

Firmware, program and server being the same, what a board does follows from what it reads in its
flash. So what boards did makes a tree: a node names the place that is read next, what lies there
leads on, and a leaf is what came of it. Bytes that no board on this way reads make no difference:
half a payload, for instance, that is erased before it is written again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from wedau.errors import SimError
from wedau.flash_map import SECTOR_BYTES
from wedau.sim.nor import Operation, Read

Result = TypeVar("Result")


@dataclass
class _Question(Generic[Result]):
    """What lies in the flash from start to end, before the first operation?"""

    start: int
    end: int
    answers: dict[bytes, "_Question[Result] | _Leaf[Result]"] = field(default_factory=dict)


@dataclass(frozen=True)
class _Leaf(Generic[Result]):
    result: Result


class Recall(Generic[Result]):
    """What boards did; in the beginning nothing is known."""

    def __init__(self) -> None:
        self._known: _Question[Result] = _Question(0, 0)

    def find(self, flash: bytes) -> Result | None:
        """Return what came of a board that read what it would read in this flash, or None."""
        node: _Question[Result] | _Leaf[Result] | None = self._known
        while isinstance(node, _Question):
            node = node.answers.get(flash[node.start : node.end])
        return None if node is None else node.result

    def add(self, flash: bytes, steps: Sequence[Operation | Read], result: Result) -> None:
        """Note what a board did.

        Args:
            flash: when it was switched on.
            steps: what it did to its flash (nor.read_steps()).
            result: what came of it.

        Raises:
            SimError: a board that read the same did something else afterwards.
        """
        node, at = self._known, flash[0:0]
        for start, end in _asked(steps, len(flash)):
            below = node.answers.setdefault(at, _Question(start, end))
            if not isinstance(below, _Question) or (below.start, below.end) != (start, end):
                raise _differs()
            node, at = below, flash[start:end]
        if isinstance(node.answers.setdefault(at, _Leaf(result)), _Question):
            raise _differs()


def _asked(steps: Sequence[Operation | Read], flash_bytes: int) -> Iterator[tuple[int, int]]:
    """Yield the places that were read and not known yet: neither read nor erased before."""
    known = bytearray(flash_bytes)
    for step in steps:
        if isinstance(step, Read):
            at, end = step.address, step.address + step.length
            while (start := known.find(0, at, end)) >= 0:
                at = known.find(1, start, end)
                at = end if at < 0 else at
                known[start:at] = b"\1" * (at - start)
                yield start, at
        elif step.data is None:
            known[step.address : step.address + SECTOR_BYTES] = b"\1" * SECTOR_BYTES


def _differs() -> SimError:
    return SimError(
        "two boards with the same firmware that read the same did not do the same",
        "this is a bug: report it",
    )
