"""What a module has to give for which inputs, and whether it did."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from wedau.convert import trees
from wedau.errors import ConvertError
from wedau.models import Program, Sums, Votes, WithUnknown
from wedau.models.program import GRID_MAX, GRID_MIN, Floats, Ints, Rows

BOUND = 1e-4  # of probabilities; of other outputs relative to the largest where that is above 1
_HINT = "the compiler is the likely culprit: run 'wedau doctor' and report its versions"
_LEVEL = "two classes are level there but for rounding: train with another number of trees or rows"


@dataclass(frozen=True)
class Case:
    """Inputs of a module and what scikit-learn makes of them.

    Attributes:
        program: the model.
        held_out: int16, shape (n_held_out, n_features).
        predicted: what scikit-learn predicts for these rows, shape (n_held_out,).
        outputs: its probabilities, values or decisions, float64, shape (n_held_out, n_outputs).
        boundary: int16, shape (n_boundary, n_features): inputs at every threshold of trees; none
            for other families.
        rows: held_out, then boundary.
    """

    program: Program
    held_out: Rows
    predicted: Ints | Floats
    outputs: Floats
    boundary: Rows = field(init=False)
    rows: Rows = field(init=False)

    def __post_init__(self) -> None:
        boundary = boundary_rows(self.program, self.held_out)
        object.__setattr__(self, "boundary", boundary)
        object.__setattr__(self, "rows", np.concatenate([self.held_out, boundary]))

    @classmethod
    def of_program(cls, program: Program, held_out: Rows) -> "Case":
        """Take the program itself for scikit-learn: voting trees are."""
        return cls(program, held_out, program.predict(held_out), program.outputs(held_out))

    @property
    def tolerance(self) -> float:
        """How far an output may be from scikit-learn's."""
        largest = float(np.max(np.abs(self.outputs), initial=1.0))
        return BOUND * (1.0 if self.program.task == "classifier" else largest)

    def expected(self) -> Ints | Floats:
        """Return scikit-learn's decisions for held_out, the program's for boundary."""
        if not len(self.boundary):
            return self.predicted
        return np.concatenate([self.predicted, self.program.predict(self.boundary)])

    def check(self, decided: NDArray[np.generic] | None, outputs: NDArray[np.float32]) -> "Checked":
        """Compare what a module gave; equal classes, outputs within the tolerance.

        Args:
            decided: class index for each of `rows`; None from a regressor.
            outputs: float32, shape (n_held_out, n_outputs), for the held-out rows; a regressor's
                for all rows.

        Raises:
            ConvertError: it decides one input otherwise; names the input.
        """
        if decided is not None:
            self._check_equal(decided)
        expected = self.outputs
        if self.program.task == "regressor" and len(self.boundary):
            expected = np.concatenate([expected, self.program.outputs(self.boundary)])
        error = np.abs(outputs - expected)
        largest = float(np.max(error, initial=0.0))
        if not largest <= self.tolerance:
            first = int(np.argmax(error.max(axis=1)))
            raise ConvertError(
                f"{self.name(first)} gives {outputs[first].tolist()} on the board instead of "
                f"{expected[first].tolist()}, further away than {self.tolerance:g}; "
                "no module was made",
                self._hint(),
            )
        return Checked(0, largest)

    def _check_equal(self, decided: NDArray[np.generic]) -> None:
        expected = self.expected()
        wrong = np.flatnonzero(decided != expected)
        if not len(wrong):
            return
        first = int(wrong[0])
        raise ConvertError(
            f"{len(wrong)} of {len(self.rows)} inputs are decided otherwise on the board, the "
            f"first is {self.name(first)}: class {decided[first]} instead of {expected[first]}; "
            "no module was made",
            self._hint(first),
        )

    def name(self, number: int) -> str:
        """Name one of the rows."""
        if number < len(self.held_out):
            return f"held-out row {number + 2} of held_out.csv"
        return f"boundary input {number - len(self.held_out)}"

    def _hint(self, number: int | None = None) -> str:
        if number is not None and number < len(self.held_out):
            row = self.held_out[number : number + 1]
            if self.program.predict(row)[0] != self.predicted[number]:
                return _LEVEL
        if isinstance(self.program, Votes | Sums):
            return _HINT
        return "the board has float32 only, which is too coarse here: use a family of trees"


@dataclass(frozen=True)
class Checked:
    """What the comparison showed.

    Attributes:
        differences: inputs decided otherwise.
        max_error: largest distance of an output from scikit-learn's.
    """

    differences: int
    max_error: float


def boundary_rows(program: Program, held_out: Rows) -> Rows:
    """Return the inputs at each threshold, made from the held-out rows."""
    base = held_out if len(held_out) else np.zeros((1, program.n_features), np.int16)
    limits: list[Rows] = []
    if isinstance(program, WithUnknown):
        limits = list(_limit_rows(program, base))
        program = program.known
    members: Sequence[trees.GridTree] = ()
    if isinstance(program, Votes | Sums):
        members = program.trees
    empty = np.zeros((0, program.n_features), np.int16)
    return np.concatenate([empty, *trees.boundary_inputs(members, base), *limits])


def _limit_rows(program: WithUnknown, base: Rows) -> Iterator[Rows]:
    """Give inputs at and just outside each feature's range, and at the ends of the grid."""
    for i in range(program.n_features):
        low, high = int(program.low[i]), int(program.high[i])
        values = np.clip([low, low - 1, high, high + 1, GRID_MIN, GRID_MAX], GRID_MIN, GRID_MAX)
        rows = base[(i + np.arange(len(values))) % len(base)].copy()
        rows[:, i] = values
        yield rows
