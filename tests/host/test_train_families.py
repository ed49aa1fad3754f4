"""Every kind of model: trained, judged, saved, loaded, and refused where it is damaged."""

import hashlib
import json
import warnings
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sklearn.datasets import load_wine
from threadpoolctl import threadpool_limits

from wedau import models
from wedau.errors import DataError, UsageError, WedauError
from wedau.train import anomalies, pipeline
from wedau.train.held_out import TOLERANCE
from wedau.train.kinds import KINDS, OPTIONS
from wedau.train.model import TrainedModel
from wedau.train.recordings import Recording, Recordings
from wedau.train.settings import TrainSettings

CLASSIFIERS = [kind for kind, its in KINDS.items() if its.task == "classifier"]
REGRESSORS = [kind for kind, its in KINDS.items() if its.task == "regressor"]
ANOMALIES = [kind for kind, its in KINDS.items() if its.task == "anomaly"]
VOTING = ["random-forest", "decision-tree", "extra-trees"]


@pytest.fixture(scope="module")
def wine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    x, y = load_wine(return_X_y=True, as_frame=True)
    x["cultivar"] = [f"c{label}" for label in y]
    path: Path = tmp_path_factory.mktemp("wine") / "wine.csv"
    x.to_csv(path, index=False)
    return path


def settings_of(kind: str, wine: Path) -> TrainSettings:
    few = {"trees": 6} if "trees" in KINDS[kind].defaults else {}
    settings = TrainSettings(data=wine, model=kind, name="wine", **few)
    if KINDS[kind].task == "regressor":
        return replace(settings, label="alcohol", ignore=("cultivar",), units={"alcohol": "%"})
    normal = ("c0", "c1") if KINDS[kind].task == "anomaly" else ()
    return replace(settings, label="cultivar", normal=normal)


@cache
def trained(kind: str, wine: Path) -> TrainedModel:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return pipeline.run(settings_of(kind, wine))


