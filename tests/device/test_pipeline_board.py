"""wedau.Pipeline on the board: features of single samples are the host's bits, without a heap."""

import shutil
import subprocess
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import prepared
import pytest

from wedau.build import package, runtime
from wedau.build.simboard import SimFirmware
from wedau.cli.verify import compile_module
from wedau.device import link
from wedau.device import push as device_push
from wedau.device.link import BoardError
from wedau.device.stream import Stream
from wedau.errors import DeviceError
from wedau.sim import boards
from wedau.train import datasets, evaluate, grid, pipeline, plan, windows
from wedau.train.model import TrainedModel
from wedau.train.recipe import Recipe
from wedau.train.settings import TrainSettings

WATCH = datasets.smartwatch()
PLAN = {
    "window_ms": 2000,
    "hop_ms": 500,
    "filters": [
        {"kind": "highpass", "order": 2, "cutoff_hz": 0.5, "channels": list(WATCH.channels[:3])},
        {"kind": "lowpass", "order": 4, "cutoff_hz": 15},
    ],
    "magnitudes": {"accel": list(WATCH.channels[:3])},
    "differences": ["accel", WATCH.channels[4]],
    "statistics": ["mean", "std", "iqr", "skewness"],
    "bands_hz": [0.5, 2, 5, 25],
    "correlations": [["accel", WATCH.channels[4]]],
    "mel": {"bands": 5, "low_hz": 1, "floor": 1e-6},
    "quantiles": [0.05, 0.5, 0.95],
    "hann": True,
}

# Push every sample that comes, give back the row of each window and what push() said.
RUN = """
from array import array
import wedau
p = wedau.Pipeline({arguments})
n = {channels}
sample = array('f', bytes(4 * n))
rows = {rows}
while rows:
 block = array('f', take(min(rows, {block}) * 4 * n))
 for i in range(0, len(block), n):
  sample[:] = block[i:i + n]
  said = p.push(sample)
  if said is not None:
   give(p.features)
   give(array('i', [said]))
 rows -= len(block) // n
"""
BLOCK = 100


@dataclass(frozen=True)
class Trained:
    """A model, what it learnt from, and its module."""

    model: TrainedModel
    files: dict[str, bytes]


