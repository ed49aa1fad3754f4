"""What a native module takes at most, whatever its input: instructions and stack, from its code.

The objects that are linked are decoded, every function's control-flow graph is drawn, and the
longest way through it is taken, calls included. What cannot be bounded is refused, never guessed: a
loop without a record of its passes (modules/core/wd_loop.h), a call through a pointer, recursion,
an unknown instruction. Ways that end in an exception are left out. What the firmware's functions
take that a module calls cannot be seen here: they are counted by name.

Source: Li and Malik, Performance analysis of embedded software using implicit path enumeration,
1995, for bounding ways by counts; the search here is over the graph itself.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wedau.build.bounds import flow, objects, paths
from wedau.build.bounds.errors import NoBoundError
from wedau.errors import BuildError

__all__ = ["Bound", "Code", "NoBoundError", "function_table"]

RAISING = frozenset(["raise", "raise_msg"])
# What may follow mp_fun_table's functions is not ours to count; these are data.
_FIELD = re.compile(r"\(\*(\w+)\)\(|(\w+);$")


@dataclass(frozen=True)
class Bound:
    """What a call of a function takes at most.

    Attributes:
        instructions: of the module's own code.
        firmware: how often each function of the firmware is called at most, by its name.
    """

    instructions: int
    firmware: Mapping[str, int]


class Code:
    """The code of a module for Xtensa, as its objects were before linking.

    Args:
        files: the object files, in any order.
        table: the names in mp_fun_table by their index; see function_table().

    Raises:
        NoBoundError: an object holds something that is not known.
    """

    def __init__(self, files: Sequence[bytes], table: Mapping[int, str]) -> None:
        self._objects = objects.read(files)
        self._table = table
        self._flows: dict[objects.Place, flow.Flow] = {}

    def worst(self, name: str, avoid: Collection[str] = ()) -> Bound:
        """Return what any call of a function takes at most that returns and raises nothing.

        Args:
            name: a function of the module, static or not.
            avoid: names of functions; ways that call one of them are left out.

        Raises:
            NoBoundError: a loop has no bound, or the code does what is not known.
        """
        start = self._objects.function(name).start
        worst = self._longest(start, None, frozenset(avoid), None, {})
        if worst is None:
            raise NoBoundError(f"{name}() never returns")
        counts = {
            other: self._longest(start, None, frozenset(avoid), other, {}) or 0
            for other in sorted(self._firmware(start))
        }
        return Bound(worst, {other: n for other, n in counts.items() if n})

    def least(self, name: str) -> int:
        """Return the fewest instructions of the module's own in any call that returns."""
        start = self._objects.function(name).start
        least = self._shortest(start)
        if least is None:
            raise NoBoundError(f"{name}() never returns")
        return least

    def stack_bytes(self, name: str) -> int:
        """Return the deepest stack of a function and those of the module that it calls.

        Each frame holds the place where the register windows of its caller are spilled. Frames of
        the firmware, below and above, are not the module's.
        """
        return self._stack(self._objects.function(name).start, ())

    def _flow(self, start: objects.Place) -> flow.Flow:
        if start not in self._flows:
            function = self._objects.functions[start]
            self._flows[start] = flow.trace(self._objects, function, self._table, RAISING)
        return self._flows[start]

    def _longest(
        self,
        start: objects.Place,
        size: int | None,
        avoid: frozenset[str],
        counted: str | None,
        known: dict[tuple[objects.Place, int | None], int | None],
    ) -> int | None:
        """Return the most instructions, or the most calls of a function of the firmware."""
        if (start, size) not in known:
            self._refuse_recursion(start, ())
            here = self._flow(start)
            cost = dict.fromkeys(here.next, 1 if counted is None else 0)
            for at, target in here.calls.items():
                if isinstance(target, flow.Firmware):
                    called = self._called(target, counted)
                elif self._objects.functions[target].name in avoid:
                    called = None
                else:
                    called = self._longest(target, here.sizes.get(at), avoid, counted, known)
                if called is None:
                    del cost[at]
                else:
                    cost[at] += called
            ways = paths.Ways(here.function.name, here.next, cost, here.records, size)
            known[start, size] = ways.longest(start.offset, here.returns)
        return known[start, size]

    def _shortest(self, start: objects.Place) -> int | None:
        self._refuse_recursion(start, ())
        here = self._flow(start)
        cost = dict.fromkeys(here.next, 1)
        for at, target in here.calls.items():
            if isinstance(target, flow.Firmware):
                called = self._called(target, None)
            else:
                called = self._shortest(target)
            if called is None:
                del cost[at]
            else:
                cost[at] += called
        ways = paths.Ways(here.function.name, here.next, cost, here.records)
        return ways.shortest(start.offset, here.returns)

    def _called(self, target: flow.Firmware, counted: str | None) -> int | None:
        """Return what a function of the firmware adds; None if it raises."""
        if target.name in RAISING:
            return None
        return int(target.name == counted)

    def _firmware(self, start: objects.Place) -> set[str]:
        names = set()
        for target in self._flow(start).calls.values():
            names |= {target.name} if isinstance(target, flow.Firmware) else self._firmware(target)
        return names

    def _stack(self, start: objects.Place, callers: tuple[objects.Place, ...]) -> int:
        self._refuse_recursion(start, callers)
        here = self._flow(start)
        called = {t for t in here.calls.values() if isinstance(t, objects.Place)}
        deepest = max((self._stack(t, (*callers, start)) for t in called), default=0)
        return here.frame_bytes + deepest

    def _refuse_recursion(self, start: objects.Place, callers: tuple[objects.Place, ...]) -> None:
        if start in callers:
            raise NoBoundError(f"{self._objects.functions[start].name}() calls itself")
        for target in set(self._flow(start).calls.values()):
            if isinstance(target, objects.Place):
                self._refuse_recursion(target, (*callers, start))


def function_table(micropython: Path) -> dict[int, str]:
    """Return the names in mp_fun_table by their index, from MicroPython's source.

    Raises:
        BuildError: the source has no such table.
    """
    header = micropython / "py" / "nativeglue.h"
    try:
        text = header.read_text(encoding="utf-8")
    except OSError as error:
        raise BuildError(
            f"{header} cannot be read: {error.strerror}", "check the path of MicroPython's source"
        ) from None
    body = re.search(r"typedef struct _mp_fun_table_t \{(.*?)\} mp_fun_table_t;", text, re.DOTALL)
    lines = [line.strip() for line in body[1].splitlines()] if body else []
    fields = [found[1] or found[2] for line in lines if (found := _FIELD.search(line))]
    table = dict(enumerate(fields))
    if table.get(50) != "memset_" or not RAISING.issubset(fields):
        raise BuildError(
            f"{header} has another table of functions than Wedau knows",
            "use a MicroPython source whose .mpy version is 6.3",
        )
    return table
