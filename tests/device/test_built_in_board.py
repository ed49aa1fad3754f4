"""Models in the firmware on the simulated board: the same answers as their `.mpy`, bit for bit."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

import families
from wedau.build import simboard, usermod
from wedau.build.simboard import SimFirmware
from wedau.cli import built_in
from wedau.cli.proving import Case
from wedau.cli.verify import case, compile_module, compile_program
from wedau.convert import code
from wedau.convert.module import ModuleInfo
from wedau.device import link, push, replay
from wedau.device.link import BoardError
from wedau.models import Program, WithUnknown
from wedau.sim import boards
from wedau.train import datasets, evaluate, pipeline
from wedau.train.model import TrainedModel
from wedau.train.settings import TrainSettings

pytestmark = pytest.mark.timeout(900)  # a firmware is built
ROWS, Y = families.data(3)
UNKNOWN = "unknown"
SMALL = ("isolation forest", "hist gradient boosting, regression", "perceptron, tanh", UNKNOWN)


@dataclass(frozen=True)
class Ready:
    """A model of a name, in both forms, and what it has to decide."""

    model: usermod.Model
    mpy: bytes
    case: Case

    @property
    def name(self) -> str:
        return self.model.info.name


@pytest.fixture(scope="module")
def demo() -> list[TrainedModel]:
    """The demo's models, one for each fold: every window is held out of one of them."""
    settings = TrainSettings(name="saw")
    data = pipeline.prepare(settings, data=datasets.smartwatch())
    result = evaluate.cross_validate(data, settings)
    return [pipeline.assemble(data, result, settings, n) for n in range(len(result.folds))]


def small(family: str) -> Program:
    """A program of a family, or a forest that may answer "unknown"."""
    if family != UNKNOWN:
        return families.fit(family, ROWS, Y).program
    known = families.fit("random forest", ROWS, Y).program
    parts = [ROWS[k == Y].astype(np.int64) for k in range(3)]
    return WithUnknown(
        known=known,
        low=ROWS.min(axis=0).astype(np.int64),
        high=ROWS.max(axis=0).astype(np.int64) - 5,
        median=np.array([np.median(part, axis=0) for part in parts], np.int64),
        weight=np.full((3, 4), 20, np.int64),
        confidence=0.5,
        novelty=100,
    )


def info_of(name: str, program: Program) -> ModuleInfo:
    labels = {"classifier": ("läuft", "klemmt", "aus"), "anomaly": ("normal", "anomaly")}
    given = labels.get(program.task, ())
    if isinstance(program, WithUnknown):
        given = (*given, "unknown")
    return ModuleInfo(
        *(name, "1.2.3", given, ("a.rms", "a.peak", "b", "ü")),
        *(np.exp2(-7.0 - np.arange(4)).astype(np.float32), b"\x00\xffrecipe", "ab" * 32, "0.1.0"),
    )


