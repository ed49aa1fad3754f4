"""Build a model as a data file, which takes Python and nothing else, and prove it.

The proof is made on this computer with the very C that is the engine on the board. Where a
simulated board can run, the file can be replayed there too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wedau.build import engine
from wedau.cli import modules, verify
from wedau.cli.console import bar, say
from wedau.cli.workbench import micropython_source
from wedau.convert import data
from wedau.convert.shim import shim
from wedau.device import link, push, replay
from wedau.errors import ConvertError
from wedau.models import Votes
from wedau.report import Build, Report
from wedau.train.model import TrainedModel

_NOT_COMPILED = "none"

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
class Load:
    """What loading a data file costs on the simulated board, the engine being there.

    Attributes:
        instructions: to read the file and to check it.
        heap_peak_bytes: all that was allocated on the way, nothing being collected.
    """

    instructions: int
    heap_peak_bytes: int


def build_data(
    folder: Path, on_board: bool = False, micropython: Path | None = None
) -> tuple[Report, Path]:
    """Build, prove and report; FOLDER/data and the report appear only if all is equal.

    Args:
        folder: that of the model.
        on_board: replay on a simulated board too.
        micropython: its source, instead of the pin; only for the board.

    Returns:
        The report, and the path of NAME.py; NAME.wdt lies beside it.

    Raises:
        ConvertError: the model's family has no data file, or one input is decided otherwise.
        SimError, BuildError: there can be no simulated board.
    """
    model = TrainedModel.load(folder)
    votes = voting(model)
    content = data.to_data(votes.trees, verify.module_info(model.card))
    if on_board:
        verify.check_tools("xtensawin")
    n_held_out = len(model.held_out.x)
    rows = np.concatenate(
        [model.held_out.x, verify.boundary_rows(votes.estimator, model.held_out.x)]
    )
    say(f"deciding {len(rows)} inputs with the engine's C on this computer")
    check_engine(votes, content, rows, n_held_out)
    build = Build(
        arch=modules.DATA,
        compiler=_NOT_COMPILED,
        module_bytes=len(content) + len(shim(model.card.name)),
    )
    with verify.scratch() as work:
        paths = write(work, model.card.name, content)
        if on_board:
            build = prove_on_board(votes, rows, n_held_out, paths, build, micropython)
        proof = verify.Proof(n_held_out, len(rows) - n_held_out, 0, build)
        made = verify.report(model, proof)
        return made, modules.save(folder, made, paths)


def voting(model: TrainedModel) -> Votes:
    """Return what the engine can run of a model: trees that vote, and nothing behind them.

    Raises:
        ConvertError: the model is of another family, or answers more than its trees do.
    """
    program, card = model.program, model.card
    if isinstance(program, Votes) and program.n_outputs == len(card.labels):
        return program
    what = f"a model of the family {card.family}"
    if isinstance(program, Votes):
        what = f"a model with the label {card.labels[-1]}, which no tree votes for,"
    raise ConvertError(
        f"{what} needs the native module: a data file holds trees that vote",
        "build it without '--format data', where a compiler is",
    )


def write(folder: Path, name: str, content: bytes) -> list[Path]:
    """Write NAME.wdt and NAME.py; return their paths in the order in which they become valid."""
    files = {f"{name}.wdt": content, f"{name}.py": shim(name)}
    for file, its in files.items():
        Path(folder, file).write_bytes(its)
    return [folder / file for file in files]


def check_engine(votes: Votes, content: bytes, rows: NDArray[np.int16], n_held_out: int) -> None:
    """Decide all rows with the board's C on this computer; all must be as scikit-learn's.

    Raises:
        ConvertError: a class or a share of votes differs; names the input.
    """
    read = data.read_data(content)
    right = read.predict(rows) == votes.predict(rows)
    shares = votes.outputs(rows).astype(np.float32)
    right &= np.all(read.predict_proba(rows) == shares, axis=1)
    wrong = np.flatnonzero(~right)
    if len(wrong):
        raise ConvertError(
            f"{len(wrong)} of {len(rows)} inputs are decided otherwise by the engine, the first is "
            f"{verify.input_name(int(wrong[0]), n_held_out)}; no data file was made",
            "report this, with the model's folder",
        )


def prove_on_board(
    votes: Votes,
    rows: NDArray[np.int16],
    n_held_out: int,
    paths: Sequence[Path],
    build: Build,
    micropython: Path | None = None,
) -> Build:
    """Replay all inputs on a fresh simulated board; return the build with what was measured.

    Args:
        votes: what scikit-learn says.
        rows: the held-out rows, then the boundary inputs.
        n_held_out: number of the held-out rows.
        paths: NAME.wdt and NAME.py; the engine is built beside them.
        build: what is known so far.
        micropython: its source, instead of the pin.
    """
    source, work = micropython_source(micropython), paths[0].parent
    compiled = engine.build(arch="xtensawin", micropython=source.path, out=work, say=say)
    with verify.fresh_board(micropython) as board:
        before = board.info
        push.push(board, {path.name: path.read_bytes() for path in (compiled.path, *paths)})
        name = paths[-1].stem
        with bar("replaying on the board") as on_progress:
            got = replay.classes(board, name, rows, on_progress=on_progress)
        verify.check_equal(votes.estimator, rows, n_held_out, got)
        measured = replay.measure(board, name, rows[:n_held_out] if n_held_out else rows)
    return replace(
        build,
        board=verify.SIMULATED,
        engine_bytes=compiled.module_bytes,
        heap_bytes=measured.import_heap_bytes,
        call_heap_bytes=measured.call_heap_bytes,
        instructions_mean=measured.instructions_mean,
        instructions_min=measured.instructions_min,
        instructions_max=measured.instructions_max,
        import_instructions=measured.import_instructions,
        board_heap_bytes=before.heap_free_bytes,
        board_flash_bytes=before.flash_free_bytes,
    )


def measure_load(board: link.Board, path: str) -> Load:
    """Measure the loading of a data file that is on a simulated board, as is the engine."""
    board.soft_reset()
    cost, peak = board.literal(board.run(_LOAD.format(engine=engine.NAME, path=path)))
    return Load(cost, peak)
