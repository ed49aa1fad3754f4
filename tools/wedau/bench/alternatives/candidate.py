"""What an alternative puts on the board, before anything is compiled."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from wedau.bench.alternatives.tasks import Task
from wedau.models import Votes

MODULE = "bench"
ROWS = ("h", "f", "list")


class NotPossibleError(Exception):
    """An alternative has nothing for a task; its text says why."""


@dataclass(frozen=True)
class Candidate:
    """What an alternative puts on the board for a task.

    Attributes:
        load: a MicroPython expression; its value is called with a row and gives the class index.
        row: what a row is: "h" or "f", an array of that type code, or "list", a list of floats. All
            are values on the int16 grid.
        python: source of the module `bench`, compiled to bytecode or as its decorators say.
        c: source of the module `bench`; the function `int32_t decide(const T *x)`, T as row says.
        include: folders with its headers.
        core: files in modules/core that it calls.
        files: further files, by name.
        note: what has to be known to read its figures.
    """

    load: str = f"__import__({MODULE!r}).predict"
    row: str = "h"
    python: str = ""
    c: str = ""
    include: tuple[Path, ...] = ()
    core: tuple[str, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    note: str = ""


def forest(task: Task, what: str) -> Votes:
    """Return the forest of a task.

    Raises:
        NotPossibleError: it has a perceptron; what an alternative lacks stands in what.
    """
    if not isinstance(task.program, Votes):
        raise NotPossibleError(f"{what} has no perceptrons")
    return task.program


def exact_below(votes: Votes) -> Any:
    """Return a copy of the forest for code that tests `x < t` where scikit-learn tests `x <= t`.

    For integer x the two are the same rule if the threshold becomes floor(t) + 1.
    """
    exact = copy.deepcopy(votes.estimator)
    for member in exact.estimators_:
        inner = member.tree_.children_left >= 0
        member.tree_.threshold[inner] = np.floor(member.tree_.threshold[inner]) + 1
    return exact
