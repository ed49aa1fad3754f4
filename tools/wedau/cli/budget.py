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
            message = "; ".join([*what, "no module was made"])
            raise CheckError(message, "; ".join(dict.fromkeys(hints)))


NO_BUDGET = Budget()


def _over(
    unit: str, budget: int | None, worst: int | None, build: Build
) -> Iterator[tuple[str, str]]:
    """Yield what is wrong and what to do, if anything is."""
    if budget is None:
        return
    if worst is None:
        in_general = unit == "instructions" or not build.is_data
        why = (build.unbounded if in_general else None) or "not measured"
        yield (
            f"it is not known whether the model keeps the budget of {budget} {unit}: {why}",
            _hint_unknown(unit, build),
        )
    elif worst > budget:
        takes = "takes" if unit == "bytes of flash" else "may take"
        yield (
            f"the model {takes} {worst} {unit}, {worst - budget} more than the budget of {budget}",
            "train a smaller model, or raise the budget",
        )


def _hint_unknown(unit: str, build: Build) -> str:
    if not build.is_data:
        return "build it for xtensawin, or leave that budget out"
    if unit == "instructions":
        return "build it without '--format data', or leave that budget out"
    return "add '--on-board': it measures the RAM"
