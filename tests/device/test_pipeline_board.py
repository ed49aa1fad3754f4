"""wedau.Pipeline on the board: sample by sample the host's features, bit for bit, without a heap."""

import shutil
import subprocess
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from wedau.build.simboard import SimFirmware
from wedau.cli.verify import compile_features, compile_module
from wedau.device import link
from wedau.device import push as device_push
from wedau.device.link import BoardError
from wedau.device.stream import Stream
from wedau.sim import boards
from wedau.train import datasets, evaluate, grid, pipeline, plan, windows
from wedau.train.model import TrainedModel
from wedau.train.recipe import Recipe
from wedau.train.recordings import Recordings
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
    made = [compile_features, lambda *where: compile_module(model, *where)]
    paths = [compile("xtensawin", folder, micropython).path for compile in made]
    return Trained(model, {path.name: path.read_bytes() for path in paths})


@pytest.fixture(scope="module")
def port(sim_firmware: SimFirmware, trained: Trained) -> Iterator[str]:
    with boards.board(sim_firmware.elf, sim_firmware.plugin) as sim:
        with link.Board(sim.port) as board:
            device_push.push(board, trained.files)
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


def check_stream(board: link.Board, recipe: Recipe, samples: np.ndarray, arguments: str) -> list[int]:
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
