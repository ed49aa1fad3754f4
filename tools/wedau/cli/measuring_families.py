"""Measure every family on every data set on the simulated board."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wedau import __version__
from wedau.bench import families as bench
from wedau.cli import verify, worst
from wedau.cli.console import say
from wedau.cli.proving import Case
from wedau.cli.workbench import micropython_source
from wedau.convert import module
from wedau.device import link
from wedau.errors import UsageError
from wedau.train.kinds import KINDS


@dataclass(frozen=True)
class Row:
    """What a family costs on a data set, and how near it is to scikit-learn.

    Attributes:
        family: kind of model, as `wedau train --model` names it.
        data: name of the data set.
        rows: inputs that were replayed: rows it has not seen, and all at thresholds of trees.
        differences: of these, how many the board decided otherwise than scikit-learn.
        max_probability_error: largest distance of a probability, a value or a decision from
            scikit-learn's; see `wedau.cli.proving.BOUND`.
        instructions_mean: a call of predict from Python.
        instructions_worst_bound: no call takes more, whatever the input.
        instructions_worst_found: the most that a search found.
        flash_bytes: of the module.
        ram_bytes: of a running model: heap and stack.
    """

    family: str
    data: str
    rows: int
    differences: int
    max_probability_error: float
    instructions_mean: float | None
    instructions_worst_bound: int | None
    instructions_worst_found: int | None
    flash_bytes: int | None
    ram_bytes: int | None


def measure(
    families: Sequence[str], tables: Sequence[str], micropython: Path | None = None
) -> Iterator[Row]:
    """Train, build, push and replay each family on each data set.

    Args:
        families: kinds of models; none for all.
        tables: names of data sets; none for all.
        micropython: its source, instead of the pin.

    Raises:
        UsageError: there is no such family or data set.
        ConvertError: the board decides otherwise than scikit-learn.
    """
    for given, known in ((families, KINDS), (tables, bench.TABLES)):
        for name in given:
            if name not in known:
                raise UsageError(f"there is no {name}", f"choose among {', '.join(known)}")
    verify.check_tools("xtensawin")
    source = micropython_source(micropython)
    for name in tables or bench.TABLES:
        table = bench.TABLES[name]()
        for family in families or KINDS:
            say(f"{family} on {name}")
            # A board of its own: where a module lies, after what was there before, may be worth an
            # instruction.
            with verify.fresh_board(micropython) as board:
                yield _row(bench.train(family, table), board, source.path)


def _row(pair: bench.Pair, board: link.Board, micropython: Path) -> Row:
    info = module.ModuleInfo(
        name="bench",
        version="1.0.0",
        labels=pair.labels,
        features=pair.features,
        scale=pair.scale,
        recipe=b"",
        data_sha256=hashlib.sha256(pair.held_out.tobytes()).hexdigest(),
        wedau=__version__,
    )
    case = Case(pair.program, pair.held_out, pair.predicted, pair.outputs)
    with verify.scratch() as work:
        compiled = verify.compile_program(pair.program, info, "xtensawin", work, micropython)
        proof = verify.prove(case, compiled, board, verify.SIMULATED)
        proof = verify.bound(case, info, compiled, proof, board, micropython)
        build = worst.totals(proof.build)
    return Row(
        family=pair.family,
        data=pair.data,
        rows=len(case.rows),
        differences=proof.differences,
        max_probability_error=float(f"{proof.max_error:.3g}"),
        instructions_mean=build.instructions_mean and round(build.instructions_mean, 1),
        instructions_worst_bound=build.instructions_worst_bound,
        instructions_worst_found=build.instructions_worst_found,
        flash_bytes=build.flash_bytes,
        ram_bytes=build.ram_bytes,
    )
