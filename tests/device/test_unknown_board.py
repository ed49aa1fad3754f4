"""The class "unknown" on the simulated board: what the host says, for every kind of row."""

from pathlib import Path

import numpy as np
import pytest

from wedau.cli import verify
from wedau.device import push, replay
from wedau.device.link import Board
from wedau.train import pipeline
from wedau.train.model import TrainedModel
from wedau.train.settings import TrainSettings


def trained(folder: Path, kind: str) -> TrainedModel:
    random = np.random.default_rng(0)
    y = random.integers(0, 3, 900)
    x = np.eye(3, 4)[y] * 4 + random.normal(size=(900, 4))
    lines = [",".join(map(str, row)) + f",{'abc'[k]}" for row, k in zip(x, y, strict=True)]
    (folder / "data.csv").write_text("\n".join(["p,q,r,s,label", *lines]), encoding="ascii")
    trees = None if kind in ("logistic", "naive-bayes") else 15
    settings = TrainSettings(
        data=folder / "data.csv", unknown=0.05, model=kind, trees=trees, name="saw"
    )
    return pipeline.run(settings)


@pytest.mark.parametrize("kind", ["random-forest", "gradient-boosting", "logistic", "naive-bayes"])
def test_board_says_unknown_where_the_host_does(
    kind: str, sim_board: Board, micropython: Path, tmp_path: Path
) -> None:
    model = trained(tmp_path, kind)
    compiled = verify.compile_module(model, "xtensawin", tmp_path, micropython)
    case = verify.case(model)
    proof = verify.prove(case, compiled, sim_board, "a board")
    assert proof.differences == 0 and proof.boundary_inputs >= 6 * 4
    assert proof.build.call_heap_bytes == 0
    random = np.random.default_rng(1)
    new = random.integers(-32768, 32768, (300, 4)).astype(np.int16)  # no class at all
    ends = np.array([[-32768] * 4, [32767] * 4, [0] * 4], np.int16)
    rows = np.concatenate([new, ends])
    push.push(sim_board, {"saw.mpy": compiled.path.read_bytes()})
    decided = replay.classes(sim_board, "saw", rows)
    np.testing.assert_array_equal(decided, model.program.predict(rows))
    assert np.mean(decided == 3) > 0.9
    sim_board.run("import saw\nfrom array import array\nout = array('f', bytes(16))")
    assert sim_board.eval("saw.labels") == ("a", "b", "c", "unknown")
    asked = "list(saw.predict_proba(array('h', [-32768] * 4), out))"
    assert sim_board.eval(asked)[3] == 1.0
