"""What happens over a long time: many predictions, loads and pushes on simulated boards."""

import ast
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wedau import __version__
from wedau.bench import digits as reference
from wedau.build.simboard import SimFirmware
from wedau.cli.console import bar, say
from wedau.cli.verify import check_tools, compile_program, scratch
from wedau.cli.workbench import micropython_source, sim_firmware
from wedau.convert import module
from wedau.device import link, push
from wedau.errors import CheckError
from wedau.models import Votes
from wedau.sim import boards, direct, nor

_NAME = "endurance"
_FLASH_BYTES = 256 * 1024
_CUTS_A_PUSH = 20
_ROWS = 16

_HEAD = """
import gc
from array import array
import {name}
rows = [array('h', row) for row in {rows!r}]
def answers():
    return [{name}.predict(row) for row in rows]
"""

# Nothing is collected: whatever a call left on the heap would be found.
_PREDICT = """
def block(n, predict, wanted):
    wrong = 0
    for i in range(n):
        if predict(rows[i & 15]) != wanted[i & 15]:
            wrong += 1
    return wrong
def run(blocks, wanted):
    wrong = block(1000, endurance.predict, wanted)
    gc.collect()
    gc.disable()
    start = gc.mem_alloc()
    for i in range(blocks):
        wrong += block(1000, endurance.predict, wanted)
    print(repr((wrong, gc.mem_alloc() - start)))
run({blocks}, {wanted})
"""


@dataclass(frozen=True)
class Endured:
    """What many runs left behind.

    Attributes:
        predictions: made in a row, each compared with the host's.
        predictions_wrong: how many of them differed.
        predictions_heap_bytes: heap that they took, nothing being collected.
        loads: how often a module was loaded, used, and unloaded by a soft reset.
        loads_heap_growth_bytes: the most heap ever in use after a load, less that after the first.
        pushes: how many were ended by a loss of power at a random operation of the flash.
        pushes_old: boards that decided as the old model afterwards.
        pushes_new: boards that decided as the new one. All others would be failures.
        pushes_failed: boards that did neither.
    """

    predictions: int
    predictions_wrong: int
    predictions_heap_bytes: int
    loads: int
    loads_heap_growth_bytes: int
    pushes: int
    pushes_old: int
    pushes_new: int
    pushes_failed: int

    def check(self) -> None:
        """Raise CheckError where something did not endure."""
        found = [
            f"{name.replace('_', ' ')}: {value:,}"
            for name, value in vars(self).items()
            if name.endswith(("_wrong", "_bytes", "_failed")) and value
        ]
        if found:
            raise CheckError("; ".join(found), "run it again with the same numbers: it repeats")


@dataclass(frozen=True)
class _Model:
    content: bytes
    rows: list[list[int]]
    answers: list[int]

    @property
    def head(self) -> str:
        return _HEAD.format(name=_NAME, rows=self.rows)