@pytest.fixture(scope="module")
def ready(
    demo: list[TrainedModel], micropython: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[Ready]:
    """The demo's models and three small ones of other tasks, all with names of their own."""
    made = []
    for number, model in enumerate(demo):
        folder = tmp_path_factory.mktemp("demo")
        native = compile_module(model, "xtensawin", folder, micropython).path.read_bytes()
        info = built_in.of(model).info
        part = replace(built_in.of(model), info=replace(info, name=f"saw{number}"))
        made.append(Ready(part, native, case(model)))
    for number, family in enumerate(SMALL):
        program = small(family)
        info = info_of(f"small{number}", program)
        folder = tmp_path_factory.mktemp("small")
        native = compile_program(program, info, "xtensawin", folder, micropython).path.read_bytes()
        part = usermod.Model(info, code.code(program))
        made.append(Ready(part, native, Case.of_program(program, ROWS)))
    return made


@pytest.fixture(scope="module")
def holding(ready: list[Ready], micropython: Path) -> Iterator[link.Board]:
    """A board with all of them in its firmware and nothing on its file system."""
    firmware = simboard.build(micropython, modules=[each.model for each in ready])
    with boards.board(firmware.elf, firmware.plugin) as sim, link.Board(sim.port) as board:
        yield board


@pytest.fixture(scope="module")
def loading(ready: list[Ready], sim_firmware: SimFirmware) -> Iterator[link.Board]:
    """A board that loads them; each has another name as a file."""
    with boards.board(sim_firmware.elf, sim_firmware.plugin) as sim, link.Board(sim.port) as board:
        push.push(board, {f"file{n}.mpy": each.mpy for n, each in enumerate(ready)})
        yield board


def test_built_in_models_answer_as_their_files(
    ready: list[Ready], holding: link.Board, loading: link.Board, demo: list[TrainedModel]
):
    windows = 0
    for number, each in enumerate(ready):
        rows, task, n = each.case.rows, each.case.program.task, each.case.program.n_outputs
        windows += len(each.case.held_out) if number < len(demo) else 0
        given = {}
        for board, name in ((holding, each.name), (loading, f"file{number}")):
            board.soft_reset()
            decided = replay.classes(board, name, rows) if task != "regressor" else None
            outputs = replay.outputs(board, name, rows, n, task)
            given[board] = decided, outputs
            kept = outputs if task == "regressor" else outputs[: len(each.case.held_out)]
            assert each.case.check(decided, kept).differences == 0
        np.testing.assert_array_equal(given[holding][0], given[loading][0])
        np.testing.assert_array_equal(
            given[holding][1].view(np.uint32), given[loading][1].view(np.uint32)
        )
    assert windows == 1420


def test_built_in_model_tells_the_same_of_itself(
    ready: list[Ready], holding: link.Board, loading: link.Board
):
    for number, each in enumerate(ready):
        for board, name in ((holding, each.name), (loading, f"file{number}")):
            board.soft_reset()
            board.run(f"import {name} as m")
        assert {**holding.eval("m.info"), "name": ""} == {**loading.eval("m.info"), "name": ""}
        assert holding.eval("m.info['name']") == each.name
        expected = None if each.case.program.task == "regressor" else tuple(each.model.info.labels)
        for board in (holding, loading):
            assert board.eval("getattr(m, 'labels', None)") == expected
            assert board.eval("m.info['labels']") == tuple(each.model.info.labels)


def test_built_in_model_is_in_flash(ready: list[Ready], holding: link.Board):
    """An import takes entries in sys.modules and the globals; the tables stay where they are."""
    holding.soft_reset()
    assert set(holding.list("/")) <= {"boot.py"}  # MicroPython's own
    holding.run("import gc\nsize = 0\nbefore = 0")
    for each in ready:
        holding.run("gc.collect()\nbefore = gc.mem_alloc()")
        holding.run(f"import {each.name}")
        holding.run("gc.collect()\nsize = gc.mem_alloc() - before")
        assert holding.eval("size") <= 256, each.name


CALLS = """
import micropython, {name} as m
from array import array
x = array({kind!r}, [1] * {n_features})
out = array('f', [0] * {n_outputs})
def locked():
    micropython.heap_lock()
    try:
        {calls}
    finally:
        micropython.heap_unlock()
locked()
"""
METHODS = {
    "classifier": "m.predict(x); m.predict_proba(x, out); m.labels[1]",
    "anomaly": "m.predict(x); m.labels[1]; m.decision_function(x, out)",
    "regressor": "m.predict(x, out)",
}


@pytest.mark.parametrize("kind", ["h", "f"])
def test_calls_allocate_nothing(kind: str, ready: list[Ready], holding: link.Board):
    for each in ready:
        n, program = len(each.model.info.features), each.case.program
        given = {"n_features": n, "n_outputs": program.n_outputs, "calls": METHODS[program.task]}
        holding.run(CALLS.format(name=each.name, kind=kind, **given))


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        ("small0.predict([1, 2, 3, 4])", "TypeError", "buffer protocol required"),
        ("small0.predict(bytes(8))", "TypeError", "x must be an array of 'h' (grid) or 'f'"),
        ("small0.predict(array('h', [1]))", "ValueError", "x has the wrong length"),
        ("small0.predict(array('f', [float('nan')] * 4))", "ValueError", "x holds NaN"),
        ("small2.predict_proba(x, array('f', [1]))", "ValueError", "see labels"),
        ("small1.predict(x, array('f', [1, 2]))", "ValueError", "it gives one float"),
        ("small1.labels", "AttributeError", "no such attribute"),
        ("small0.predict_proba", "AttributeError", "no such attribute"),
    ],
)
def test_errors_are_those_of_the_file(holding: link.Board, call: str, kind: str, text: str):
    holding.run("import small0, small1, small2\nfrom array import array\nx = array('h', [1] * 4)")
    with pytest.raises(BoardError) as caught:
        holding.run(call)
    assert caught.value.kind == kind
    assert text in caught.value.last_line
