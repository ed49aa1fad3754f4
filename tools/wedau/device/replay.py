"""Run a model or a feature recipe of the board over many rows, and measure it there.

Every function starts with a soft reset, so that the module is imported afresh, the heap is empty
and counts repeat exactly: code of a native module is given back by nothing else.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wedau.device.link import Board, BoardError
from wedau.device.stream import Stream
from wedau.errors import DataError, DeviceError

# What a module of each task fills an array of floats with.
FILLS = {"classifier": "predict_proba", "regressor": "predict", "anomaly": "decision_function"}

Progress = Callable[[int, int], None]

_BATCH_BYTES = 3072
_PATIENCE_S = 60.0

_CLASSES = """
from array import array
def run(predict, rows, width, batch):
 while rows:
  n = min(batch, rows)
  x = array('h', take(2 * n * width))
  give(array('h', [predict(x[i:i + width]) for i in range(0, n * width, width)]))
  rows -= n
run(__import__({module!r}).predict, {rows}, {width}, {batch})
"""

_OUTPUTS = """
from array import array
def run(fill, rows, width, batch, outputs):
 out = array('f', bytes(4 * outputs))
 while rows:
  n = min(batch, rows)
  x = array('h', take(2 * n * width))
  result = array('f', bytes(4 * n * outputs))
  for i in range(n):
   fill(x[i * width:i * width + width], out)
   result[i * outputs:i * outputs + outputs] = out
  give(result)
  rows -= n
run(__import__({module!r}).{fill}, {rows}, {width}, {batch}, {outputs})
"""

_FEATURES = """
from array import array
import wedau_features
def run(rows, recipe, floats):
 channels, length, n, work_floats = wedau_features.info(recipe)
 give(array('i', (channels * length, n)))
 work = array('f', bytes(4 * work_floats))
 out = array('f', bytes(4 * n))
 while rows:
  wedau_features.extract(recipe, array('f', take(4 * floats)), work, out)
  give(out)
  rows -= 1
run({rows}, bytes(take({recipe})), {floats})
"""

# Nothing of ours is on the heap yet when the import is counted.
_IMPORT = """
import gc
gc.collect()
before = gc.mem_alloc()
try:
 from sim import count
 module, cost = count(__import__, {module!r})
except ImportError:
 count = cost = None
 module = __import__({module!r})
gc.collect()
print(repr((gc.mem_alloc() - before, cost)))
"""

# Microseconds where instructions cannot be counted.
_COSTS = """
from array import array
from time import ticks_us, ticks_diff
def timed(f, *args):
 start = ticks_us()
 f(*args)
 return None, ticks_diff(ticks_us(), start)
def run(predict, rows, kind, width, batch, count, *out):
 while rows:
  n = min(batch, rows)
  x = array(kind, take((2 if kind == 'h' else 4) * n * width))
  give(array('I', [count(predict, x[i:i + width], *out)[1] for i in range(0, n * width, width)]))
  rows -= n
out = {out}
run(module.predict, {rows}, {kind!r}, {width}, {batch}, count or timed, *out)
"""

# A call that succeeds while the heap is locked has allocated nothing.
_CALL_HEAP = """
import gc, micropython
from array import array
def locked(f, *args):
 micropython.heap_lock()
 try:
  f(*args)
  return True
 except MemoryError:
  return False
 finally:
  micropython.heap_unlock()
def allocated(f, *args):
 if locked(f, *args):
  return 0
 gc.collect()
 gc.disable()
 before = gc.mem_alloc()
 f(*args)
 after = gc.mem_alloc()
 gc.enable()
 return after - before
def call_heap(x, outputs, fill):
 most = allocated(module.predict, x, *out)
 if fill != 'predict' and hasattr(module, fill):
  most = max(most, allocated(getattr(module, fill), x, array('f', bytes(4 * outputs))))
 return most
