"""The model's folder: the same when loaded, the same bytes from the same data, all checked."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier

from wedau.errors import DataError
from wedau.models import trees
from wedau.train import pipeline
from wedau.train.model import TrainedModel
from wedau.train.settings import TrainSettings

SETTINGS = TrainSettings(label="what is it", trees=7, depth=5, leaves=20, name="shapes")
FILES = ["held_out.csv", "model.json", "trees.json"]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(300, 3))
    label = np.where(x[:, 0] + x[:, 1] > 0, "Fräser, links", "Säge")
    label[x[:, 2] > 1] = "aus"
    rows = [
        f"{a:.4f},{b:.4f},{c:.0f},{d!r}\n" for (a, b, c), d in zip(x, label.tolist(), strict=True)
    ]
    path = tmp_path_factory.mktemp("table") / "shapes.csv"
    text = "ax,ay,count,what is it\n" + "".join(rows).replace("'", '"')
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def model(table: Path) -> TrainedModel:
    return pipeline.run(replace(SETTINGS, data=table))


@pytest.fixture
def folder(model: TrainedModel, tmp_path: Path) -> Path:
    model.save(tmp_path / "shapes")
    return tmp_path / "shapes"


def test_loaded_model_is_the_saved_one(model: TrainedModel, folder: Path) -> None:
    loaded = TrainedModel.load(folder)
    assert loaded.card.labels == ("Fräser, links", "Säge", "aus")
    assert loaded.card.scale.dtype == np.float32
    np.testing.assert_array_equal(loaded.card.scale, model.card.scale)
    assert loaded.card.scale[2] == 1  # a column of integers
    for name in ("x", "y", "predicted", "outputs"):
        np.testing.assert_array_equal(getattr(loaded.held_out, name), getattr(model.held_out, name))
    rows = np.random.default_rng(0).integers(-32768, 32768, (5000, 3)).astype(np.int16)
    np.testing.assert_array_equal(loaded.program.outputs(rows), model.program.outputs(rows))


def test_loaded_model_saves_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    TrainedModel.load(folder).save(tmp_path / "again")
    assert sorted(p.name for p in folder.iterdir()) == FILES
    for name in FILES:
        assert (folder / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_same_seed_and_data_give_the_same_bytes(table: Path, folder: Path, tmp_path: Path) -> None:
    pipeline.run(replace(SETTINGS, data=table)).save(tmp_path / "again")
    for name in FILES:
        assert (folder / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_another_seed_gives_other_trees(table: Path, model: TrainedModel) -> None:
    other = pipeline.run(replace(SETTINGS, data=table, seed=1))
    assert [t.to_json() for t in other.trees] != [t.to_json() for t in model.trees]


def test_folder_holds_no_path_of_the_machine(folder: Path, table: Path) -> None:
    text = (folder / "model.json").read_text()
    assert table.name in text
    assert str(table.parent) not in text


def test_saving_replaces_a_model_and_keeps_other_files(model: TrainedModel, folder: Path) -> None:
    (folder / "report.html").write_text("mine")
    (folder / "trees.json").write_text("old")
    model.save(folder)
    TrainedModel.load(folder)
    assert (folder / "report.html").read_text() == "mine"
    assert [p.name for p in folder.parent.iterdir()] == [folder.name]


def test_saving_into_a_folder_of_other_things_is_refused(
    model: TrainedModel, tmp_path: Path
) -> None:
    (tmp_path / "photo.jpg").write_text("mine")
    with pytest.raises(DataError, match="holds other files and no model"):
        model.save(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["photo.jpg"]
    with pytest.raises(DataError, match="photo.jpg is a file"):
        model.save(tmp_path / "photo.jpg")
    with pytest.raises(DataError, match="cannot write the model folder"):
        model.save(tmp_path / "photo.jpg" / "below")


def test_what_is_no_model_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is not a model folder: no model\.json in it"):
        TrainedModel.load(tmp_path)
    (tmp_path / "model.json").write_text("[]")
    with pytest.raises(DataError, match="is not a model card of format 1"):
        TrainedModel.load(tmp_path)
    (tmp_path / "model.json").write_bytes(b"\xff{")
    with pytest.raises(DataError, match="is not JSON"):
        TrainedModel.load(tmp_path)


def test_a_changed_byte_is_noticed(folder: Path) -> None:
    for name in ("trees.json", "held_out.csv"):
        good = (folder / name).read_bytes()
        (folder / name).write_bytes(good.replace(b"1", b"2", 1))
        with pytest.raises(DataError, match=rf"{name} is not the file that model\.json names"):
            TrainedModel.load(folder)
        (folder / name).write_bytes(good)


def edit(folder: Path, name: str, change: Callable[[Any], object]) -> None:
    """Change a file as someone would who also knows how to correct the hashes."""
    path = folder / name
    if name == "held_out.csv":
        lines = path.read_text().splitlines()
        change(lines)
        path.write_text("\n".join(lines) + "\n")
    else:
        data = json.loads(path.read_text())
        change(data)
        path.write_text(json.dumps(data))
    if name == "model.json":
        return
    card = json.loads((folder / "model.json").read_text())
    for other in ("trees.json", "held_out.csv"):
        card["files"][other] = hashlib.sha256((folder / other).read_bytes()).hexdigest()
    (folder / "model.json").write_text(json.dumps(card))


def put(*path: Any, value: Any) -> Callable[[Any], None]:
    def change(data: Any) -> None:
        for key in path[:-1]:
            data = data[key]
        data[path[-1]] = value

    return change


def drop(*path: Any) -> Callable[[Any], None]:
    def change(data: Any) -> None:
        for key in path[:-1]:
            data = data[key]
        del data[path[-1]]

    return change


@pytest.mark.parametrize(
    ("name", "change", "text"),
    [
        ("trees.json", put(0, "left", 0, value=0), "left is 0, not within 1 to"),
        ("trees.json", put(0, "right", 0, value=1), "the nodes are not one tree"),
        ("trees.json", put(0, "left", 0, value=10**9), "left is 1000000000, not within"),
        ("trees.json", put(0, "feature", 0, value=3), "feature is 3, not within 0 to 2"),
        ("trees.json", put(0, "feature", 0, value=0.5), "feature is not a list of integers"),
        ("trees.json", put(0, "threshold", 0, value=40000), "threshold is 40000, not within"),
        ("trees.json", put(0, "label", -1, value=3), "label is 3, not within 0 to 2"),
        ("trees.json", put(0, "label", 0, value=0), "half a leaf, half a decision"),
        ("trees.json", put(0, "samples", 0, value=-1), "samples is -1, not within"),
        ("trees.json", drop(0, "samples"), "needs exactly the fields"),
        ("trees.json", drop(0, "samples", -1), "the fields differ in length"),
        ("trees.json", put(0, value=[]), "needs exactly the fields"),
        ("trees.json", list.clear, "holds no trees"),
        ("trees.json", lambda d: d.__setitem__(slice(1, None), []), "the trees predict another"),
        ("held_out.csv", put(0, value="label,group,predicted,x"), "other columns than model.json"),
        ("held_out.csv", put(1, value="Säge,,Säge,1,2"), "row 2 is damaged"),
        ("held_out.csv", put(1, value="Säge,,Säge,1,2,40000"), "row 2 is damaged"),
        ("held_out.csv", put(1, value="Säge,,Bohrer,1,2,3"), "row 2 is damaged"),
        ("held_out.csv", put(1, value='"'), "row 2 is damaged|not the CSV"),
        ("model.json", put("name", value="../../x"), "is not a Python identifier"),
        ("model.json", put("labels", value=["a"]), "labels: fewer than two"),
        ("model.json", put("labels", value=["a", "a", "b"]), "labels: fewer than two"),
        ("model.json", put("features", 0, "scale", value=0), "a scale is not a number above 0"),
        ("model.json", put("features", 0, "scale", value="x"), "is incomplete or damaged"),
        ("model.json", put("features", 1, "name", value="ax"), "features: none, or one twice"),
        ("model.json", drop("recipe"), "is incomplete or damaged"),
        ("model.json", put("recipe", value={"channels": 1}), "is incomplete or damaged"),
        ("model.json", put("data", value=[]), "is incomplete or damaged"),
        ("model.json", drop("data", "sha256"), "is incomplete or damaged"),
        ("model.json", put("files", value=3), "is incomplete or damaged"),
    ],
)
def test_damaged_files_are_refused(
    folder: Path, name: str, change: Callable[[Any], object], text: str
) -> None:
    edit(folder, name, change)
    with pytest.raises(DataError, match=text) as caught:
        TrainedModel.load(folder)
    assert "\n" not in caught.value.message


def test_hardened_forest_is_the_majority_vote_of_its_trees() -> None:
    x, y = load_digits(return_X_y=True)
    x = x.astype(np.int16)
    trained = RandomForestClassifier(20, max_depth=8, random_state=0).fit(x[::2], y[::2])
    hard = [trees.harden(e.tree_, trained.classes_) for e in trained.estimators_]
    votes = np.zeros((len(x), 10), int)
    for e in trained.estimators_:
        leaf = e.tree_.predict(x.astype(np.float32))
        votes[np.arange(len(x)), leaf.argmax(axis=1)] += 1
    forest = trees.forest(hard, 64, 10)
    np.testing.assert_array_equal(forest.predict(x), votes.argmax(axis=1))
    np.testing.assert_array_equal(forest.predict_proba(x), votes / 20)
    assert sum(t.n_nodes for t in hard) < sum(e.tree_.node_count for e in trained.estimators_)


def test_a_tie_goes_to_the_lowest_class_index() -> None:
    leaves = [trees.TreeArrays(*(np.array([v]) for v in (-1, 0, -1, -1, c, 1))) for c in (2, 1)]
    assert trees.forest(leaves, 1, 3).predict(np.zeros((1, 1))).tolist() == [1]
