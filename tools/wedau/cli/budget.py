"""Budgets that a build has to keep."""

from collections.abc import Iterator
from dataclasses import dataclass

from wedau.errors import CheckError
from wedau.report import Build


@dataclass(frozen=True)
class Budget:
    """The most that a build may take; None: no limit.

    Attributes:
        instructions: of any call of predict with a row on the grid.
        flash: bytes of the board's file system.
        ram: bytes of RAM while the model is imported and running.
    """

    instructions: int | None = None
    flash: int | None = None
    ram: int | None = None

    def check(self, build: Build) -> None:
        """Compare a build with the budget.

        Raises:
            CheckError: it takes more, or it is not known what it takes; says of what and by how
                much.
        """
        over = [
            *_over("instructions", self.instructions, build.instructions_worst_bound, build),
            *_over("bytes of flash", self.flash, build.flash_bytes, build),
            *_over("bytes of RAM", self.ram, build.ram_bytes, build),
        ]
        if over:
            what, hints = zip(*over, strict=True)
            raise CheckError("; ".join(what) + "; no module was made", "; ".join(hints))


NO_BUDGET = Budget()


def _over(
    unit: str, budget: int | None, worst: int | None, build: Build
) -> Iterator[tuple[str, str]]:
    """Yield what is wrong and what to do, if anything is."""
    if budget is None:
        return
    if worst is None:
        why = build.unbounded if unit == "instructions" and build.unbounded else "not measured"
        yield (
            f"whether the model keeps the budget of {budget} {unit} cannot be told: {why}",
            _HINTS_UNKNOWN[build.is_data],
        )
    elif worst > budget:
        most = "at most " if unit != "bytes of flash" else ""
        yield (
            f"the model takes {most}{worst} {unit}, {worst - budget} more than the budget of "
            f"{budget}",
            "train fewer or shallower trees, or raise the budget",
        )


_HINTS_UNKNOWN = {
    False: "build for xtensawin, or leave that budget out",
    True: "build without '--format data' to bound instructions; add --on-board to measure RAM",
}
