"""Measure on the simulated board; composes convert, build, sim and device."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wedau import __version__
from wedau.bench import digits as reference
from wedau.cli import measuring_data
from wedau.cli.proving import Case
from wedau.cli.verify import SIMULATED, check_tools, compile_program, fresh_board, prove, scratch
from wedau.cli.workbench import micropython_source
from wedau.convert import module, trees


@dataclass(frozen=True)
class Figures:
    """What the reference forest costs. All counts are exact and repeat."""

    nodes: int
    accuracy: float
    held_out: int
    boundary_inputs: int
    differences: int
    instructions_call: float | None
    instructions_call_max: int | None
    instructions_import: int | None
    module_bytes: int
    emlearn_bytes: int
    module_per_emlearn: float
    heap_import_bytes: int | None
    heap_call_bytes: int | None
    data_instructions_call: float | None
    data_load_instructions: int
    data_heap_peak_bytes: int
    data_bytes: int


def digits(micropython: Path | None = None) -> Figures:
    """Build, prove and measure the reference forest on a fresh simulated board."""
    check_tools("xtensawin")
    source = micropython_source(micropython)
    program, unseen, truth = reference.forest()
    forest = program.estimator
    info = module.ModuleInfo(
        name="digits",
        version="1.0.0",
        labels=reference.LABELS,
        features=reference.FEATURES,
        scale=np.full(unseen.shape[1], reference.SCALE, np.float32),
        recipe=b"",
        data_sha256=reference.data_sha256(),
        wedau=__version__,
    )
    case = Case.of_program(program, unseen)
    with scratch() as work:
        compiled = compile_program(program, info, "xtensawin", work, source.path)
        emlearn_bytes = compiled_bytes(trees.forest_c(forest, "wd_forest"), work)
        with fresh_board(micropython) as board:
            proof = prove(case, compiled, board, SIMULATED)
    as_data = measuring_data.measure(program, info, case, micropython)
    build = proof.build
    return Figures(
        nodes=program.n_nodes,
        accuracy=round(float(np.mean(forest.predict(unseen) == truth)), 6),
        held_out=proof.held_out,
        boundary_inputs=proof.boundary_inputs,
        differences=proof.differences,
        instructions_call=build.instructions_mean,
        instructions_call_max=build.instructions_max,
        instructions_import=build.import_instructions,
        module_bytes=compiled.module_bytes,
        emlearn_bytes=emlearn_bytes,
        module_per_emlearn=round(compiled.module_bytes / emlearn_bytes, 4),
        heap_import_bytes=build.heap_bytes,
        heap_call_bytes=build.call_heap_bytes,
        data_instructions_call=as_data.instructions_call,
        data_load_instructions=as_data.load_instructions,
        data_heap_peak_bytes=as_data.heap_peak_bytes,
        data_bytes=as_data.bytes,
    )


def compiled_bytes(source: str, work: Path) -> int:
    """Return the bytes of code and tables that clang -Os makes of C for the ESP32-S3."""
    path = work / "emlearn.c"
    path.write_text(source, encoding="ascii")
    compiler = (sys.executable, "-m", "wedau.build.xtcc", "-std=c99", "-Os")
    subprocess.run([*compiler, "-c", path, "-o", path.with_suffix(".o")], check=True)
    size = shutil.which("xtensa-lx106-elf-size") or "size"
    table = subprocess.run(
        [size, path.with_suffix(".o")], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    text, data, bss = (int(column) for column in table[1].split()[:3])
    return text + data + bss