def endure(predictions: int, loads: int, pushes: int, micropython: Path | None = None) -> Endured:
    """Predict, load and push so often; see Endured.

    Args:
        predictions: how many; thousands are counted.
        loads: how many.
        pushes: how many losses of power.
        micropython: its source, instead of the pinned one.
    """
    check_tools("xtensawin")
    firmware = sim_firmware(micropython)
    say("compiling two models")
    with scratch() as work:
        old, new = (_model(i, work, micropython) for i in range(2))
        flash = work / "flash"
        _start_with(old, flash, firmware)
        wrong, heap = _predict(old, flash, firmware, predictions // 1000)
        growth = _load(old, flash, firmware, loads)
        outcomes = list(_pushes(old, new, work, firmware, pushes))
    return Endured(
        predictions=predictions // 1000 * 1000,
        predictions_wrong=wrong,
        predictions_heap_bytes=heap,
        loads=loads,
        loads_heap_growth_bytes=growth,
        pushes=pushes,
        pushes_old=outcomes.count(old.answers),
        pushes_new=outcomes.count(new.answers),
        pushes_failed=len(outcomes) - sum(map(outcomes.count, (old.answers, new.answers))),
    )


def _model(index: int, work: Path, micropython: Path | None) -> _Model:
    """Compile some trees of the reference forest; those of the two models differ."""
    program, unseen, _ = reference.forest()
    members = program.trees[4 * index : 4 * index + 4]
    small = Votes(members, unseen.shape[1], len(reference.LABELS))
    info = module.ModuleInfo(
        name=_NAME,
        version=f"{index + 1}.0.0",
        labels=reference.LABELS,
        features=reference.FEATURES,
        scale=np.full(unseen.shape[1], reference.SCALE, np.float32),
        recipe=b"",
        data_sha256=reference.data_sha256(),
        wedau=__version__,
    )
    source = micropython_source(micropython).path
    compiled = compile_program(small, info, "xtensawin", work, source)
    rows = unseen[:_ROWS]
    return _Model(compiled.path.read_bytes(), rows.tolist(), small.predict(rows).tolist())


def _run(program: str, flash: Path, firmware: SimFirmware, timeout_s: float = 60.0) -> str:
    """Return what a program prints; empty where it does not come to its end."""
    ended = direct.run(firmware.elf, firmware.plugin, flash, program, timeout_s=timeout_s)
    return ended.output if ended.cause == direct.EXITED else ""


def _start_with(model: _Model, flash: Path, firmware: SimFirmware) -> None:
    with _board(flash, firmware) as board:
        push.push(board, {f"{_NAME}.mpy": model.content})


def _predict(model: _Model, flash: Path, firmware: SimFirmware, blocks: int) -> tuple[int, int]:
    say(f"predicting {blocks * 1000:,} times")
    program = model.head + _PREDICT.replace("{blocks}", str(blocks)).replace(
        "{wanted}", repr(model.answers)
    )
    said = _run(program, flash, firmware, timeout_s=60 + blocks)
    if not said:
        raise CheckError("the board broke off while it predicted", "report this")
    wrong, heap = ast.literal_eval(said)
    return wrong, heap


def _load(model: _Model, flash: Path, firmware: SimFirmware, loads: int) -> int:
    """Load, use and unload; return by how much the heap in use was ever above that of the first."""
    say(f"loading and unloading {loads:,} times")
    used: list[int] = []
    program = f"{model.head}\nright = answers() == {model.answers!r}\ngc.collect()\n"
    with _board(flash, firmware) as board, bar("loading and unloading") as on_progress:
        for done in range(loads):
            board.soft_reset()
            right, heap = board.literal(board.run(program + "print((right, gc.mem_alloc()))"))
            if not right:
                raise CheckError(f"load {done + 1} decides otherwise than the host", "report this")
            used.append(heap)
            on_progress(done + 1, loads)
    return max(used, default=0) - used[0] if used else 0


def _pushes(
    old: _Model, new: _Model, work: Path, firmware: SimFirmware, count: int
) -> Iterator[list[int] | None]:
    """Push, cut each push at random operations of the flash, and yield what the boards decide.

    A push from old to new is done in full, with a log of what it did to the flash. A cut is the
    flash from before with the operations up to a random one, that one being done not, by half or
    whole; more of them lie near the end, where the new model takes the old one's place. The next
    push starts on the flash that the one before left.
    """
    say(f"cutting {count:,} pushes off")
    chance = random.Random(1)
    flash, torn, log = work / "flash", work / "torn", work / "log"
    done = 0
    with bar("cutting pushes off") as on_progress:
        while done < count:
            _start_with(old, flash, firmware)
            start = flash.read_bytes()
            log.write_bytes(b"")
            with _board(flash, firmware, log) as board:
                push.push(board, {f"{_NAME}.mpy": new.content})
            operations = nor.read_log(log.read_bytes(), len(start))
            for _ in range(min(_CUTS_A_PUSH, count - done)):
                at = int(len(operations) * (1 - chance.random() ** 3))  # more often near the end
                at, mode = min(at, len(operations) - 1), chance.choice(nor.MODES)
                torn.write_bytes(_torn(start, operations, at, mode))
                said = _run(f"{old.head}\nprint(answers())", torn, firmware)
                yield ast.literal_eval(said) if said else None
                done += 1
                on_progress(done, count)


def _torn(start: bytes, operations: list[nor.Operation], at: int, mode: int) -> bytes:
    memory = bytearray(start)
    for operation in operations[:at]:
        nor.apply(memory, operation)
    nor.apply(memory, operations[at], mode)
    return bytes(memory)


@contextmanager
def _board(flash: Path, firmware: SimFirmware, log: Path | None = None) -> Iterator[link.Board]:
    """Run a board on a flash file, connected, for the block."""
    size = None if flash.exists() else _FLASH_BYTES
    with (
        boards.board(firmware.elf, firmware.plugin, flash=flash, flash_bytes=size, log=log) as sim,
        link.Board(sim.port) as board,
    ):
        yield board
