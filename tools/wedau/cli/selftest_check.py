"""A check of the device suite: scripts, their inputs, and what they have to answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Answer = Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """A script that runs in an interpreter that was started anew.

    Attributes:
        script: its name in modules/selftest.
        given: its inputs, literals.
        expected: what the host says that it has to answer, by key; other keys are figures.
        way: code that runs before and may end the connection, such as a reset; empty for none.
        restarts: whether the board has to start anew by it.
        times: how often it runs.
    """

    script: str
    given: Mapping[str, Any]
    expected: Mapping[str, Any]
    way: str = ""
    restarts: bool = True
    times: int = 1


@dataclass(frozen=True)
class Check:
    """One thing that has to hold on every board.

    Attributes:
        name: short, for the command line.
        what: for people, what holds if it passes.
        steps: one after the other.
        modules: what has to be on the board.
        rule: what cannot be said as equality: looks at all answers, returns what is wrong or None.
        only_long: whether it takes long, or restarts the board.
    """

    name: str
    what: str
    steps: Sequence[Step]
    modules: tuple[str, ...] = ()
    rule: Callable[[Sequence[Answer]], str | None] = lambda answers: None
    only_long: bool = False