"""


@dataclass(frozen=True)
class Measured:
    """What a model costs on a board.

    Attributes:
        rows: how many calls were measured.
        instructions_mean: per call of predict from Python; None where they cannot be counted.
        instructions_min: of the cheapest row.
        instructions_max: of the dearest row.
        us_mean: microseconds per call where instructions cannot be counted, else None.
        import_instructions: for the first import.
        import_heap_bytes: what stays allocated after it.
        call_heap_bytes: what predict or predict_proba allocates; 0 was proved with a locked heap.
    """

    rows: int
    instructions_mean: float | None
    instructions_min: int | None
    instructions_max: int | None
    us_mean: float | None
    import_instructions: int | None
    import_heap_bytes: int
    call_heap_bytes: int


def classes(
    board: Board,
    module: str,
    rows: npt.NDArray[np.int16],
    on_progress: Progress | None = None,
) -> npt.NDArray[np.int16]:
    """Predict the class of every row on the board.

    Args:
        board: open; it is soft reset.
        module: name of a model module on it.
        rows: int16, shape (n, n_features), on the model's grid.
        on_progress: called with the rows done and their number.

    Returns:
        int16, shape (n,): class indices.

    Raises:
        DataError: the rows are not a two-dimensional int16 array.
        DeviceError: the module cannot be imported, raises, or the board breaks off.
    """
    batch = _batch(_check_rows(rows))
    program = _CLASSES.format(module=module, rows=len(rows), width=rows.shape[1], batch=batch)
    done = _replay(board, module, program, rows, batch, "<i2", 1, on_progress)
    return done.reshape(-1).astype(np.int16)


def outputs(
    board: Board,
    module: str,
    rows: npt.NDArray[np.int16],
    n_outputs: int,
    task: str = "classifier",
    on_progress: Progress | None = None,
) -> npt.NDArray[np.float32]:
    """Compute each row's probabilities, value or decision on the board.

    Args:
        board: open; it is soft reset.
        module: name of a model module on it.
        rows: int16, shape (n, n_features), on the model's grid.
        n_outputs: how many floats the model gives for a row.
        task: classifier, regressor or anomaly.
        on_progress: called with the rows done and their number.

    Returns:
        float32, shape (n, n_outputs), as the board's bits.

    Raises:
        DataError, DeviceError: as for classes().
    """
    batch = _batch(_check_rows(rows))
    program = _OUTPUTS.format(
        module=module,
        rows=len(rows),
        width=rows.shape[1],
        batch=batch,
        outputs=n_outputs,
        fill=FILLS[task],
    )
    done = _replay(board, module, program, rows, batch, "<f4", n_outputs, on_progress)
    return done.astype(np.float32)


def features(
    board: Board,
    recipe: bytes,
    windows: npt.NDArray[np.float32],
    on_progress: Progress | None = None,
) -> npt.NDArray[np.float32]:
    """Extract features on the board with its module wedau_features.

    Args:
        board: open; it is soft reset.
        recipe: as wedau_features takes it.
        windows: float32, shape (n, length * channels), in the recipe's order and units.
        on_progress: called with the windows done and their number.

    Returns:
        float32, shape (n, n_features), as the board's bits.

    Raises:
        DataError: the windows are not a two-dimensional float32 array of the recipe's width.
        DeviceError: the module is missing, raises, or the board breaks off.
    """
    if windows.ndim != 2 or windows.dtype != np.float32:
        raise DataError(
            f"windows of shape {windows.shape}, {windows.dtype}, cannot be replayed",
            "give a two-dimensional float32 array",
        )
    board.soft_reset()
    program = _FEATURES.format(rows=len(windows), recipe=len(recipe), floats=windows.shape[1])
    parts = []
    try:
        with Stream(board, program, patience_s=_PATIENCE_S) as stream:
            stream.give(recipe)
            width, n_features = np.frombuffer(stream.take(), "<i4")
            if width != windows.shape[1]:
                raise DataError(
                    f"the recipe takes windows of {width} values, these have {windows.shape[1]}",
                    "extract from the windows that the recipe was made for",
                )
            for done, window in enumerate(windows, 1):
                stream.give(window.astype("<f4").tobytes())
                parts.append(_array(board, stream.take(), "<f4", (1, int(n_features))))
                if on_progress:
                    on_progress(done, len(windows))
    except BoardError as error:
        raise not_imported(board, "wedau_features", error) from None
    result = np.concatenate(parts) if parts else np.empty((0, int(n_features)))
    return result.astype(np.float32)


def measure(
    board: Board,
    module: str,
    rows: npt.NDArray[np.int16],
    n_outputs: int,
    task: str = "classifier",
    on_progress: Progress | None = None,
) -> Measured:
    """Measure what a model costs: exact instructions on a simulated board, else microseconds.

    Args:
        board: open; it is soft reset.
        module: name of a model module on it.
        rows: int16, shape (n, n_features), n > 0, on the model's grid.
        n_outputs: how many floats the model gives for a row.
        task: classifier, regressor or anomaly.
        on_progress: called with the rows done and their number.

    Raises:
        DataError, DeviceError: as for classes(); DataError also if there is no row.
    """
    _check_rows(rows)
    if not len(rows):
        raise DataError("there is no row to measure with", "give at least one")
    board.soft_reset()
    heap, cost = _import_cost(board, module)
    costs = _costs(board, module, rows, "h", n_outputs, task, on_progress)
    board.run(_CALL_HEAP)
    x = f"array('h', {rows[0].tolist()})"
    call_heap = board.eval(f"call_heap({x}, {n_outputs}, {FILLS[task]!r})")
    counted = board.info.counts_instructions
    return Measured(
        rows=len(rows),
        instructions_mean=float(costs.mean()) if counted else None,
        instructions_min=int(costs.min()) if counted else None,
        instructions_max=int(costs.max()) if counted else None,
        us_mean=None if counted else float(costs.mean()),
        import_instructions=cost,
        import_heap_bytes=heap,
        call_heap_bytes=call_heap,
    )


def instructions(
    board: Board,
    module: str,
    rows: npt.NDArray[np.int16] | npt.NDArray[np.float32],
    n_outputs: int,
    task: str = "classifier",
) -> npt.NDArray[np.int64]:
    """Count the instructions of a call of predict from Python, for every row.

    Args:
        board: open, a simulated one; it is soft reset.
        module: name of a model module on it.
        rows: int16 on the model's grid, or float32 in data units, shape (n, n_features).
        n_outputs: how many floats the model gives for a row.
        task: classifier, regressor or anomaly.

    Returns:
        int64, shape (n,).

    Raises:
        DataError, DeviceError: as for classes().
    """
    kind = "f" if rows.dtype == np.float32 else "h"
    words: npt.NDArray[np.int16] = np.ascontiguousarray(rows).view(np.int16)
    _check_rows(words)
    board.soft_reset()
    _import_cost(board, module)
    return _costs(board, module, words, kind, n_outputs, task, None).reshape(-1).astype(np.int64)


def _costs(
    board: Board,
    module: str,
    words: npt.NDArray[np.int16],
    kind: str,
    n_outputs: int,
    task: str,
    on_progress: Progress | None,
) -> npt.NDArray[np.generic]:
    """Call an imported module's predict for each row; a float is two words of its row."""
    batch, width = _batch(words.shape[1]), words.shape[1] // (2 if kind == "f" else 1)
    out = f"(array('f', bytes({4 * n_outputs})),)" if task == "regressor" else "()"
    program = _COSTS.format(rows=len(words), kind=kind, width=width, batch=batch, out=out)
    return _stream(board, module, program, words, batch, "<u4", 1, on_progress)


