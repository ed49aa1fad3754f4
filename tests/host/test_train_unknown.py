"""The class "unknown": its rate among known rows, what it finds, what is refused."""

import re
from pathlib import Path

import numpy as np
import pytest

from wedau import models
from wedau.cli import data_files
from wedau.errors import ConvertError, DataError, UsageError
from wedau.models.unknown import MOST, SHIFT, WithUnknown, distance
from wedau.paths import resource
from wedau.train import pipeline, unknown
from wedau.train.model import TrainedModel
from wedau.train.settings import TrainSettings


def table(path: Path, n: int, labels: str = "abcd", seed: int = 0) -> Path:
    """Classes that lie apart, each in a corner of three dimensions."""
    random = np.random.default_rng(seed)
    corners = 6 * np.eye(4, 3)
    y = random.integers(0, len(labels), n)
    x = corners[y] + random.normal(size=(n, 3))
    lines = [f"{a},{b},{c},{labels[k]}" for (a, b, c), k in zip(x, y, strict=True)]
    path.write_text("\n".join(["x,y,z,label", *lines]), encoding="ascii")
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> TrainedModel:
    data = table(tmp_path_factory.mktemp("data") / "data.csv", 1500)
    return pipeline.run(TrainSettings(data=data, unknown=0.05, trees=30))


def with_unknown(model: TrainedModel) -> WithUnknown:
    assert isinstance(model.program, WithUnknown)
    return model.program


def test_known_rows_are_unknown_at_the_stated_rate(model: TrainedModel) -> None:
    figures = model.card.metrics["unknown"]
    assert figures["rate"] == 0.05
    assert 0.02 < figures["false_alarm_rate_unseen"] < 0.075
    confusion = np.array(model.card.metrics["confusion"])
    assert confusion.shape == (5, 5) and not confusion[4].any()
    assert confusion[:, 4].sum() / 1500 == pytest.approx(figures["false_alarm_rate_unseen"])


def test_a_class_left_out_is_found(model: TrainedModel) -> None:
    assert set(model.card.metrics["unknown"]["left_out"]) == set("abcd")
    assert min(model.card.metrics["unknown"]["left_out"].values()) > 0.8


def test_the_answer_is_the_last_label(model: TrainedModel) -> None:
    assert model.card.labels == ("a", "b", "c", "d", "unknown")
    far = np.array([[32767] * 3, [-32768] * 3], np.int16)
    assert model.program.predict(far).tolist() == [4, 4]
    known, all_ = with_unknown(model).known, model.program.outputs(model.held_out.x)
    np.testing.assert_array_equal(all_[:, :4], known.outputs(model.held_out.x))
    np.testing.assert_array_equal(all_[:, 4], model.held_out.predicted == 4)


def test_each_signal_alone_makes_unknown(model: TrainedModel) -> None:
    program = with_unknown(model)
    usual = model.held_out.x[model.held_out.predicted != 4][:1]
    n = program.n_features
    open_ = {"low": np.full(n, -32768), "high": np.full(n, 32767)}
    limits = {"confidence": 0.0, "novelty": MOST * n}
    for change in (
        {"confidence": 1.1},
        {"low": usual[0].astype(np.int64) + 1},
        {"high": usual[0].astype(np.int64) - 1},
        {"novelty": -1},
    ):
        data = {**vars(program), **open_, **limits}
        assert not WithUnknown(**data).is_unknown(usual)[0]
        assert WithUnknown(**{**data, **change}).is_unknown(usual)[0]


def test_limits_keep_to_the_budget_of_the_rows_that_set_them() -> None:
    random = np.random.default_rng(1)
    for n in (99, 100, 250):
        seen = unknown.Signals(
            random.integers(0, 20, n) / 20, random.integers(0, 5, n), random.integers(0, 900, n)
        )
        shape = unknown.fit_shape(
            random.integers(-99, 99, (50, 3)).astype(np.int16), np.zeros(50), 1
        )
        made = unknown.with_unknown(None, shape, seen, 0.1)  # type: ignore[arg-type]
        above = (seen.confidence < made.confidence) | (seen.novelty > made.novelty)
        assert np.count_nonzero(above) <= int(0.1 * (n + 1)) - 1


def test_a_saved_model_is_the_same(model: TrainedModel, tmp_path: Path) -> None:
    model.save(tmp_path / "model")
    again = TrainedModel.load(tmp_path / "model")
    assert models.to_json(again.program) == models.to_json(model.program)
    assert again.n_nodes == model.n_nodes
    with pytest.raises(ConvertError, match="needs the native module"):
        _ = again.votes


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("low", [0]),
        ("high", [40000] * 3),
        ("weight", [[-1] * 3] * 4),
        ("median", [[0] * 3] * 3),
        ("confidence", float("nan")),
        ("novelty", 10**6),
        ("known", {"family": "with-unknown"}),
        ("known", None),
    ],
)
def test_damaged_limits_are_refused(model: TrainedModel, name: str, value: object) -> None:
    data = models.to_json(model.program)
    with pytest.raises(DataError):
        models.from_json({**data, name: value})


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    data = table(tmp_path / "few.csv", 60)
    with pytest.raises(DataError, match="rows are too few to hold 1 % of false alarms"):
        pipeline.run(TrainSettings(data=data, unknown=0.01, trees=2))
    named = tmp_path / "named.csv"
    named.write_text(data.read_text().replace(",a", ",unknown"), encoding="ascii")
    with pytest.raises(DataError, match="have a label 'unknown'"):
        pipeline.run(TrainSettings(data=named, unknown=0.2, trees=2))
    assert "unknown" in pipeline.run(TrainSettings(data=named, trees=2)).card.labels
    with pytest.raises(DataError, match="share of unknown"):
        pipeline.run(TrainSettings(data=data, unknown=0.9))
    with pytest.raises(UsageError, match="for classifiers"):
        pipeline.run(TrainSettings(data=data, unknown=0.1, model="isolation-forest"))


def test_distance_is_capped_and_in_sixteenths() -> None:
    rows = np.array([[0, 100], [16, 100], [32767, -32768]], np.int16)
    zero, weight = np.array([[0, 100]]), np.array([[65536 // 16, 65535]])
    assert distance(rows, np.zeros(3, int), zero, weight).tolist() == [0, 16, 2 * MOST]


def test_numbers_are_those_of_the_c_code() -> None:
    text = resource("modules", "core", "models", "wd_novelty.h").read_text()
    found = dict(re.findall(r"#define (WD_NOVELTY_\w+) (\d+)", text))
    assert found == {"WD_NOVELTY_SHIFT": str(SHIFT), "WD_NOVELTY_MOST": str(MOST)}


def test_a_data_file_is_refused(model: TrainedModel) -> None:
    with pytest.raises(ConvertError, match="trained with --unknown needs the native module"):
        data_files.voting(model)