@pytest.mark.parametrize("kind", KINDS)
def test_saved_model_loads_and_saves_the_same_bytes(kind: str, wine: Path, tmp_path: Path) -> None:
    model = trained(kind, wine)
    model.save(tmp_path / "wine")
    loaded = TrainedModel.load(tmp_path / "wine")
    loaded.save(tmp_path / "again")
    names = {"model.json", "held_out.csv"}
    names |= {"trees.json"} if kind in VOTING else {"parameters.json", "outputs.csv"}
    assert {p.name for p in (tmp_path / "wine").iterdir()} == names
    for name in names:
        assert (tmp_path / "wine" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    assert (loaded.card.family, loaded.card.task) == (kind, KINDS[kind].task)
    for name in ("x", "y", "predicted", "outputs"):
        np.testing.assert_array_equal(getattr(loaded.held_out, name), getattr(model.held_out, name))


@pytest.mark.parametrize("kind", KINDS)
def test_threads_and_time_change_no_byte(kind: str, wine: Path, tmp_path: Path) -> None:
    trained(kind, wine).save(tmp_path / "wine")
    with threadpool_limits(4):
        pipeline.run(settings_of(kind, wine)).save(tmp_path / "again")
    for path in (tmp_path / "wine").iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_classifier_knows_wines(kind: str, wine: Path) -> None:
    model = trained(kind, wine)
    metrics, rows = model.card.metrics, model.held_out
    assert metrics["accuracy_unseen"] > 0.85
    assert sum(map(sum, metrics["confusion"])) == 178
    assert model.card.labels == ("c0", "c1", "c2")
    assert metrics["held_out"]["accuracy"] == np.mean(rows.y == rows.predicted)
    assert rows.outputs.shape == (len(rows.x), 3)
    np.testing.assert_array_equal(rows.outputs.argmax(axis=1), rows.predicted)


@pytest.mark.parametrize("kind", REGRESSORS)
def test_regressor_is_better_than_the_mean(kind: str, wine: Path) -> None:
    model = trained(kind, wine)
    metrics, rows = model.card.metrics, model.held_out
    assert metrics["r2_unseen"] > 0.2
    assert metrics["range_unseen"] == [11.03, 14.83]
    own = metrics["held_out"]["mean_absolute_error"]
    assert own == pytest.approx(np.mean(np.abs(rows.y - rows.predicted)))
    assert (model.card.labels, model.card.target, model.card.target_unit) == ((), "alcohol", "%")
    assert model.card.data.columns == model.card.features
    assert "alcohol" not in model.card.features
    assert rows.y.dtype == rows.predicted.dtype == np.float64


@pytest.mark.parametrize("kind", ANOMALIES)
def test_anomaly_model_learns_from_normal_rows_and_judges_all(kind: str, wine: Path) -> None:
    model = trained(kind, wine)
    metrics = model.card.metrics
    (true, false), (missed, found) = metrics["confusion"]
    assert (true + false, missed + found) == (130, 48)
    assert metrics["false_alarm_rate_unseen"] == false / 130 < 0.1
    assert metrics["detection_rate_unseen"] == found / 48
    assert model.card.labels == ("normal", "anomaly")
    rows = model.held_out
    np.testing.assert_array_equal(rows.predicted, rows.outputs[:, 0] < 0)


@pytest.mark.parametrize("kind", ANOMALIES)
def test_more_false_alarms_find_more(kind: str, wine: Path) -> None:
    more = pipeline.run(replace(settings_of(kind, wine), false_alarms=0.2)).card.metrics
    few = trained(kind, wine).card.metrics
    assert more["detection_rate_unseen"] > few["detection_rate_unseen"]
    assert 0.1 < more["false_alarm_rate_unseen"] < 0.35


def test_threshold_has_the_share_below() -> None:
    scores = np.random.default_rng(0).normal(size=1000)
    for share in (0.0005, 0.01, 0.1, 0.5):
        assert np.sum(scores < anomalies.quantile(scores, share)) == int(1000 * share)
    assert anomalies.quantile(np.ones(50), 0.1) < 1


def test_without_labels_all_rows_are_normal(wine: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(wine).drop(columns="cultivar")
    frame.to_csv(tmp_path / "plain.csv", index=False)
    card = pipeline.run(TrainSettings(tmp_path / "plain.csv", model="isolation-forest")).card
    assert card.metrics["detection_rate_unseen"] is None
    assert card.metrics["confusion"][1] == [0, 0]
    assert card.data.label == ""


def test_groups_are_kept_apart_where_there_are_no_classes(wine: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(wine)
    frame["cellar"] = [f"g{i % 4}" for i in range(len(frame))]
    frame.to_csv(tmp_path / "cellars.csv", index=False)
    for kind in ("linear", "gaussian-mixture"):
        settings = replace(settings_of(kind, wine), data=tmp_path / "cellars.csv", group="cellar")
        metrics = pipeline.run(settings).card.metrics
        assert metrics["by"] == "group"
        assert sorted(f["groups"] for f in metrics["folds"]) == [["g0"], ["g1"], ["g2"], ["g3"]]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"model": "forest"}, "there is no kind of model 'forest'; the kinds are random-forest, "),
        ({"model": "knn", "trees": 3}, "--trees does not apply to --model knn"),
        ({"model": "linear", "hidden": (3,)}, "--hidden does not apply to --model linear"),
        ({"normal": ("a",)}, "--normal does not apply to --model random-forest"),
        ({"model": "mlp", "hidden": (9, 300)}, "the widest hidden layer is 300, not within 1 to"),
        ({"model": "mlp", "hidden": (9,) * 4}, "the number of hidden layers is 4, not within"),
        ({"model": "knn", "neighbors": 33}, "the number of neighbours is 33, not within 1 to 32"),
        ({"model": "knn", "neighbors": 9, "rows": 5}, "5 rows to learn from, fewer than 9 neigh"),
        ({"model": "gaussian-mixture", "normal": ("c9",)}, "no row has the label 'c9'"),
        ({"model": "gaussian-mixture"}, "nothing says which of the 3 labels is normal"),
        ({"model": "linear"}, "row 2, column cultivar: 'c0' is not a number"),
        ({"model": "isolation-forest", "false_alarms": 0.9}, "the share of false alarms is 0.9"),
    ],
)
def test_impossible_settings_are_refused(changes: dict[str, Any], text: str, wine: Path) -> None:
    with pytest.raises(WedauError) as caught:
        pipeline.run(replace(TrainSettings(data=wine, label="cultivar"), **changes))
    assert text in caught.value.message


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_refuses_the_options_of_others(kind: str) -> None:
    values: dict[str, Any] = {"hidden": (8,), "normal": ("a",), "learning_rate": 0.1}
    for option in OPTIONS:
        value = values.get(option, 0.1 if option == "false_alarms" else 5)
        settings = TrainSettings(model=kind, **{option: value})
        if option in KINDS[kind].defaults:
            settings.check()
            assert settings.to_json()[option] == (
                list(value) if isinstance(value, tuple) else value
            )
        else:
            with pytest.raises(UsageError, match=f"{OPTIONS[option]} does not apply"):
                settings.check()


def test_a_class_that_is_held_out_whole_is_named(tmp_path: Path) -> None:
    rows = [f"{i % 7},{i % 5},{'ab'[i % 2]},g{i % 9}\n" for i in range(90)]
    rows += [f"{i},99,rare,{'g0' if i % 2 else 'lone'}\n" for i in range(8)]
    path = tmp_path / "rare.csv"
    path.write_text("x,z,label,who\n" + "".join(rows))
    settings = TrainSettings(data=path, group="who", model="logistic")
    with pytest.raises(DataError, match="all rows of the class 'rare' are held out at once"):
        pipeline.run(replace(settings, ignore=("x",)))
    assert pipeline.run(replace(settings, model="extra-trees", trees=3)).card.labels[2] == "rare"