@pytest.fixture(scope="module")
def trained(micropython: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    settings = TrainSettings(name="saw", trees=5, recipe=PLAN)
    rows = pipeline.prepare(settings, data=WATCH)
    model = pipeline.assemble(rows, evaluate.cross_validate(rows, settings), settings)
    folder = tmp_path_factory.mktemp("saw")
    arch = "xtensawin"
    features = runtime.build(runtime.FEATURES, arch=arch, micropython=micropython, out=folder)
    paths = [features.path, compile_module(model, arch, folder, micropython).path]
    return Trained(model, {path.name: path.read_bytes() for path in paths})


@pytest.fixture(scope="module")
def port(either_firmware: SimFirmware, trained: Trained) -> Iterator[str]:
    with boards.board(either_firmware.elf, either_firmware.plugin) as sim:
        with link.Board(sim.port) as board:
            prepared.with_modules(board, trained.files)
        yield sim.port


@pytest.fixture
def board(port: str) -> Iterator[link.Board]:
    with link.Board(port) as opened:
        opened.soft_reset()
        yield opened


def recipe_of(model: TrainedModel) -> Recipe:
    assert model.card.recipe is not None
    return model.card.recipe


def streamed(
    board: link.Board, arguments: str, samples: np.ndarray, ends: list[int]
) -> tuple[np.ndarray, list[int]]:
    """Return the rows and the answers of a recording that goes through push() on the board.

    ends: how many samples there have been when each window is complete.
    """
    n = samples.shape[1]
    program = RUN.format(arguments=arguments, channels=n, rows=len(samples), block=BLOCK)
    rows, answers = [], []
    with Stream(board, program, patience_s=60) as stream:
        for at in range(0, len(samples), BLOCK):
            stream.give(samples[at : at + BLOCK].astype("<f4").tobytes())
            for _ in [end for end in ends if at < end <= at + BLOCK]:
                rows.append(np.frombuffer(stream.take(), "<f4"))
                answers.append(int(np.frombuffer(stream.take(), "<i4")[0]))
    return np.array(rows), answers


def bits(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(x, np.float32).view(np.uint32)


def check_stream(
    board: link.Board, recipe: Recipe, samples: np.ndarray, arguments: str
) -> list[int]:
    starts = windows.starts(len(samples), recipe.length, recipe.hop)
    ends = (starts + recipe.length).tolist()
    rows, answers = streamed(board, arguments, samples, ends)
    np.testing.assert_array_equal(bits(rows), bits(recipe.extract(samples, starts)))
    return answers


def test_smartwatch_recordings_give_the_hosts_bits_and_classes(
    board: link.Board, trained: Trained
) -> None:
    recipe = recipe_of(trained.model)
    for item in WATCH.items[::50]:
        board.soft_reset()
        answers = check_stream(board, recipe, item.samples, "__import__('saw')")
        starts = windows.starts(len(item.samples), recipe.length, recipe.hop)
        rows = grid.quantize(recipe.extract(item.samples, starts), trained.model.card.scale)
        assert answers == trained.model.estimator.predict(rows).tolist()


SOUND = {
    "filters": [{"kind": "bandpass", "order": 2, "cutoff_hz": [80, 7000]}],
    "differences": ["sound"],
    "statistics": ["rms", "zero_crossings", "kurtosis"],
    "mel": {"bands": 24, "low_hz": 100, "high_hz": 8000, "floor": 1e-8},
    "quantiles": [0.5, 0.99],
    "hann": True,
}


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> tuple[np.ndarray, float]:
    """One and a half seconds of speech."""
    path = tmp_path_factory.mktemp("speech") / "words.wav"
    words = "The saw runs, the saw is jammed."
    subprocess.run([shutil.which("espeak-ng") or "espeak-ng", "-w", path, words], check=True)
    with wave.open(str(path)) as file:
        rate_hz = file.getframerate()
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    samples = (sound[: rate_hz * 3 // 2, None] / np.float32(32768)).astype(np.float32)
    assert len(samples) > rate_hz and np.std(samples) > 0.01
    return samples, float(rate_hz)


def test_speech_gives_the_hosts_bits(board: link.Board, speech: tuple[np.ndarray, float]) -> None:
    samples, rate_hz = speech
    length, hop = windows.length_and_hop(40, 20, rate_hz)
    recipe = plan.recipe(SOUND, ["sound"], [""], rate_hz, length, hop)
    answers = check_stream(board, recipe, samples, f"recipe={recipe.blob!r}")
    assert set(answers) == {True} and len(answers) > 60


def test_push_allocates_nothing_over_windows_and_predictions(
    board: link.Board, trained: Trained
) -> None:
    board.run(
        """
import micropython, saw, wedau
from array import array
p = wedau.Pipeline(saw)
samples = [array('f', [(i * 7919 * c % 1000) / 100 for c in range(1, 7)]) for i in range(40)]
whole, mixed = array('h', range(6)), (1, 2.5, 3, 4, 5, 6)
said = array('b', bytes(400))
def locked():
    micropython.heap_lock()
    try:
        for i in range(300):
            r = p.push(samples[i % 40])
            said[i] = -1 if r is None else r
        p.push(whole)
        p.push(mixed)
        p.reset()
    finally:
        micropython.heap_unlock()
locked()
"""
    )
    said = board.eval("list(said)")
    ends = [i for i, one in enumerate(said[:300]) if one >= 0]
    assert ends == list(range(99, 300, 25))


def test_label_result_and_features_are_those_of_the_last_window(board: link.Board) -> None:
    board.run(
        "import saw, wedau\np = wedau.Pipeline(saw)\nbefore = (p.result, p.label)\n"
        "for i in range(100): r = p.push([i, 1, 2, 3, 4, 5])"
    )
    assert board.eval("before") == (None, None)
    assert board.eval("p.label == saw.labels[r] and p.result == r == saw.predict(p.features)")
    assert board.eval("(p.channels, p.length)") == (6, 100)
    board.run("p.reset()")
    assert board.eval("(p.result, p.label)") == (None, None)
    board.run("again = [p.push((i, 1, 2, 3, 4, 5)) for i in range(100)]")
    assert board.eval("again == [None] * 99 + [r]")


def test_a_hop_beyond_the_window_leaves_samples_out(board: link.Board) -> None:
    recipe = Recipe(("a",), ("",), 10.0, 4, 6, statistics=("mean",))
    board.run(f"import wedau\np = wedau.Pipeline(recipe={recipe.blob!r})\nmeans = []")
    board.run("for i in range(16):\n if p.push(i): means.append(p.features[0])")
    assert board.eval("means") == [1.5, 7.5, 13.5]


def test_a_bad_sample_is_not_taken(board: link.Board) -> None:
    recipe = Recipe(("a",), ("",), 10.0, 4, 4, statistics=("mean",))
    board.run(f"import wedau\np = wedau.Pipeline(recipe={recipe.blob!r})")
    board.run("p.push(1.0); p.push(2.0); p.push(3.0)")
    for wrong, kind in (
        ("float('nan')", "ValueError"),
        ("float('-inf')", "ValueError"),
        ("(1, 2)", "ValueError"),
        ("()", "ValueError"),
        ("array('f', [1, 2])", "ValueError"),
        ("array('i', [1])", "TypeError"),
        ("b'1234'", "TypeError"),
        ("'a'", "TypeError"),
        ("None", "TypeError"),
        ("(None,)", "TypeError"),
    ):
        with pytest.raises(BoardError) as caught:
            board.run(f"from array import array\np.push({wrong})")
        assert caught.value.kind == kind, wrong
    assert board.eval("(p.push((4,)), p.features[0])") == (True, 2.5)


@pytest.mark.parametrize(
    ("arguments", "kind", "text"),
    [
        ("", "ValueError", "no recipe"),
        ("recipe=b'WDR'", "ValueError", "cut short"),
        ("recipe=3", "TypeError", "buffer"),
        ("type('M', (), {'info': {'recipe': b''}})", "ValueError", "ready features"),
        ("saw, OTHER", "ValueError", "other features than the model"),
        ("recipe=HUGE", "MemoryError", ""),
    ],
)
def test_a_wrong_pipeline_is_refused(
    board: link.Board, arguments: str, kind: str, text: str
) -> None:
    other = Recipe(("a",), ("",), 10.0, 4, 4, statistics=("mean",))
    huge = Recipe(("a",) * 16, ("",) * 16, 10.0, 8192, 4, statistics=("mean",))
    arguments = arguments.replace("OTHER", repr(other.blob)).replace("HUGE", repr(huge.blob))
    with pytest.raises(BoardError) as caught:
        board.run(f"import saw, wedau\nwedau.Pipeline({arguments})")
    assert caught.value.kind == kind
    assert text in caught.value.last_line


def test_the_package_has_no_other_names(board: link.Board) -> None:
    with pytest.raises(BoardError) as caught:
        board.run("import wedau\nwedau.nothing")
    assert caught.value.kind == "AttributeError"


def test_a_board_without_the_package_gets_it(sim_firmware: SimFirmware, trained: Trained) -> None:
    files = {**package.build(["pipeline"]), **trained.files}
    with (
        boards.board(sim_firmware.elf, sim_firmware.plugin) as sim,
        link.Board(sim.port) as board,
    ):
        with pytest.raises(DeviceError, match="the firmware has a module 'wedau'"):
            device_push.push(board, files)
        # As a package of another name, which the firmware does not have.
        moved = {name.replace("wedau/", "other/"): data for name, data in files.items()}
        done = device_push.push(board, moved)
        assert done.names == tuple(moved) and done.unchanged == ()
        assert device_push.push(board, moved).unchanged == tuple(moved)
        assert board.eval("sorted(__import__('os').listdir('/lib/other'))") == [
            "__init__.mpy",
            "pipeline.mpy",
        ]
        board.run("import saw\nfrom other.pipeline import Pipeline\np = Pipeline(saw)")
        board.run("for i in range(100): r = p.push([i, 1, 2, 3, 4, 5])")
        assert board.eval("saw.labels[r] == p.label")
