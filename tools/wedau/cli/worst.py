"""What a model's module takes at most: instructions, stack, RAM and flash.

The bound is the longest way through the module's code (wedau.build.bounds), and what the firmware
adds to each call, which a module with an empty model shows. A search for the dearest input on the
simulated board has to stay at or below it.
"""

import contextlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from wedau.build import bounds, natmod
from wedau.cli import dearest
from wedau.cli.proving import Case
from wedau.convert import code, module
from wedau.device import link, push, replay
from wedau.errors import CheckError
from wedau.models import Program
from wedau.report import Build

EMPTY = "wd_empty"
_QUANTIZES = "wd_quantize"
_PREDICT = {"classifier": "predict", "anomaly": "predict", "regressor": "fill"}
# What the firmware does in each call of predict, whatever the row: it looks into the arrays.
_CONSTANT = frozenset(["get_buffer"])


def bounded(
    case: Case,
    compiled: natmod.Natmod,
    build: Build,
    board: link.Board,
    info: module.ModuleInfo,
    empty: natmod.Natmod,
    micropython: Path,
) -> Build:
    """Return the build with its worst case, checked on the board that has the module.

    Args:
        case: the model and its inputs.
        compiled: its module for xtensawin.
        build: what was measured so far.
        board: simulated, with the module on it.
        info: what the module tells of itself.
        empty: the module of an empty model; see empty_code().
        micropython: its source.

    Raises:
        CheckError: an input takes more than the bound, which is then wrong.
    """
    program, name = case.program, compiled.path.stem
    predict = _PREDICT[program.task]
    table = bounds.function_table(micropython)
    try:
        analysed = bounds.Code(compiled.objects, table)
        grid = analysed.worst(predict, avoid=[_QUANTIZES])
        floats = analysed.worst(predict)
        stack_bytes = analysed.stack_bytes(predict)
        others = sorted({*grid.firmware, *floats.firmware} - _CONSTANT)
        if others:
            raise bounds.NoBoundError(f"predict calls {others[0]} of the firmware")
        around = _around(bounds.Code(empty.objects, table).least(predict), program, board, empty)
    except bounds.NoBoundError as reason:
        return replace(build, unbounded=str(reason))
    found = dearest.search(case, board, name)
    scaled = (found.row * np.asarray(info.scale, np.float32))[None]
    with_floats = replay.instructions(board, name, scaled, program.n_outputs, program.task)
    _check(found.instructions, grid.instructions + around, "int16")
    _check(int(with_floats[0]), floats.instructions + around, "float")
    return replace(
        build,
        instructions_worst_bound=grid.instructions + around,
        instructions_worst_bound_floats=floats.instructions + around,
        instructions_worst_found=found.instructions,
        stack_bytes=stack_bytes,
    )


def totals(build: Build) -> Build:
    """Return the build with what it takes of flash and RAM in all.

    Static RAM is taken from the heap when the module is imported, so it is not added.
    """
    ram = None
    if build.heap_bytes is not None and build.stack_bytes is not None:
        ram = build.heap_bytes + (build.call_heap_bytes or 0) + build.stack_bytes
    return replace(
        build,
        flash_bytes=build.module_bytes,
        ram_bytes=ram,
    )


def with_stack(build: Build, compiled: natmod.Natmod, function: str, micropython: Path) -> Build:
    """Return the build with the stack that a function of its module takes at most, if it has one.

    Args:
        build: what is known so far.
        compiled: the module, for xtensawin.
        function: its name in C.
        micropython: its source.
    """
    code = bounds.Code(compiled.objects, bounds.function_table(micropython))
    with contextlib.suppress(bounds.NoBoundError):
        return replace(build, stack_bytes=code.stack_bytes(function))
    return build


def empty_code(program: Program) -> code.Code:
    """Return the C of a model of the same task and sizes that computes nothing."""
    tasks = {"classifier": 0, "regressor": 1, "anomaly": 2}
    lines = [
        f"#define WD_TASK {tasks[program.task]}",
        f"#define WD_N_OUTPUTS {program.n_outputs}",
        "static inline int32_t wd_model_classify(const int16_t *row) {",
        "    return row[0] & 1;",
        "}",
        "static inline void wd_model_outputs(const int16_t *row, float *out) {",
        "    out[0] = (float)row[0];",
        "}",
    ]
    return code.Code("\n".join(lines), ())


def _around(least: int, program: Program, board: link.Board, empty: natmod.Natmod) -> int:
    """Return what a call from Python takes beside the module's own instructions."""
    push.push(board, {empty.path.name: empty.path.read_bytes()})
    row = np.zeros((1, program.n_features), np.int16)
    taken = replay.instructions(board, empty.path.stem, row, program.n_outputs, program.task)
    return int(taken[0]) - least


def _check(found: int, bound: int, kind: str) -> None:
    if found > bound:
        raise CheckError(
            f"a row of {kind} took {found} instructions, more than the bound of {bound}; "
            "no module was made",
            "the bound is wrong: run 'wedau doctor' and report its versions and the model",
        )
