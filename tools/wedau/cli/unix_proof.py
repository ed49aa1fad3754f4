"""Prove an x64 module on MicroPython for unix, as verify.prove does on a board."""

import json

import numpy as np

from wedau.build import natmod
from wedau.cli import verify
from wedau.cli.proving import Case
from wedau.device import replay
from wedau.sim import unix

BOARD = "MicroPython for unix (x64)"
UNBOUNDED = "it is known for xtensawin only"

_REPLAY = """
import gc, json
from array import array
gc.collect()
before = gc.mem_alloc()
import {name} as model
gc.collect()
heap = gc.mem_alloc() - before
row = array('h', bytes(2 * {width}))
out = array('f', bytes(4 * {n_outputs}))
classes = []
with open('rows.bin', 'rb') as rows, open('outputs.bin', 'wb') as outputs:
    while rows.readinto(row):
        if {decides}:
            classes.append(model.predict(row))
        outputs.write(model.{fill}(row, out))
print(json.dumps({{'heap': heap, 'classes': classes}}))
"""


def prove(case: Case, compiled: natmod.Natmod) -> verify.Proof:
    """Replay all inputs on MicroPython for unix and compare.

    Raises:
        ConvertError: it decides one input otherwise than scikit-learn; names the input.
        SimError: there is no MicroPython for unix here.
    """
    folder, program = compiled.path.parent, case.program
    (folder / "rows.bin").write_bytes(case.rows.astype("<i2").tobytes())
    script = _REPLAY.format(
        name=compiled.path.stem,
        width=program.n_features,
        n_outputs=program.n_outputs,
        decides=program.task != "regressor",
        fill=replay.FILLS[program.task],
    )
    said = json.loads(unix.run(script, folder))
    outputs = np.fromfile(folder / "outputs.bin", "<f4").reshape(-1, program.n_outputs)
    decided = None
    if program.task != "regressor":
        decided, outputs = np.array(said["classes"]), outputs[: len(case.held_out)]
    checked = case.check(decided, outputs)
    build = verify.sized(compiled, BOARD, heap_bytes=said["heap"], unbounded=UNBOUNDED)
    return verify.Proof.of(case, checked, build)