def not_imported(board: Board, module: str, error: BoardError) -> DeviceError:
    """Explain an error of the board's by the import or the memory where it is one."""
    if error.kind == "MemoryError":
        board.soft_reset()
        info = board.probe()
        largest = info.heap_largest_bytes
        return DeviceError(
            f"{module} does not fit the board at {board.port}: {error.last_line}; free are "
            f"{info.heap_free_bytes} bytes" + (f", {largest} in one piece" if largest else ""),
            "train fewer or shallower trees, or use a board with PSRAM",
        )
    if error.kind == "ImportError":
        missing = error.last_line.partition("no module named '")[2].rstrip("'") or module
        return DeviceError(
            f"there is no module '{missing}' on the board at {board.port}",
            "push it first with 'wedau push'",
        )
    if "incompatible .mpy" in error.last_line or "arch" in error.last_line:
        return DeviceError(
            f"the board at {board.port} cannot load {module}.mpy: {error.last_line}",
            f"build it for {board.info.arch} and push it again",
        )
    return error


def _import_cost(board: Board, module: str) -> tuple[int, int | None]:
    try:
        said = board.run(_IMPORT.format(module=module), timeout_s=_PATIENCE_S)
    except BoardError as error:
        raise not_imported(board, module, error) from None
    heap, cost = board.literal(said)
    return heap, cost


def _replay(
    board: Board,
    module: str,
    program: str,
    rows: npt.NDArray[np.int16],
    batch: int,
    dtype: str,
    n_out: int,
    on_progress: Progress | None,
) -> npt.NDArray[np.generic]:
    board.soft_reset()
    return _stream(board, module, program, rows, batch, dtype, n_out, on_progress)


def _stream(
    board: Board,
    module: str,
    program: str,
    rows: npt.NDArray[np.int16],
    batch: int,
    dtype: str,
    n_out: int,
    on_progress: Progress | None,
) -> npt.NDArray[np.generic]:
    """Send rows in batches to a program; (n, n_out) of what it gives back."""
    results = [np.empty((0, n_out), dtype)]
    try:
        with Stream(board, program, patience_s=_PATIENCE_S) as stream:
            for done, part in _batches(rows, batch):
                stream.give(part.astype("<i2").tobytes())
                results.append(_array(board, stream.take(), dtype, (len(part), n_out)))
                if on_progress:
                    on_progress(done, len(rows))
    except BoardError as error:
        raise not_imported(board, module, error) from None
    return np.concatenate(results)


def _batches(
    rows: npt.NDArray[np.int16], batch: int
) -> Iterator[tuple[int, npt.NDArray[np.int16]]]:
    for at in range(0, len(rows), batch):
        part = rows[at : at + batch]
        yield at + len(part), part


def _batch(width: int) -> int:
    return max(1, _BATCH_BYTES // (2 * width))


def _array(
    board: Board, data: bytes, dtype: str, shape: tuple[int, int]
) -> npt.NDArray[np.generic]:
    if len(data) != np.dtype(dtype).itemsize * shape[0] * shape[1]:
        raise DeviceError(
            f"the board at {board.port} gave {len(data)} bytes for {shape[0]} rows",
            "the module on it is not one that this version of wedau made: push it again",
        )
    return np.frombuffer(data, dtype).reshape(shape)


def _check_rows(rows: npt.NDArray[np.int16]) -> int:
    if rows.ndim != 2 or rows.dtype != np.int16 or not rows.shape[1]:
        raise DataError(
            f"rows of shape {rows.shape}, {rows.dtype}, cannot be replayed",
            "give a two-dimensional int16 array with a column for each feature",
        )
    return int(rows.shape[1])
