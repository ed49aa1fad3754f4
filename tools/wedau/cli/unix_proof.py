"""Prove an x64 module on MicroPython for unix, as verify.prove does on a board."""

import json

import numpy as np

from wedau.build import natmod
from wedau.cli import verify
from wedau.sim import unix

BOARD = "MicroPython for unix (x64)"

_REPLAY = """
import gc, json
from array import array
gc.collect()
before = gc.mem_alloc()
import {name} as model
gc.collect()
heap = gc.mem_alloc() - before
row = array('h', bytes(2 * {width}))
classes = []
with open('rows.bin', 'rb') as rows:
    while rows.readinto(row):
        classes.append(model.predict(row))
print(json.dumps({{'heap': heap, 'classes': classes}}))
"""


def prove(estimator: object, held_out: np.ndarray, compiled: natmod.Natmod) -> verify.Proof:
    """Replay all inputs on MicroPython for unix and compare.

    Raises:
        ConvertError: it decides one input otherwise than scikit-learn; names the input.
        SimError: there is no MicroPython for unix here.
    """
    boundary = verify.boundary_rows(estimator, held_out)
    rows = np.concatenate([held_out, boundary])
    folder = compiled.path.parent
    (folder / "rows.bin").write_bytes(rows.astype("<i2").tobytes())
    name = compiled.path.stem
    said = json.loads(unix.run(_REPLAY.format(name=name, width=rows.shape[1]), folder))
    differences = verify.check_equal(estimator, rows, len(held_out), np.array(said["classes"]))
    build = verify.sized(compiled, BOARD, heap_bytes=said["heap"])
    return verify.Proof(len(held_out), len(boundary), differences, build)
