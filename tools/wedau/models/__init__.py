"""What a model computes, family by family, as plain arrays on the int16 grid."""

from collections.abc import Mapping
from typing import Any

from wedau.models.dense import Dense
from wedau.models.from_sklearn import class_labels, from_sklearn, last_step
from wedau.models.gaussian import Gaussian
from wedau.models.neighbours import Neighbours
from wedau.models.program import ANOMALY_LABELS, Program, Task, damaged
from wedau.models.sums import Sums
from wedau.models.unknown import WithUnknown
from wedau.models.votes import Votes

__all__ = [
    "ANOMALY_LABELS",
    "Dense",
    "Gaussian",
    "Neighbours",
    "Program",
    "Sums",
    "Task",
    "Votes",
    "WithUnknown",
    "class_labels",
    "from_json",
    "from_sklearn",
    "last_step",
    "to_json",
]

_FAMILIES: Mapping[str, type[Program]] = {
    each.family: each for each in (Votes, Sums, Dense, Gaussian, Neighbours, WithUnknown)
}


def to_json(program: Program) -> dict[str, Any]:
    """Return a program as JSON's types, with the name of its family."""
    return {"family": program.family, **program.to_json()}


def from_json(data: Any) -> Program:
    """Read a program and check all of it.

    Raises:
        DataError: the family is unknown, or a field is missing or not possible.
    """
    if not isinstance(data, dict) or data.get("family") not in tuple(_FAMILIES):
        raise damaged("it names no family that this version knows")
    try:
        return _FAMILIES[data["family"]].from_json(data)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise damaged(f"{type(error).__name__}: {error}".replace("\n", " ")) from error
