"""Goldens of every kind of model: a node confirms it, and refuses it where the checksum differs."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from wedau import cli
from wedau.cli import modules, ota_payloads, ota_samples, verify
from wedau.cli.ota_node import Node, Repository
from wedau.ota.fields import node as fields
from wedau.train import pipeline
from wedau.train.settings import TrainSettings

PROGRAM = f"""
import wedau.ota
from array import array
wedau.ota.boot()
import saw
row = array("h", {ota_samples.ROW!r})
if hasattr(saw, "labels"):
    print("answer", saw.labels[saw.predict(row)])
else:
    print("answer", saw.predict(row, array("f", (0,)))[0])
for _ in range(20):
    wedau.ota.good()
state = wedau.ota.status()["model"]
print("state", state["version"], state["state"], state["code"])
error = wedau.ota.check()
print("error", error and error.code, error)
"""
KINDS = {
    "regressor": {"model": "random-forest-regressor", "trees": 4, "depth": 4},
    "anomaly": {"model": "isolation-forest", "trees": 5, "leaves": 16, "normal": ("a", "b")},
    "dense": {"model": "mlp", "hidden": (4,)},
    "unknown": {"model": "random-forest", "trees": 4, "unknown": 0.05},
    "data": {"model": "random-forest", "trees": 4},
}


def trained(folder: Path, micropython: Path, kind: str) -> Path:
    """Train a small model and build it; returns its folder."""
    random = np.random.default_rng(0)
    y = random.integers(0, 3, 300)
    x = np.eye(3, 4)[y] * 4 + random.normal(size=(300, 4))
    classes = [
        str(3.5 * k + a) if kind == "regressor" else "abc"[k]
        for k, a in zip(y, x[:, 0], strict=True)
    ]
    lines = [",".join(map(str, row)) + f",{label}" for row, label in zip(x, classes, strict=True)]
    (folder / "data.csv").write_text("\n".join(["p,q,r,s,label", *lines]), encoding="ascii")
    settings = TrainSettings(data=folder / "data.csv", name="saw", version="new", **KINDS[kind])
    model = pipeline.run(settings)
    out = folder / "saw"
    model.save(out)
    if kind == "data":
        assert cli.run(["build", str(out), "--format", "data"]) == 0
        return out
    work = folder / "work"
    work.mkdir()
    compiled = verify.compile_module(model, "xtensawin", work, micropython)
    note_as_built(out, compiled.path)
    return out


def note_as_built(folder: Path, path: Path) -> None:
    """Put a module into a model's folder as `wedau build` does, which also proves it."""
    (folder / "xtensawin").mkdir()
    shutil.copy(path, folder / "xtensawin/saw.mpy")

    def sha256(file: Path) -> str:
        return hashlib.sha256(file.read_bytes()).hexdigest()

    note = {
        "model_sha256": sha256(folder / modules.CARD),
        "build": {"heap_bytes": None},
        "files": {"saw.mpy": sha256(path)},
    }
    (folder / "xtensawin" / modules.NOTE).write_text(json.dumps(note), encoding="ascii")


def lines_of(output: str, word: str) -> list[str]:
    return [line.split(None, 1)[1] for line in output.splitlines() if line.startswith(f"{word} ")]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
def test_model_is_confirmed_and_one_with_another_golden_is_refused(
    kind: str, place: tuple[Repository, Node], micropython: Path, tmp_path: Path
) -> None:
    repository, node = place
    folder = trained(tmp_path, micropython, kind)
    before = shutil.copytree(repository.folder, tmp_path / "before")
    start = node.flash.read_bytes()
    (payload,) = ota_payloads.of_model(folder)
    assert payload.kind == fields.MODEL and ("arch" in payload.place) == (kind != "data")
    payload.place["golden"][3] ^= 1 << 7
    repository.release(payload)
    ended = node.run(PROGRAM)
    assert lines_of(ended.output, "answer") == ["old", "old"], ended.output
    assert lines_of(ended.output, "state")[-1] == "new failed selftest"
    assert lines_of(node.run(PROGRAM).output, "answer") == ["old"]

    node.flash.write_bytes(start)
    shutil.rmtree(repository.folder)
    shutil.copytree(before, repository.folder)
    assert cli.run(["ota", "release", str(folder), str(repository.folder)]) == 0
    ended = node.run(PROGRAM)
    assert len(lines_of(ended.output, "answer")) == 2, ended.output
    assert lines_of(ended.output, "state")[-1].strip() == "new confirmed", ended.output
