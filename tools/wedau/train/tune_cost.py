"""What a model will take on the board, estimated from its arrays.

The estimates only say in which order models are built and measured. Their factors were fitted, by
least squares of the relative error, to 35 models of seven kinds on scikit-learn's digits, wine and
breast cancer, compiled for the ESP32-S3 by clang 22: no trees were off by more than 11 %, no layers
by more than 20 %. Those of data files were fitted to the dearest inputs that a search on the
simulated board found for seven forests: off by 5 % at most. Each search reports how far off they
were for the models that it built.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from wedau.models import Dense, Gaussian, Neighbours, Program, Sums, Votes

_CALL = 110  # instructions of a call from Python, outside of the module
TOLERANCE = 0.2
"""How far above a limit an estimate may be for the model to be built and measured all the same."""


@dataclass(frozen=True)
class Limits:
    """What a model may take; None: any amount.

    Attributes:
        instructions: of any prediction.
        flash_bytes: of the board's file system.
    """

    instructions: int | None = None
    flash_bytes: int | None = None

    def used(self, cost: "Cost") -> float:
        """Return the larger share of the limits that a cost takes; above 1 it exceeds one."""
        return max(
            _share(cost.instructions, self.instructions), _share(cost.flash_bytes, self.flash_bytes)
        )


def _share(taken: int, limit: int | None) -> float:
    return 0.0 if limit is None else taken / max(limit, 1)


@dataclass(frozen=True)
class Cost:
    """What a model takes.

    Attributes:
        instructions: the most that a prediction takes, whatever the row.
        flash_bytes: size of the module's file, or of the data file and its shim.
    """

    instructions: int
    flash_bytes: int


def of_module(program: Program, features: Sequence[str]) -> Cost:
    """Estimate what a program takes as a native module for xtensawin.

    Args:
        program: the model.
        features: their names, which the module carries.
    """
    instructions, flash_bytes = _estimate(program)
    return Cost(round(_CALL + instructions), round(flash_bytes + _table_bytes(features)))


def of_data(program: Votes, features: Sequence[str]) -> Cost:
    """Estimate what trees that vote take as a data file; see of_module."""
    trees, depths, decisions = _counted(program)
    instructions = 300 + 7.4 * depths + 12 * trees + 19.5 * program.n_outputs
    flash_bytes = 468 + 6 * decisions + 4 * trees + _table_bytes(features)
    return Cost(round(instructions), round(flash_bytes))


def _table_bytes(features: Sequence[str]) -> int:
    """Return the bytes of the features' names and scales."""
    return sum(len(name.encode()) + 1 + 4 for name in features)


def _estimate(program: Program) -> tuple[float, float]:
    """Return instructions of the module's own, and bytes without the features' names and scales."""
    n = program.n_features
    if isinstance(program, Votes):
        trees, depths, decisions = _counted(program)
        return (
            3.8 * depths + 7.2 * trees + 27 * program.n_outputs,
            2360 + 11.3 * decisions + 97 * trees,
        )
    if isinstance(program, Sums):
        trees, depths, decisions = _counted(program)
        values = sum(tree.value.size for tree in program.trees)
        return (
            2.9 * depths + 8.7 * trees + 35 * program.n_outputs,
            3870 + 15.1 * decisions + 4 * values + 16 * trees,
        )
    if isinstance(program, Dense):
        weights = sum(layer.weights.size for layer in program.layers)
        return 5 * weights + 4 * len(program.layers) + 10.5 * n, 5365 + 4.5 * weights
    if isinstance(program, Gaussian):
        means = n * len(program.base)
        return 153 + 9.4 * means, 4121 + 7.9 * means
    if isinstance(program, Neighbours):
        rows = len(program.rows)
        return 10.2 * rows * n + 24.6 * rows * program.k, 4423 + 2 * rows * n
    raise TypeError(f"no estimate for {type(program).__name__}")


def _counted(program: Votes | Sums) -> tuple[int, int, int]:
    """Return the number of trees, the sum of their depths, and the decisions in all."""
    trees = len(program.trees)
    depths = sum(tree.depth() for tree in program.trees)
    return trees, depths, (program.n_nodes - trees) // 2
