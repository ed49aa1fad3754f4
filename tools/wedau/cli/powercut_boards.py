"""Boards that are switched on after a loss of power; what is known of them is not run again."""

import itertools
import threading
from dataclasses import dataclass, field
from pathlib import Path

from wedau.build.simboard import SimFirmware
from wedau.cli import ota_node
from wedau.errors import SimError
from wedau.sim import nor
from wedau.sim.recall import Recall

POWER, RESTART = "SIM_RESET_POWER_ON", "SIM_RESET_HARD"  # how a run can begin
_CHECKED = 100  # of the runs that are foretold each n-th is run all the same


@dataclass
class Figures:
    """What was tried.

    Attributes:
        cuts: losses of power: every operation in each mode, of the update and of each recovery.
        failures: those after which the board did not boot, decided otherwise than the old or the
            new model, or did not come to the new payload; what went wrong, one line each.
        operations: flash operations of each update without a cut, by its kind.
        runs: of boards, from a start to the next restart or the end.
        foretold: runs that were not needed: the flash was the same wherever an earlier one read.
        checked: of foretold, those that were run all the same; they did what was foretold.
    """

    cuts: int = 0
    operations: dict[str, int] = field(default_factory=dict)
    runs: int = 0
    foretold: int = 0
    checked: int = 0
    failures: list[str] = field(default_factory=list)


@dataclass
class Run:
    """From a start to the next restart or the end."""

    cause: str
    output: str
    operations: list[nor.Operation]


class Boards:
    """Runs boards, each in a flash file of its own, and knows what earlier ones did."""

    def __init__(self, folder: Path, firmware: SimFirmware, program: str, figures: Figures) -> None:
        self._folder, self._firmware, self._program = folder, firmware, program
        self._figures = figures
        self._recall: dict[str, Recall[Run]] = {POWER: Recall(), RESTART: Recall()}
        self._numbers = itertools.count()
        self._lock = threading.Lock()

    def run(self, flash: bytes, start: str) -> Run:
        """Return what a board with this flash does until its next restart; start: how it begins."""
        recall = self._recall[start]
        with self._lock:
            known = recall.find(flash)
            if known is not None:
                self._figures.foretold += 1
                check = self._figures.foretold % _CHECKED == 0
                self._figures.checked += check
                if not check:
                    return known
            number = next(self._numbers)
        path, log = self._folder / f"{number}.bin", self._folder / f"{number}.log"
        path.write_bytes(flash)
        node = ota_node.Node(self._firmware, path, {"most_boots": 1, "first_cause": start})
        try:
            ended = node.run(self._program, log=log)
            steps = nor.read_steps(log.read_bytes(), len(flash))
        finally:
            path.unlink()
            log.unlink(missing_ok=True)
        done = [each for each in steps if isinstance(each, nor.Operation)]
        run = Run(ended.cause, ended.output, done)
        with self._lock:
            self._figures.runs += 1
            if known is None:
                recall.add(flash, steps, run)
            elif run != known:
                raise SimError("a board did not do what was foretold", "this is a bug: report it")
        return run
