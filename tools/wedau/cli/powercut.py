"""Cut the power at every flash operation of an update, and again at every one of its recovery.

One board does the update uncut, and its log of flash operations tells what lies in the flash after
a cut at each of them, in each mode. Each such flash is put into a board that is switched on again
and again until it has what is new: its recovery. The logs of the recoveries tell in the same way
what a second cut leaves, and these flashes have to recover, too.

What a board does from its start to the next restart follows from how it was started and from what
it reads in its flash. So a flash that is the same in all places that an earlier run read is not run
again: what it would do is known (wedau.sim.recall). Most cuts in the middle of a download are such,
for what was half written is erased before it is read. One in a hundred of these is run all the
same, and has to do what was foretold.
"""

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from wedau.build.simboard import SimFirmware
from wedau.cli import ota_node, ota_samples
from wedau.cli.powercut_boards import POWER, RESTART, Boards, Figures, Run
from wedau.errors import SimError
from wedau.sim import direct, nor

MODES = tuple({nor.BEFORE: "before", nor.HALF: "half", nor.AFTER: "after"}[m] for m in nor.MODES)
UPDATES = ("model", "firmware")
_GOOD = 2  # decisions that confirm
_MOST_RUNS = 8  # from a cut until the new payload has to be there, restarts included
_PROGRAM = """
import wedau.ota
wedau.ota.boot()
import saw
from array import array
print("answer", saw.labels[saw.predict(array("h", {row!r}))])
for _ in range({good}):
    wedau.ota.good()
news = wedau.ota.status().get({kind!r}, {{}})
if news.get("serial") == {serial} and news["state"] == "confirmed":
    print("done")
    raise SystemExit
error = wedau.ota.check()
print("error", error and error.code, error)
"""


def measure(
    firmware: SimFirmware,
    kinds: Sequence[str] = UPDATES,
    *,
    step: int = 1,
    every: int = 1,
    say: Callable[[str], None] = lambda message: None,
) -> Figures:
    """Try updates of these kinds.

    Args:
        firmware: the simulated board's, with all modules.
        kinds: of UPDATES.
        step: of the cuts of the update each n-th is made.
        every: of the recoveries each n-th is cut again; 0: none.
        say: called with a sentence for people now and then.

    Raises:
        SimError: a board did otherwise than another one that read the same.
    """
    figures = Figures()
    for kind in kinds:
        with tempfile.TemporaryDirectory(prefix="wedau-") as folder:
            _Trial(Path(folder), firmware, kind, figures).run(step, every, say)
    return figures


@dataclass
class _Image:
    """The flash after a loss of power, and which that was."""

    where: str
    data: bytes


class _Trial:
    def __init__(self, folder: Path, firmware: SimFirmware, kind: str, figures: Figures) -> None:
        self._folder, self._firmware, self._kind = folder, firmware, kind
        self._figures = figures
        serial = 2 if kind == "model" else 1
        row = ota_samples.ROW
        program = _PROGRAM.format(row=row, good=_GOOD, kind=kind, serial=serial)
        self._boards = Boards(folder, firmware, program, figures)
        self._answers = {"old"} if kind == "firmware" else {"old", "new"}

    def run(self, step: int, every: int, say: Callable[[str], None]) -> None:
        repository = ota_node.Repository.make(self._folder / "releases")
        with ota_node.serve(repository.folder) as url:
            start = _Image(f"{self._kind}, uncut", self._start(repository, url))
            operations = self._recover(start)
            self._figures.operations[self._kind] = len(operations)
            first = list(_cut(_Image(self._kind, start.data), operations))[::step]
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                recoveries = list(pool.map(self._recover, first))
                say(f"{self._kind}: {len(first)} first cuts, {self._failed()}")
                pairs = list(zip(first, recoveries, strict=True))[::every] if every else []
                cuts = sum(pool.map(self._recover_again, pairs))
                say(f"{self._kind}: {cuts} cuts of the recoveries, {self._failed()}")
        self._figures.cuts += len(first) + cuts

    def _failed(self) -> str:
        return f"{len(self._figures.failures)} failures so far"

    def _start(self, repository: ota_node.Repository, url: str) -> bytes:
        """Return the flash of a node that has the old model and is to get something new."""
        repository.release(ota_samples.small_model("old"))
        settings = {"url": url, "confirm_after": _GOOD}
        flash = self._folder / "start.bin"
        node = ota_node.Node.provisioned(self._firmware, flash, repository.root, settings)
        ended = node.run(ota_samples.SETTLE)
        if "confirmed" not in ended.output:
            raise SimError(f"the first model did not arrive: {ended.output}", "report this")
        new = ota_samples.small_firmware if self._kind == "firmware" else ota_samples.small_model
        repository.release(new("new"))
        return flash.read_bytes()

    def _recover_again(self, cut: tuple[_Image, list[nor.Operation]]) -> int:
        """Cut the recovery from a cut at each of its operations; return how many cuts that were."""
        image, operations = cut
        return sum(1 for second in _cut(image, operations) if self._recover(second) is not None)

    def _recover(self, image: _Image) -> list[nor.Operation]:
        """Switch a board on until it has what is new; return what it did to its flash."""
        memory = bytearray(image.data)
        runs: list[Run] = []
        start = POWER
        for _ in range(_MOST_RUNS):
            runs.append(self._boards.run(bytes(memory), start))
            for operation in runs[-1].operations:
                nor.apply(memory, operation)
            start = RESTART if runs[-1].cause == direct.RESETS else POWER
            if "done\n" in runs[-1].output or runs[-1].cause not in (direct.EXITED, direct.RESETS):
                break
        wrong = self._wrong(runs)
        if wrong:
            self._figures.failures.append(f"{image.where}: {wrong}")
        return [operation for run in runs for operation in run.operations]

    def _wrong(self, runs: Sequence[Run]) -> str | None:
        output = "".join(f"{run.cause}:\n{run.output}" for run in runs)
        lines = output.splitlines()
        answers = [line.split()[-1] for line in lines if line.startswith("answer ")]
        if "done" not in lines or not answers:
            return " ".join(output.split())[-500:]
        if not set(answers) <= self._answers:
            return f"it decided {answers}"
        if self._kind == "model" and answers[-1] != "new":
            return "it kept the old model"
        if self._kind == "firmware" and "firmware new\n" not in runs[-1].output:
            return "it kept the old firmware"
        return None


def _cut(start: _Image, operations: Sequence[nor.Operation]) -> Iterator[_Image]:
    """Yield the flash after each cut."""
    for cut, data in nor.cut_images(start.data, operations):
        mode = MODES[nor.MODES.index(cut.mode)]
        yield _Image(f"{start.where}, {mode} operation {cut.operation}", data)