def test_neighbours_that_are_equally_near_are_no_model(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.integers(0, 2, (300, 6)), columns=list("uvwxyz"))
    frame["label"] = np.where(frame.sum(axis=1) + rng.integers(0, 2, 300) > 3, "many", "few")
    frame.to_csv(tmp_path / "bits.csv", index=False)
    with pytest.raises(DataError, match="just between two answers") as caught:
        pipeline.run(TrainSettings(data=tmp_path / "bits.csv", model="knn"))
    assert "equally near" in caught.value.hint
    pipeline.run(TrainSettings(data=tmp_path / "bits.csv", model="hist-gradient-boosting"))


def recordings(labels: list[str]) -> Recordings:
    """Two channels of noise, louder by the number."""
    rng = np.random.default_rng(0)
    items = [
        Recording(f"r{i}", (rng.normal(size=(400, 2)) * (1 + i % 4)).astype(np.float32), label)
        for i, label in enumerate(labels)
    ]
    return Recordings("made", ("ax", "ay"), ("", ""), 50.0, tuple(items))


def test_recordings_give_numbers_and_alarms_too() -> None:
    short = TrainSettings(window_ms=1000)
    loud = recordings([str(1 + i % 4) for i in range(12)])
    value = pipeline.run(replace(short, model="linear", units={"label": "V"}), data=loud).card
    assert value.metrics["r2_unseen"] > 0.8
    assert (value.metrics["by"], value.target_unit) == ("recording", "V")
    settings = replace(short, model="isolation-forest", normal=("1", "2"))
    alarm = pipeline.run(settings, data=loud).card
    assert alarm.metrics["detection_rate_unseen"] > 0.5
    plain = pipeline.run(replace(settings, normal=()), data=recordings([""] * 12)).card
    assert (plain.data.label, plain.metrics["detection_rate_unseen"]) == ("", None)
    with pytest.raises(DataError, match="holds 'loud', which is no number"):
        pipeline.run(replace(short, model="linear"), data=recordings(["1", "loud"] * 6))


FAMILIES = ("gradient-boosting", "isolation-forest", "mlp", "naive-bayes", "knn", "linear")


@cache
def parameters(kind: str, wine: Path) -> str:
    return json.dumps(models.to_json(trained(kind, wine).program))


def places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to each value, of long lists to the ends and the middle."""
    yield path
    if isinstance(data, dict):
        for key, value in data.items():
            yield from places(value, (*path, key))
    elif isinstance(data, list):
        for i in sorted({0, len(data) // 2, len(data) - 1} & set(range(len(data)))):
            yield from places(data[i], (*path, i))


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=3),
    st.just([]),
    st.just({}),
    st.just([[]]),
    st.just([1, [2]]),
    st.just("delete"),
)


@pytest.mark.parametrize("kind", FAMILIES)
@hypothesis_settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damaged_parameters_are_refused_or_change_nothing(
    kind: str, wine: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = json.loads(parameters(kind, wine))
    path = data.draw(st.sampled_from([p for p in places(content) if p]))
    junk = data.draw(JUNK)
    at = content
    for key in path[:-1]:
        at = at[key]
    if junk == "delete":
        del at[path[-1]]
    else:
        at[path[-1]] = junk
    folder: Path = tmp_path_factory.mktemp("damaged") / "wine"
    trained(kind, wine).save(folder)
    put(folder, "parameters.json", json.dumps(content))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            loaded = TrainedModel.load(folder)
        except DataError as error:
            assert "\n" not in error.message
            return
    rows = loaded.held_out
    off = np.abs(loaded.program.outputs(rows.x) - rows.outputs).max()
    assert off <= TOLERANCE * np.abs(rows.outputs).max()


def put(folder: Path, name: str, content: str) -> None:
    """Change a file as someone would who also knows how to correct its hash."""
    (folder / name).write_text(content)
    card = json.loads((folder / "model.json").read_text())
    card["files"][name] = hashlib.sha256(content.encode()).hexdigest()
    (folder / "model.json").write_text(json.dumps(card))


@pytest.mark.parametrize(
    ("name", "old", "new", "text"),
    [
        ("outputs.csv", "c0,c1,c2\n", "c0,c1\n", "outputs.csv has other columns"),
        ("outputs.csv", "\n0.", "\n1.", "outputs.csv: row .* the parameters give another number"),
        ("outputs.csv", "\n0.", "\nnan0.", r"outputs.csv: row \d+ is damaged"),
        ("outputs.csv", "\n0.", "\n0.5,0.", r"outputs.csv: row \d+ is damaged"),
        ("held_out.csv", "\nc0,,c0", "\nc0,,c1", "the parameters give another label"),
        ("parameters.json", '"dense"', '"votes"', "parameters.json: .*damaged|KeyError"),
        ("parameters.json", '"dense"', '"dance"', "parameters.json: it names no family"),
        ("parameters.json", "{", "[", "parameters.json is not JSON|parameters.json: "),
    ],
)
def test_damaged_files_are_named(
    name: str, old: str, new: str, text: str, wine: Path, tmp_path: Path
) -> None:
    trained("mlp", wine).save(tmp_path / "wine")
    content = (tmp_path / "wine" / name).read_text()
    assert old in content
    put(tmp_path / "wine", name, content.replace(old, new, 1))
    with pytest.raises(DataError, match=text):
        TrainedModel.load(tmp_path / "wine")
