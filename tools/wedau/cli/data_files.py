"""Build a model as a data file, which takes Python and nothing else, and prove it.

The proof is made on this computer with the very C that is the engine on the board. Where a
simulated board can run, the file can be replayed there too.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from wedau.build import runtime
from wedau.cli import modules, verify, worst
from wedau.cli.budget import NO_BUDGET, Budget
from wedau.cli.console import bar, say
from wedau.cli.proving import Case, Checked
from wedau.cli.workbench import micropython_source
from wedau.convert import data
from wedau.convert.shim import shim
from wedau.device import push, replay
from wedau.errors import ConvertError
from wedau.models import Votes, WithUnknown
from wedau.report import Build, Report
from wedau.train.model import TrainedModel

_NOT_COMPILED = "none"
_PREDICT = "model_predict"  # of the engine


def build_data(
    folder: Path,
    on_board: bool = False,
    micropython: Path | None = None,
    budget: Budget = NO_BUDGET,
) -> tuple[Report, Path]:
    """Build, prove and report; FOLDER/data and the report appear only if all is equal.

    Args:
        folder: that of the model.
        on_board: replay on a simulated board too.
        micropython: its source, instead of the pin; only for the board.
        budget: what the build has to keep.

    Returns:
        The report, and the path of NAME.py; NAME.wdt lies beside it.

    Raises:
        ConvertError: the model's family has no data file, or one input is decided otherwise.
        SimError, BuildError: there can be no simulated board.
        CheckError: the budget is not kept.
    """
    model = TrainedModel.load(folder)
    votes = voting(model)
    content = data.to_data(votes.trees, verify.module_info(model.card))
    if on_board:
        verify.check_tools("xtensawin")
    case = verify.case(model)
    say(f"deciding {len(case.rows)} inputs with the engine's C on this computer")
    checked = check_engine(case, content)
    build = Build(
        arch=modules.DATA,
        compiler=_NOT_COMPILED,
        module_bytes=len(content) + len(shim(model.card.name)),
        unbounded="a data file is no code, the engine's loops go as far as it says",
    )
    with verify.scratch() as work:
        paths = write(work, model.card.name, content)
        if on_board:
            build = prove_on_board(case, paths, build, micropython)
        build = worst.totals(build)
        budget.check(build)
        made = verify.report(model, verify.Proof.of(case, checked, build))
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
    if isinstance(program, WithUnknown):
        what = "a model that was trained with --unknown"
    elif isinstance(program, Votes):
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


def check_engine(case: Case, content: bytes) -> Checked:
    """Decide all rows with the board's C on this computer; all must be as scikit-learn's.

    Raises:
        ConvertError: a class or a share of votes differs; names the input.
    """
    read = data.read_data(content)
    shares = read.predict_proba(case.rows)
    exact = case.program.outputs(case.rows).astype(np.float32)
    wrong = np.flatnonzero(
        (read.predict(case.rows) != case.expected()) | np.any(shares != exact, axis=1)
    )
    if len(wrong):
        raise ConvertError(
            f"{len(wrong)} of {len(case.rows)} inputs are decided otherwise by the engine, the "
            f"first is {case.name(int(wrong[0]))}; no data file was made",
            "report this, with the model's folder",
        )
    error = np.abs(shares[: len(case.held_out)] - case.outputs)
    return Checked(0, float(np.max(error, initial=0.0)))


def prove_on_board(
    case: Case, paths: Sequence[Path], build: Build, micropython: Path | None = None
) -> Build:
    """Replay all inputs on a fresh simulated board; return the build with what was measured.

    Args:
        case: the inputs, and what scikit-learn says.
        paths: NAME.wdt and NAME.py; the engine is built beside them.
        build: what is known so far.
        micropython: its source, instead of the pin.
    """
    source, work = micropython_source(micropython), paths[0].parent
    compiled = runtime.build(
        runtime.TREES, arch="xtensawin", micropython=source.path, out=work, say=say
    )
    with verify.fresh_board(micropython) as board:
        before = board.info
        push.push(board, {path.name: path.read_bytes() for path in (compiled.path, *paths)})
        name = paths[-1].stem
        with bar("replaying on the board") as on_progress:
            got = replay.classes(board, name, case.rows, on_progress=on_progress)
        n_outputs = case.program.n_outputs
        case.check(got, replay.outputs(board, name, case.held_out, n_outputs))
        some = case.held_out if len(case.held_out) else case.rows
        measured = replay.measure(board, name, some, n_outputs)
    build = worst.with_stack(build, compiled, _PREDICT, source.path)
    return replace(
        build,
        board=verify.SIMULATED,
        engine_bytes=compiled.module_bytes,
        static_ram_bytes=compiled.bss_bytes,
        **verify.costs(measured, before),
    )
