"""wedau_features on the board: the host's bits, no allocation, no step outside a buffer."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import prepared
import pytest

from wedau.build import runtime
from wedau.build.simboard import SimFirmware
from wedau.device import replay
from wedau.device.link import Board, BoardError
from wedau.sim import boards
from wedau.train import datasets, grid, recipe, windows

WATCH = datasets.smartwatch()
STANDARD = recipe.standard(WATCH.channels, WATCH.units, WATCH.rate_hz, 300, 150)
EVERYTHING = dataclasses.replace(
    STANDARD,
    length=201,
    statistics=recipe.STATISTICS,
    magnitudes=(("accel", (0, 1, 2)), ("gyro", (3, 4, 5))),
    band_edges=(0, 1, 2, 5, 30, 129),
    hann=True,
    correlations=((0, 6), (6, 7), (3, 1)),
)

PREPARE = """
import wedau_features as w
from array import array
recipe = {blob!r}
channels, length, n, work_floats = w.info(recipe)
x = array('f', [(i * 7919 % 1000) / 100 for i in range(channels * length)])
work = array('f', bytes(4 * work_floats))
out = array('f', bytes(4 * n))
scale = array('f', [0.5] * n)
q = array('h', bytes(2 * n))
"""


@pytest.fixture(scope="module")
def module_bytes(micropython: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    out = tmp_path_factory.mktemp("features")
    built = runtime.build(runtime.FEATURES, arch="xtensawin", micropython=micropython, out=out)
    return built.path.read_bytes()


@pytest.fixture(scope="module")
def opened(either_firmware: SimFirmware, module_bytes: bytes) -> Iterator[Board]:
    firmware = either_firmware
    with boards.board(firmware.elf, firmware.plugin) as sim, Board(sim.port) as board:
        prepared.with_modules(board, {"wedau_features.mpy": module_bytes})
        yield board


@pytest.fixture
def board(opened: Board) -> Board:
    opened.soft_reset()
    return opened


def bits(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(x, np.float32).view(np.uint32)


def on_host(plan: recipe.Recipe, rows: np.ndarray) -> np.ndarray:
    shape = (plan.length, len(plan.channels))
    start = np.zeros(1, np.int64)
    return np.concatenate([plan.extract(row.reshape(shape), start) for row in rows])


def test_features_equal_the_hosts_bits_on_all_windows_of_recordings(board: Board) -> None:
    for item in WATCH.items[::40]:
        starts = windows.starts(len(item.samples), STANDARD.length, STANDARD.hop)
        rows = np.stack([item.samples[s : s + STANDARD.length].ravel() for s in starts])
        host = STANDARD.extract(item.samples, starts)
        got = replay.features(board, STANDARD.blob, rows)
        np.testing.assert_array_equal(bits(got), bits(host))


def test_features_equal_the_hosts_bits_on_special_windows(board: Board) -> None:
    rng = np.random.default_rng(0)
    width = EVERYTHING.length * len(EVERYTHING.channels)
    noise = rng.normal(size=(2, width))
    with np.errstate(over="ignore"):
        parts = [(noise * size).astype(np.float32) for size in (1e-44, 1e-38, 1, 1e19, 2e38)]
    parts += [np.full((1, width), value, np.float32) for value in (0, -0.0, 3.3, 1e-45, np.inf)]
    parts.append(rng.integers(0, 2**32, (8, width), dtype=np.uint32).view(np.float32))
    parts.append(np.where(rng.random((2, width)) < 0.01, np.nan, noise).astype(np.float32))
    rows = np.concatenate(parts)
    host = on_host(EVERYTHING, rows)
    assert np.isnan(host).any() and np.isinf(host).any()
    np.testing.assert_array_equal(bits(replay.features(board, EVERYTHING.blob, rows)), bits(host))


def test_quantize_equals_the_host(board: Board) -> None:
    rng = np.random.default_rng(1)
    x = rng.integers(0, 2**32, 400, dtype=np.uint32).view(np.float32)
    x = np.where(np.isnan(x), np.float32(0.5), x).astype(np.float32)
    x[:200] = rng.normal(size=200) * 1000
    x[200:220] = np.arange(20) / 2 - 5  # halves
    scale = np.abs(rng.normal(size=400)).astype(np.float32) + np.float32(1e-3)
    scale[200:220] = 1
    host = grid.quantize(x.reshape(1, -1), scale)[0]
    board.run("import wedau_features as w\nfrom array import array\nfrom struct import unpack")
    board.run(f"x = array('f', unpack('<400f', {x.tobytes()!r}))")
    board.run(f"scale = array('f', unpack('<400f', {scale.tobytes()!r}))")
    board.run("q = array('h', bytes(800))\nw.quantize(x, scale, q)")
    assert board.eval("list(q)") == host.tolist()


def test_functions_allocate_nothing(board: Board) -> None:
    board.run(PREPARE.format(blob=EVERYTHING.blob))
    board.run(
        """
import micropython
def locked():
    micropython.heap_lock()
    try:
        w.extract(recipe, x, work, out)
        w.quantize(out, scale, q)
    finally:
        micropython.heap_unlock()
locked()
"""
    )
    assert board.eval("any(q)") is True


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        ("w.info(b'WDX')", "ValueError", "the bytes are not a feature recipe"),
        ("w.info(recipe[:-1])", "ValueError", "the recipe is cut short"),
        ("w.info(3)", "TypeError", "object with buffer protocol required"),
        ("w.extract(recipe, x[:-1], work, out)", "ValueError", "the window has the wrong length"),
        (
            "w.extract(recipe, array('h', [0] * len(x)), work, out)",
            "TypeError",
            "need an array of 'f'",
        ),
        ("w.extract(recipe, list(x), work, out)", "TypeError", "buffer protocol required"),
        ("w.extract(recipe, x, work[:-1], out)", "ValueError", "work is too short"),
        ("w.extract(recipe, x, bytearray(9999), out)", "TypeError", "need an array of 'f'"),
        ("w.extract(recipe, x, work, out[:-1])", "ValueError", "out has the wrong length"),
        ("w.extract(recipe, x, work, work)", "ValueError", "out has the wrong length"),
        ("w.extract(recipe, x, work)", "TypeError", "4"),
        ("w.quantize(out, scale[:-1], q)", "ValueError", "differ in length"),
        ("w.quantize(out, scale, q[:-1])", "ValueError", "differ in length"),
        ("w.quantize(out, scale, out)", "TypeError", "out must be an array of 'h'"),
        ("w.quantize(q, scale, q)", "TypeError", "need an array of 'f'"),
        ("w.quantize(array('f', [float('nan')] * n), scale, q)", "ValueError", "not a number"),
        ("w.quantize(out, array('f', bytes(4 * n)), q)", "ValueError", "a scale is not"),
    ],
)
def test_wrong_arguments_raise(board: Board, call: str, kind: str, text: str) -> None:
    board.run(PREPARE.format(blob=STANDARD.blob))
    with pytest.raises(BoardError) as caught:
        board.run(call)
    assert caught.value.kind == kind
    assert text in caught.value.last_line
