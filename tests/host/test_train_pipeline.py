"""The whole training on real data: accuracy for people never seen, and what is kept apart."""

import hashlib
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn import ensemble

from wedau.errors import DataError
from wedau.train import datasets, evaluate, families, pipeline
from wedau.train.dataset import Dataset
from wedau.train.evaluate import CrossValidation
from wedau.train.recordings import Recordings
from wedau.train.settings import TrainSettings

WATCH = TrainSettings(name="saw")


@pytest.fixture(scope="module")
def watch() -> Recordings:
    return datasets.smartwatch()


@pytest.fixture(scope="module")
def rows(watch: Recordings) -> Dataset:
    return pipeline.prepare(WATCH, data=watch)


@pytest.fixture(scope="module")
def result(rows: Dataset) -> CrossValidation:
    return evaluate.cross_validate(rows, WATCH)


def test_smartwatch_is_what_the_study_recorded(watch: Recordings) -> None:
    assert len(watch.items) == 140
    assert sum(len(r.samples) for r in watch.items) == 244_102
    assert len({r.group for r in watch.items}) == 10
    assert Counter(r.label for r in watch.items) == Counter(
        dict.fromkeys(["ABD", "ER", "FEL", "IR", "PEN", "ROW", "TRAP"], 20)
    )


def test_accuracy_for_people_never_seen_is_above_the_target(result: CrossValidation) -> None:
    assert result.by == "group"
    assert result.metrics["accuracy_unseen"] >= 0.85
    assert max(f.program.n_nodes for f in result.folds) <= 6000


def test_no_person_is_in_both_parts_of_a_fold(rows: Dataset, result: CrossValidation) -> None:
    everyone = set(rows.groups.tolist())
    for fold in result.folds:
        out = set(rows.groups[fold.rows].tolist())
        training = np.setdiff1d(np.arange(len(rows.x)), fold.rows)
        assert len(out) == 2
        assert set(rows.groups[training].tolist()) == everyone - out


def test_every_row_is_judged_once(rows: Dataset, result: CrossValidation) -> None:
    judged = np.concatenate([f.rows for f in result.folds])
    assert sorted(judged.tolist()) == list(range(len(rows.x)))
    confusion = np.array(result.metrics["confusion"])
    assert confusion.sum() == len(rows.x)
    assert confusion.sum(axis=1).tolist() == np.bincount(rows.y).tolist()
    right = sum(int((f.predicted == rows.y[f.rows]).sum()) for f in result.folds)
    assert result.metrics["accuracy_unseen"] == right / len(rows.x)


def test_the_scale_comes_from_the_training_rows_alone(rows: Dataset) -> None:
    fold = evaluate.cross_validate(rows, replace(WATCH, trees=1)).folds[0]
    louder = rows.x.copy()
    louder[fold.rows] *= 1000
    again = evaluate.cross_validate(replace(rows, x=louder), replace(WATCH, trees=1)).folds[0]
    np.testing.assert_array_equal(again.scale, fold.scale)


def test_model_that_ships_is_the_first_folds(rows: Dataset, result: CrossValidation) -> None:
    model = pipeline.assemble(rows, result, WATCH)
    fold = result.folds[0]
    assert model.program is fold.program
    assert set(model.held_out.group) == set(rows.groups[fold.rows].tolist())
    np.testing.assert_array_equal(model.program.predict(model.held_out.x), fold.predicted)
    metrics = model.card.metrics
    assert metrics["accuracy_unseen"] == result.metrics["accuracy_unseen"]
    assert metrics["held_out"]["accuracy"] == metrics["folds"][0]["accuracy"]
    assert metrics["folds"][0]["groups"] == sorted(set(model.held_out.group))
    assert sum(model.card.importance) == pytest.approx(1)
    assert model.card.units[0] == "g"


def test_basic_motions_goes_through_the_same_pipeline(aeon_wheel: Path, tmp_path: Path) -> None:
    data = datasets.basic_motions(aeon_wheel)
    assert len(data.items) == 80
    assert data.items[0].samples.shape == (100, 6)
    said: list[str] = []
    settings = replace(WATCH, name="motions", window_ms=4000, trees=20)
    model = pipeline.run(settings, said.append, data)
    assert model.card.labels == ("Badminton", "Running", "Standing", "Walking")
    assert model.card.metrics["by"] == "recording"
    assert model.card.metrics["accuracy_unseen"] >= 0.95
    assert said[-1] == "training fold 5 of 5"
    model.save(tmp_path / "motions")
    assert type(model).load(tmp_path / "motions").card.recipe == model.card.recipe


def test_windows_of_a_recording_stay_together_where_there_are_no_groups(aeon_wheel: Path) -> None:
    settings = replace(WATCH, window_ms=4000)
    rows = pipeline.prepare(settings, data=datasets.basic_motions(aeon_wheel))
    _, folds = evaluate.split(rows, 0)
    for held_out in folds:
        training = np.setdiff1d(np.arange(len(rows.x)), held_out)
        assert not set(rows.parts[held_out].tolist()) & set(rows.parts[training].tolist())


def test_an_unknown_watch_file_is_not_unpickled(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake = tmp_path / "watch_dataset.npy"
    fake.write_bytes(b"cposix\nsystem\n(S'touch pwned'\ntR.")
    monkeypatch.setattr(datasets, "_package_file", lambda package, name: fake)
    with pytest.raises(DataError, match="is not the data set that is known"):
        datasets.smartwatch()


def test_missing_data_packages_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DataError, match="the package seglearn, which carries the data, is not"):
        datasets.smartwatch()
    with pytest.raises(DataError, match=r"does not hold BasicMotions_TRAIN\.ts"):
        datasets.basic_motions(tmp_path / "missing.whl")


def test_hash_of_the_data_depends_on_all_that_training_sees(watch: Recordings) -> None:
    small = replace(watch, items=watch.items[:2])
    item = small.items[0]
    changed = [
        replace(small, channels=(*watch.channels[:5], "other")),
        replace(small, rate_hz=51.0),
        replace(small, items=(replace(item, label="x"), small.items[1])),
        replace(small, items=(replace(item, group="x"), small.items[1])),
        replace(small, items=(replace(item, samples=item.samples[:-1]), small.items[1])),
        replace(small, items=small.items[::-1]),
    ]
    assert len({small.sha256(), *(c.sha256() for c in changed)}) == 7


def test_number_of_jobs_changes_nothing(rows: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    def digest() -> str:
        x = rows.x.astype(np.int16)
        data = families.Training(x, rows.y, rows.parts, rows.labels, np.ones(113, np.float32))
        program = families.fit(data, replace(WATCH, trees=8)).program
        return hashlib.sha256(repr(program.to_json()).encode()).hexdigest()

    parallel = digest()
    real = ensemble.RandomForestClassifier
    monkeypatch.setattr(
        ensemble, "RandomForestClassifier", lambda **kwargs: real(**(kwargs | {"n_jobs": 1}))
    )
    assert digest() == parallel
