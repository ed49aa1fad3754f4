"""Every family on the simulated board: equal to scikit-learn, and to the host's C bit for bit."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_wine

import families
from hostc import HostModel
from wedau import models
from wedau.build import natmod
from wedau.build.simboard import SimFirmware
from wedau.cli import verify
from wedau.cli.proving import BOUND, Case
from wedau.convert import code
from wedau.convert.module import ModuleInfo
from wedau.device import link, push, replay
from wedau.errors import ConvertError
from wedau.models import Program, Votes
from wedau.sim import boards
from wedau.train import grid

pytestmark = pytest.mark.filterwarnings("ignore")

# One of each arithmetic; families.ALL has more that differ on the host only.
ON_BOARD = (
    "decision tree",
    "random forest",
    "extra trees, soft",
    "gradient boosting",
    "hist gradient boosting",
    "random forest, regression",
    "gradient boosting, regression",
    "hist gradient boosting, poisson",
    "isolation forest",
    "perceptron, relu",
    "perceptron, tanh",
    "perceptron, logistic",
    "perceptron, regression",
    "naive Bayes",
    "neighbours",
    "neighbours, distance",
    "neighbours, regression, distance",
    "logistic regression",
    "linear regression",
    "mixture, full",
    "mixture, diag",
    "elliptic envelope",
)
WINES = ("Barolo", "Grignolino", "Barbera")


def info(program: Program, scale: np.ndarray) -> ModuleInfo:
    labels = {"classifier": WINES, "anomaly": models.ANOMALY_LABELS, "regressor": ()}[program.task]
    if program.task == "classifier":
        labels = (*labels, "d", "e", "f")[: program.n_outputs]
    features = [f"f{i}" for i in range(program.n_features)]
    return ModuleInfo("m", "1.0.0", labels, features, scale, b"", "0" * 64, "0")


@pytest.fixture(scope="module")
def board(sim_firmware: SimFirmware) -> Iterator[link.Board]:
    with boards.board(sim_firmware.elf, sim_firmware.plugin) as sim, link.Board(sim.port) as opened:
        yield opened


def wine(name: str) -> tuple[families.Fitted, np.ndarray]:
    """A family fitted to one half of the wines on the grid, and the other half."""
    x, y = load_wine(return_X_y=True)
    scale = grid.fit_scale(x.astype(np.float32))
    rows = grid.quantize(x.astype(np.float32), scale)
    scaler = "alone" if name in families.TREES else "standard"
    fitted = families.fit(name, rows[::2], y[::2], scaler=scaler, scale=scale)
    return fitted, rows[1::2]


def compiled(fitted: families.Fitted, folder: Path, micropython: Path) -> natmod.Natmod:
    program = fitted.program
    return verify.compile_program(
        program, info(program, fitted.scale), "xtensawin", folder, micropython
    )


def equal_bits(board: link.Board, program: Program, rows: np.ndarray, folder: Path) -> None:
    """Compare the board's module with the host's C, everything down to the last bit."""
    host = HostModel(program, folder)
    if program.task != "regressor":
        np.testing.assert_array_equal(replay.classes(board, "m", rows), host.predict(rows))
    got = replay.outputs(board, "m", rows, program.n_outputs, program.task)
    np.testing.assert_array_equal(got.view(np.uint32), host.outputs(rows).view(np.uint32))


@pytest.mark.parametrize("name", ON_BOARD)
def test_family_is_proven_on_wine(
    board: link.Board, micropython: Path, tmp_path: Path, name: str
) -> None:
    fitted, held_out = wine(name)
    program = fitted.program
    case = Case(program, held_out, fitted.predict(held_out), fitted.outputs(held_out))
    proof = verify.prove(case, compiled(fitted, tmp_path, micropython), board, "sim")
    assert proof.held_out == 89
    assert (proof.boundary_inputs > 0) == (name in families.TREES)
    assert proof.differences == 0
    assert proof.max_error <= BOUND * max(1, float(np.abs(case.outputs).max()))
    assert proof.build.call_heap_bytes == 0
    random = np.random.default_rng(0)
    anything = random.integers(-32768, 32768, (60, 13)).astype(np.int16)
    equal_bits(board, program, np.concatenate([held_out, anything]), tmp_path)
    check_interface(board, program)


def check_interface(board: link.Board, program: Program) -> None:
    """Labels, info, the heap, and what wrong arguments do."""
    board.soft_reset()
    board.run("import m, micropython\nfrom array import array\nx = array('h', range(13))")
    board.run(f"f = array('f', range(13))\nout = array('f', bytes({4 * program.n_outputs}))")
    fill = replay.FILLS[program.task]
    calls = [f"m.{fill}(x, out)", f"m.{fill}(f, out)"]
    if program.task != "regressor":
        calls += ["m.predict(x)", "m.predict(f)", "m.labels[m.predict(x)]"]
    board.run(
        f"micropython.heap_lock()\ntry:\n {'; '.join(calls)}\nfinally:\n micropython.heap_unlock()"
    )
    assert board.eval(f"m.{fill}(x, out) is out")
    labels = {"classifier": WINES, "anomaly": ("normal", "anomaly"), "regressor": ()}[program.task]
    assert board.eval("m.info['labels']") == labels
    assert board.eval("len(m.info['features'])") == 13
    assert board.eval("getattr(m, 'labels', None)") == (labels or None)
    others = set(replay.FILLS.values()) - {fill, "predict"}
    assert not any(board.eval(f"hasattr(m, {other!r})") for other in others)
    wrong = [
        (f"{fill}(x)", "TypeError"),
        (f"{fill}(x, None)", "TypeError"),
        (f"{fill}(x, bytes({4 * program.n_outputs}))", "TypeError"),
        (f"{fill}(x, array('i', [0]))", "TypeError"),
        (f"{fill}(x, array('f', range({program.n_outputs + 1})))", "ValueError"),
        (f"{fill}(array('h', range(12)), out)", "ValueError"),
        (f"{fill}(array('f', range(14)), out)", "ValueError"),
        (f"{fill}(array('H', range(13)), out)", "TypeError"),
        (f"{fill}(array('f', [float('nan')] * 13), out)", "ValueError"),
    ]
    if program.task != "regressor":
        wrong += [("predict(x[:5])", "ValueError"), ("predict([0] * 13)", "TypeError")]
    for call, kind in wrong:
        with pytest.raises(link.BoardError) as caught:
            board.run(f"m.{call}")
        assert caught.value.kind == kind, call


@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    name=st.sampled_from(sorted(families.ALL)),
    seed=st.integers(0, 2**31),
    n_features=st.integers(1, 20),
    n_classes=st.integers(2, 6),
    spread=st.sampled_from([1, 100, 20000]),
)
def test_random_estimators_are_equal_to_the_hosts_c_bit_for_bit(
    board: link.Board,
    micropython: Path,
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    seed: int,
    n_features: int,
    n_classes: int,
    spread: int,
):
    if name == "elliptic envelope" or name.startswith("mixture"):
        spread = max(spread, 100)
    rows, y = families.data(seed, n_features, n_classes, spread)
    fitted = families.fit(name, rows, y, scaler="standard")
    folder = tmp_path_factory.mktemp("m")
    made = compiled(fitted, folder, micropython)
    push.push(board, {"m.mpy": made.path.read_bytes()})
    random = np.random.default_rng(seed)
    anything = random.integers(-32768, 32768, (100, n_features)).astype(np.int16)
    case = Case.of_program(fitted.program, rows[:20])
    equal_bits(board, fitted.program, np.concatenate([case.rows[:300], anything]), folder)


@pytest.mark.parametrize("name", ["perceptron, relu", "neighbours", "mixture, diag", "ridge"])
def test_a_module_that_is_wrong_is_refused_and_names_the_row(
    board: link.Board,
    micropython: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
):
    fitted, held_out = wine(name)
    assert not isinstance(fitted.program, Votes)
    right = code.code

    def wrong(program: Program) -> code.Code:
        made = right(program)
        head = "static inline void wd_scores(const int16_t *row, float *score) {"
        assert head in made.text
        text = made.text.replace(head, f"{head}\n    int16_t other[WD_N_FEATURES] = {{ 0 }};")
        start = text.index(head)
        body = text[start:].replace("(row, ", "(other, ").replace("row[i]", "other[i]")
        return code.Code(text[:start] + body.replace("wd_scores(other", "wd_scores(row"), made.core)

    monkeypatch.setattr(code, "code", wrong)
    case = Case(fitted.program, held_out, fitted.predict(held_out), fitted.outputs(held_out))
    with pytest.raises(ConvertError) as caught:
        verify.prove(case, compiled(fitted, tmp_path, micropython), board, "sim")
    assert "held-out row " in caught.value.message
    assert "instead of" in caught.value.message
    assert caught.value.message.endswith("no module was made")
