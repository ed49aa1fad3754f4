"""Cut the power at every flash operation of an update, and again at every one of its recovery."""

import hashlib
import itertools
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from wedau.build.simboard import SimFirmware
from wedau.cli import ota_node, ota_samples
from wedau.errors import SimError
from wedau.sim import direct, nor

MODES = tuple({nor.BEFORE: "before", nor.HALF: "half", nor.AFTER: "after"}[m] for m in nor.MODES)
UPDATES = ("model", "firmware")
_GOOD = 2  # decisions that confirm
_RUNS = 3  # power cycles after a cut until the new payload has to be there
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


@dataclass
class Figures:
    """What was tried.

    Attributes:
        cuts: losses of power: every operation in each mode, of the update and of each recovery.
        failures: those after which the board did not boot, decided otherwise than the old or the
            new model, or did not come to the new payload; what went wrong, one line each.
        operations: flash operations of each update without a cut, by its kind.
        boards: different contents of the flash that boards were switched on with.
    """

    cuts: int = 0
    operations: dict[str, int] = field(default_factory=dict)
    boards: int = 0
    failures: list[str] = field(default_factory=list)


def measure(
    firmware: SimFirmware,
    kinds: Sequence[str] = UPDATES,
    *,
    every: int = 1,
    say: Callable[[str], None] = lambda message: None,
) -> Figures:
    """Try updates of these kinds.

    Args:
        firmware: the simulated board's, with all modules.
        kinds: of UPDATES.
        every: of the recoveries each n-th is cut again; 0: none.
        say: called with a sentence for people now and then.
    """
    figures = Figures()
    for kind in kinds:
        with tempfile.TemporaryDirectory(prefix="wedau-") as folder:
            _Trial(Path(folder), firmware, kind, figures).run(every, say)
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
        self._seen: set[bytes] = set()
        self._numbers = itertools.count()
        serial = 2 if kind == "model" else 1
        row = ota_samples.ROW
        self._program = _PROGRAM.format(row=row, good=_GOOD, kind=kind, serial=serial)
        self._answers = {"old"} if kind == "firmware" else {"old", "new"}

    def run(self, every: int, say: Callable[[str], None]) -> None:
        repository = ota_node.Repository.make(self._folder / "releases")
        with ota_node.serve(repository.folder) as url:
            start = self._start(repository, url)
            operations = self._recover(_Image(f"{self._kind}, uncut", start))
            self._figures.operations[self._kind] = len(operations)
            first = self._new_images(start, operations, self._kind)
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                recoveries = list(pool.map(self._recover, first))
                say(f"{self._kind}: {len(first)} boards after the first cut recovered")
                pairs = list(zip(first, recoveries, strict=True))
                second = self._second(pairs[::every] if every else ())
                done = sum(1 for _ in pool.map(self._recover, second))
                say(f"{self._kind}: {done} boards after the second cut recovered")

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

    def _second(self, pairs: Iterable[tuple[_Image, list[nor.Operation]]]) -> Iterator[_Image]:
        for image, operations in pairs:
            yield from self._new_images(image.data, operations, image.where)

    def _new_images(
        self, start: bytes, operations: list[nor.Operation], where: str
    ) -> list[_Image]:
        """Return the flash after each cut, where nothing like it was tried yet."""
        found = []
        for cut, data in nor.cut_images(start, operations):
            self._figures.cuts += 1
            digest = hashlib.sha256(data).digest()
            if digest not in self._seen:
                self._seen.add(digest)
                name = f"{where}, {MODES[nor.MODES.index(cut.mode)]} operation {cut.operation}"
                found.append(_Image(name, data))
        return found

    def _recover(self, image: _Image) -> list[nor.Operation]:
        """Switch a board on until it has what is new; return what it did to its flash."""
        number = next(self._numbers)
        flash, log = self._folder / f"{number}.bin", self._folder / f"{number}.log"
        flash.write_bytes(image.data)
        board = ota_node.Node(self._firmware, flash)
        output = []
        try:
            for _ in range(_RUNS):
                ended = board.run(self._program, log=log)
                output.append(f"{ended.cause}:\n{ended.output}")
                if ended.cause != direct.EXITED or "done\n" in ended.output:
                    break
            wrong = self._wrong("".join(output))
            if wrong:
                self._figures.failures.append(f"{image.where}: {wrong}")
            self._figures.boards += 1
            return nor.read_log(log.read_bytes(), len(image.data))
        finally:
            flash.unlink()
            log.unlink(missing_ok=True)

    def _wrong(self, output: str) -> str | None:
        lines = output.splitlines()
        answers = [line.split()[-1] for line in lines if line.startswith("answer ")]
        if "done" not in lines or not answers:
            return " ".join(output.split())[-500:]
        if not set(answers) <= self._answers:
            return f"it decided {answers}"
        if self._kind == "model" and answers[-1] != "new":
            return "it kept the old model"
        return None
