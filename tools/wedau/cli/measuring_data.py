"""Measure a data file on the simulated board, as wedau.cli.measuring does a native module."""

from dataclasses import dataclass
from pathlib import Path

from wedau.build import runtime
from wedau.cli import data_files, verify
from wedau.cli.proving import Case
from wedau.convert import data, module
from wedau.device import push
from wedau.models import Votes
from wedau.report import Build

_LOAD = """
import gc, {engine}
from sim import count
gc.collect()
gc.disable()
before = gc.mem_alloc()
model, cost = count({engine}.load, {path!r})
print(repr((cost, gc.mem_alloc() - before)))
"""


@dataclass(frozen=True)
class DataFigures:
    """What a data file costs. All counts are exact and repeat.

    Attributes:
        instructions_call: a call of predict from Python, mean over the held-out rows.
        load_instructions: to read the file and to check it, the engine being there.
        heap_peak_bytes: all that was allocated on the way, nothing being collected.
        bytes: size of NAME.wdt.
    """

    instructions_call: float | None
    load_instructions: int
    heap_peak_bytes: int
    bytes: int


def measure(
    votes: Votes, info: module.ModuleInfo, case: Case, micropython: Path | None = None
) -> DataFigures:
    """Build a data file, replay it on a fresh simulated board, and measure its loading on another.

    Raises:
        ConvertError: the engine or the board decides one input otherwise.
    """
    content = data.to_data(votes.trees, info)
    data_files.check_engine(case, content)
    with verify.scratch() as work:
        paths = data_files.write(work, info.name, content)
        build = data_files.prove_on_board(case, paths, Build("data", "none"), micropython)
        compiled = work / f"{runtime.TREES}.mpy"
        with verify.fresh_board(micropython) as board:
            files = {path.name: path.read_bytes() for path in (compiled, paths[0])}
            path = f"{push.push(board, files).folder}/{paths[0].name}"
            cost, peak = board.literal(board.run(_LOAD.format(engine=runtime.TREES, path=path)))
    return DataFigures(build.instructions_mean, cost, peak, len(content))
