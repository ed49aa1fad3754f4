"""Run any classifier on the board: what loading it costs, and what it decides of each row."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wedau.device.link import Board
from wedau.device.stream import Stream

_PATIENCE_S = 120.0
_BATCH_BYTES = 2048

# Nothing of the program that measures is on the heap between the two readings.
_LOAD = """
import gc
from sim import count
def load():
 return {load}
predict = cost = before = after = None
gc.collect()
before = gc.mem_alloc()
predict, cost = count(load)
gc.collect()
after = gc.mem_alloc()
print(repr((after - before, cost)))
"""

# What a call allocates is cleared away before the next one, which is not counted.
_CALLS = """
from array import array
def allocated(row):
 gc.collect()
 gc.disable()
 before = gc.mem_alloc()
 predict(row)
 after = gc.mem_alloc()
 gc.enable()
 return after - before
def row_of(kind, row):
 return row if kind == 'h' else array('f', row) if kind == 'f' else [float(v) for v in row]
def run(rows, width, batch, kind):
 most = None
 while rows:
  n = min(batch, rows)
  x = array('h', take(2 * n * width))
  done = array('I', bytes(8 * n))
  for i in range(n):
   row = row_of(kind, x[i * width:i * width + width])
   if most is None:
    most = allocated(row)
   if most:
    gc.collect()
   done[2 * i], done[2 * i + 1] = count(predict, row)
  give(done)
  rows -= n
 give(array('I', [most or 0]))
run({rows}, {width}, {batch}, {kind!r})
"""


@dataclass(frozen=True)
class Ran:
    """What a classifier did on a board.

    Attributes:
        load_instructions: from nothing to a function that decides.
        heap_bytes: what stays allocated then, and what the first call allocates.
        decided: int64, shape (n,): class indices.
        instructions: int64, shape (n,): of each call.
    """

    load_instructions: int
    heap_bytes: int
    decided: npt.NDArray[np.int64]
    instructions: npt.NDArray[np.int64]


def run(board: Board, load: str, rows: npt.NDArray[np.int16], row: str) -> Ran:
    """Load a classifier on a simulated board and let it decide.

    Args:
        board: open, a simulated one; it is soft reset.
        load: a MicroPython expression; its value is called with a row and gives the class index.
        rows: int16, shape (n, n_features), n > 0.
        row: what the classifier takes: "h" or "f", an array of that type code, or "list", a list
            of floats.

    Raises:
        DeviceError: the board breaks off; BoardError: with an exception, such as MemoryError.
    """
    board.soft_reset()
    heap, cost = board.literal(board.run(_LOAD.format(load=load), timeout_s=_PATIENCE_S))
    n, width = rows.shape
    batch = max(1, _BATCH_BYTES // (2 * width))
    program = _CALLS.format(rows=n, width=width, batch=batch, kind=row)
    done = []
    with Stream(board, program, patience_s=_PATIENCE_S) as stream:
        for at in range(0, n, batch):
            stream.give(rows[at : at + batch].astype("<i2").tobytes())
            done.append(np.frombuffer(stream.take(), "<u4").reshape(-1, 2))
        (most,) = np.frombuffer(stream.take(), "<u4")
    both = np.concatenate(done).astype(np.int64)
    return Ran(cost, heap + int(most), both[:, 0], both[:, 1])
