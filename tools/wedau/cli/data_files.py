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
    content = data.to_data(voting_trees(model), verify.module_info(model.card))
    if on_board:
        verify.check_tools("xtensawin")
    rows = _rows(model)
    say(f"deciding {len(rows)} inputs with the engine's C on this computer")
    check_engine(model, content, rows)
    build = Build(
        arch=modules.DATA,
        compiler=_NOT_COMPILED,
        module_bytes=len(content) + len(shim(model.card.name)),
    )
    with verify.scratch() as work:
        paths = write(work, model.card.name, content)
        if on_board:
            build = prove_on_board(model, paths, build, work, micropython)
        n_held_out = len(model.held_out.x)
        proof = verify.Proof(n_held_out, len(rows) - n_held_out, 0, build)
        made = verify.report(model, proof)
        return made, modules.save(folder, made, paths)


def voting_trees(model: TrainedModel) -> Sequence[data.Tree]:
    """Return the trees of a model whose trees vote, which is what the engine runs.

    Raises:
        ConvertError: the model is of another family.
    """
    trees: Sequence[data.Tree] = getattr(model, "trees", ())
    if not trees:
        family = type(model.estimator).__name__
        raise ConvertError(
            f"a {family} needs the native module: a data file holds trees that vote",
            "build it without '--format data', where a compiler is",
        )
    return trees


def write(folder: Path, name: str, content: bytes) -> list[Path]:
    """Write NAME.wdt and NAME.py; return their paths in the order in which they become valid."""
    files = {f"{name}.wdt": content, f"{name}.py": shim(name)}
    for file, its in files.items():
        Path(folder, file).write_bytes(its)
    return [folder / file for file in files]


def _rows(model: TrainedModel) -> NDArray[np.int16]:
    held_out = model.held_out.x
    return np.concatenate([held_out, verify.boundary_rows(model.estimator, held_out)])


def check_engine(model: TrainedModel, content: bytes, rows: NDArray[np.int16]) -> None:
    """Decide all rows with the board's C on this computer; all must be as scikit-learn's.

    Raises:
        ConvertError: a class or a share of votes differs; names the input.
    """
    read = data.read_data(content)
    shares = model.estimator.predict_proba(rows).astype(np.float32)
    right = read.predict(rows) == model.estimator.predict(rows)
    right &= np.all(read.predict_proba(rows) == shares, axis=1)
    wrong = np.flatnonzero(~right)
    if len(wrong):
        where = verify.input_name(int(wrong[0]), len(model.held_out.x))
        raise ConvertError(
            f"{len(wrong)} of {len(rows)} inputs are decided otherwise by the engine, the first "
            f"is {where}; no data file was made",
            "report this, with the model's folder",
        )


def prove_on_board(
    model: TrainedModel, paths: Sequence[Path], build: Build, work: Path, micropython: Path | None
) -> Build:
    """Replay all inputs on a fresh simulated board; return the build with what was measured."""
    source = micropython_source(micropython)
    compiled = engine.build(arch="xtensawin", micropython=source.path, out=work, say=say)
    files = {path.name: path.read_bytes() for path in (compiled.path, *paths)}
    with verify.fresh_board(micropython) as board:
        before = board.info
        push.push(board, files)
        rows, name = _rows(model), model.card.name
        with bar("replaying on the board") as on_progress:
            got = replay.classes(board, name, rows, on_progress=on_progress)
        verify.check_equal(model.estimator, rows, len(model.held_out.x), got)
        held_out = model.held_out.x
        measured = replay.measure(board, name, held_out if len(held_out) else rows)
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
