"""Goldens: what a model answers to rows that the node makes, too, for its self-test there."""

import math
from typing import Any

import numpy as np

from wedau.errors import OtaError
from wedau.models.program import Floats, Program, Rows
from wedau.models.unknown import WithUnknown
from wedau.ota.fields import load, node

_EXACT = ("votes",)  # families whose ties the board breaks as the laptop does
_MOST_NUMBERS = 6000  # in all rows: each costs the board some 300 instructions
_REGRESSION_ROWS = 4
_SEEDS = 64
_MARGIN = 1e-3  # between the best two classes; the board's arithmetic is much closer than that
_DIGITS = 3  # of a regressor's value
_MARGIN_UNITS = 0.1
_node: Any = load("goldens")


def make(program: Program) -> list[int]:
    """Return a model's golden, whose rows are far from where rounding could change an answer.

    Args:
        program: the model.

    Returns:
        Rows, features, seed, CRC-32 of the answers, exponent; see the node's goldens.py.

    Raises:
        OtaError: the model cannot tell any two classes apart.
    """
    regressor = program.task == "regressor"
    count = min(node.MAX_ROWS, max(1, _MOST_NUMBERS // program.n_features))
    count = min(count, _REGRESSION_ROWS) if regressor else count
    while count:
        for seed in range(_SEEDS):
            golden = [count, program.n_features, seed, 0, 0]
            found = rows(golden)
            golden[4] = _exponent(program.outputs(found)) if regressor else 0
            if _is_clear(program, found, golden[4]):
                golden[3] = answers(program, golden)
                return golden
        count //= 2
    raise OtaError(
        "the model gives nearly the same for all classes, so the node could not test it",
        "see its report: it decides hardly better than chance",
    )


def rows(golden: list[int]) -> Rows:
    """Return the rows of a golden, int16, shape (rows, features)."""
    made = _node.rows(golden[0], golden[1], golden[2])
    return np.array([np.array(row, np.int16) for row in made])


def answers(program: Program, golden: list[int]) -> int:
    """Return the CRC-32 of what a model answers to a golden's rows."""
    return int(_node.answers(_Module(program), golden))


class _Module:
    """A program with the interface of a model's module on the board."""

    def __init__(self, program: Program) -> None:
        self._program = program
        if program.task != "regressor":
            self.labels = ()

    def predict(self, row: Any, out: Any = None) -> Any:
        answer = self._program.predict(np.array([row], np.int16))[0]
        return int(answer) if out is None else [float(answer)]


def _exponent(values: Floats) -> int:
    """Return the power of ten that gives the largest value some digits."""
    largest = float(np.abs(values).max())
    digits = math.floor(math.log10(largest)) if largest > 0 else 0
    return max(-30, min(30, digits - _DIGITS + 1))


def _is_clear(program: Program, found: Rows, exponent: int) -> bool:
    """Return whether no answer is near to being another one."""
    if program.family in _EXACT:
        return True
    outputs = program.outputs(found)
    if isinstance(program, WithUnknown):
        shares = program.known.outputs(found).max(axis=1)
        near = np.abs(shares - program.confidence).min() <= _MARGIN
        return not near and _is_clear(program.known, found, exponent)
    if program.task == "regressor":
        units = outputs / 10.0**exponent
        return bool(np.abs(units - np.rint(units)).min() > _MARGIN_UNITS)
    if program.task == "anomaly":
        scale = max(1.0, float(np.abs(outputs).max()))
        return bool(np.abs(outputs).min() > _MARGIN * scale)
    best = np.sort(outputs, axis=1)
    return bool((best[:, -1] - best[:, -2]).min() > _MARGIN)
