"""Measure other ways from a model to a board beside ours, all on the simulated board."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from wedau.bench.alternatives import emlearn_c, generators, handwritten, tasks
from wedau.bench.alternatives.candidate import Candidate, NotPossibleError
from wedau.bench.alternatives.outside import Outside
from wedau.bench.alternatives.tasks import Task
from wedau.build import simboard, symbols
from wedau.cli import alternatives_building as building
from wedau.cli import alternatives_of_ours as ours
from wedau.cli import verify
from wedau.cli.console import say
from wedau.cli.workbench import micropython_source, sim_firmware
from wedau.device import push, side_by_side
from wedau.device.link import Board, BoardError
from wedau.errors import BuildError, DeviceError, UsageError
from wedau.sim import boards

FIRMWARE = "wedau, in the firmware"
OURS = {"wedau, module": ours.module, "wedau, data file": ours.data_file}
THEIRS: Mapping[str, Callable[[Task], Candidate]] = {
    "emlearn, loadable": emlearn_c.loadable,
    "emlearn, loadable as written": emlearn_c.as_written,
    "micromlgen, C": generators.micromlgen,
    "everywhereml, Python": generators.everywhereml,
    "m2cgen, Python": generators.m2cgen,
    "by hand, viper": handwritten.viper,
    "by hand, native": handwritten.native,
}
NAMES = (*OURS, FIRMWARE, *THEIRS)
_PSRAM_BYTES = 4 * 1024 * 1024
_NEEDS_PSRAM = "too large for the heap of a board without PSRAM, so measured with 4 MB of heap"

_Make = Callable[[Path], Candidate]


@dataclass(frozen=True)
class Row:
    """What an alternative costs for a model; None where it cannot be measured.

    Attributes:
        name: of the alternative.
        data: name of the data set.
        trees: how many the forest has; None: the model is a perceptron.
        instructions_mean: a call from Python, mean over all held-out rows.
        heap_bytes: what loading keeps, and what a call allocates.
        flash_bytes: of all its files; in the firmware, of its code and tables.
        load_instructions: from a board that has just started to a function that decides.
        differences: how many of the held-out rows it decides otherwise than scikit-learn.
        note: what has to be known, or why there are no figures.
    """

    name: str
    data: str
    trees: int | None
    instructions_mean: float | None
    heap_bytes: int | None
    flash_bytes: int | None
    load_instructions: int | None
    differences: int | None
    note: str


@dataclass(frozen=True)
class Bench:
    """What stays the same for all rows.

    Attributes:
        source: of MicroPython.
        firmware: of the simulated board.
        outside: implementations from folders.
    """

    source: Path
    firmware: simboard.SimFirmware
    outside: Sequence[Outside]


def measure(
    outside: Sequence[Path] = (),
    names: Sequence[str] = (),
    data: Sequence[str] = (),
    models: Sequence[str] = (),
    micropython: Path | None = None,
) -> Iterator[Row]:
    """Train every model, and measure every alternative with it.

    Args:
        outside: folders with implementations from elsewhere.
        names: alternatives; none for all. Those from outside are always measured.
        data: names of data sets; none for all.
        models: of wedau.bench.alternatives.tasks.MODELS; none for all.
        micropython: its source, instead of the pin.

    Raises:
        UsageError: there is no such alternative, data set or model, or a folder holds no adapter.
    """
    for given, known in ((names, NAMES), (data, tasks.DATA), (models, tuple(tasks.MODELS))):
        for name in given:
            if name not in known:
                raise UsageError(f"there is no '{name}'", f"choose among: {'; '.join(known)}")
    adapters = [Outside.load(folder) for folder in outside]
    verify.check_tools("xtensawin")
    source = micropython_source(micropython).path
    bench = Bench(source, sim_firmware(micropython), adapters)
    wanted = {tasks.MODELS[model] for model in models or tasks.MODELS}
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # what works are the boards, processes
        rows = [
            _start(pool, name, task, make, bench)
            for each in data or tasks.DATA
            for task in tasks.tasks(each)
            if task.trees in wanted
            for name, make in _ways(task, names or NAMES, bench)
        ]
        try:
            yield from (row.result() for row in rows)
        finally:
            pool.shutdown(cancel_futures=True)


def _ways(task: Task, names: Sequence[str], bench: Bench) -> Iterator[tuple[str, _Make]]:
    for name in names:
        yield name, partial(_made, name, task, bench)
    for adapter in bench.outside:
        yield adapter.name, partial(_from_outside, adapter, task)


def _made(name: str, task: Task, bench: Bench, work: Path) -> Candidate:
    if name == FIRMWARE:
        return Candidate(load=f"__import__({task.name!r}).predict")
    made = OURS[name](task, work, bench.source) if name in OURS else THEIRS[name](task)
    files = building.files(made, len(task.features), work, bench.source)
    return replace(made, python="", c="", files=files)


def _from_outside(adapter: Outside, task: Task, work: Path) -> Candidate:
    made = adapter(task)
    return replace(made, files={**made.files, "board.mpy": building.board_of(adapter, work)})


def _start(
    pool: ThreadPoolExecutor, name: str, task: Task, make: _Make, bench: Bench
) -> "Future[Row]":
    """Compile an alternative here, and let a board measure it."""
    say(f"{name}: {task.name}")
    try:
        with verify.scratch() as work:
            made = make(work)
    except (NotPossibleError, BuildError) as error:
        return pool.submit(_without_figures, name, task, str(error))
    firmware = ours.firmware(bench.source) if name == FIRMWARE else bench.firmware
    return pool.submit(_row, name, task, made, firmware)


def _without_figures(name: str, task: Task, why: str) -> Row:
    return Row(name, task.data, task.trees, None, None, None, None, None, why)


def _row(name: str, task: Task, made: Candidate, firmware: simboard.SimFirmware) -> Row:
    try:
        ran, note = _run(task, made, firmware)
    except DeviceError as error:
        return _without_figures(name, task, str(error))
    flash = sum(map(len, made.files.values()))
    if name == FIRMWARE:
        flash = symbols.bytes_of_model(firmware.elf, task.name)
    return Row(
        name=name,
        data=task.data,
        trees=task.trees,
        instructions_mean=round(float(ran.instructions.mean()), 1),
        heap_bytes=ran.heap_bytes,
        flash_bytes=flash,
        load_instructions=ran.load_instructions,
        differences=int(np.count_nonzero(ran.decided != task.predicted)),
        note=note,
    )


def _run(
    task: Task, made: Candidate, firmware: simboard.SimFirmware
) -> tuple[side_by_side.Ran, str]:
    """Return the figures, and the note: with more heap where the usual one does not suffice."""
    try:
        return _run_in(None, task, made, firmware), made.note
    except BoardError as error:
        if error.kind != "MemoryError":
            raise
    ran = _run_in(_PSRAM_BYTES, task, made, firmware)
    return ran, "; ".join(filter(None, (made.note, _NEEDS_PSRAM)))


def _run_in(
    heap_bytes: int | None, task: Task, made: Candidate, firmware: simboard.SimFirmware
) -> side_by_side.Ran:
    with (
        boards.board(firmware.elf, firmware.plugin, heap_bytes=heap_bytes) as sim,
        Board(sim.port) as board,
    ):
        push.push(board, dict(made.files), folder="/")
        return side_by_side.run(board, made.load, task.rows, made.row)
