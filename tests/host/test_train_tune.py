"""The search: what it may look at, what it chooses from, and that nothing else decides."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from joblib import parallel_config

from wedau.errors import DataError, UsageError
from wedau.train import dataset, pipeline, tune, tune_data, tune_space
from wedau.train.recordings import Recording, Recordings
from wedau.train.settings import TrainSettings
from wedau.train.tune import Trial
from wedau.train.tune_cost import Cost, Limits
from wedau.train.tune_data import Material
from wedau.train.tune_space import Choice, Space

SETTINGS = TrainSettings(window_ms=640)


def recordings(people: int = 6) -> Recordings:
    """Two channels at 100 Hz; each of three classes has a frequency of its own."""
    random = np.random.default_rng(0)
    items = []
    for number in range(3 * people):
        t = np.arange(300) / 100
        wave = np.sin(2 * np.pi * (3 + 5 * (number % 3)) * t)
        samples = np.stack([wave, wave], 1) + random.normal(scale=0.8, size=(300, 2))
        label, person = f"class {number % 3}", f"person {number // 3}"
        items.append(Recording(f"{number}", samples.astype(np.float32), label, person))
    return Recordings("waves", ("a", "b"), ("g", "g"), 100.0, tuple(items), group="person")


@pytest.fixture(scope="module")
def material() -> Material:
    return tune_data.of_recordings(recordings(), SETTINGS)


@pytest.fixture(scope="module")
def space(material: Material) -> Space:
    models = ("random-forest", "decision-tree", "logistic")
    return Space(models, tuple(material.rows), material.parts, nested=False)


def trial(number: int, accuracy: float | None, instructions: int = 100, flash: int = 100) -> Trial:
    cost = None if accuracy is None else Cost(instructions, flash)
    return Trial(number, Choice("logistic", (), None, ("a",)), 1, accuracy, cost)


@pytest.mark.parametrize(
    "parts",
    [("rms",), ("bands_hz", "correlations"), ("mean", "kurtosis", "bands_hz"), ("correlations",)],
)
def test_a_trials_columns_are_those_of_its_own_recipe(material: Material, parts) -> None:
    for window_ms in material.rows:
        choice = Choice("random-forest", (), window_ms, parts)
        alone = dataset.from_recordings(recordings(), material.settings_of(choice))
        some = material.some(choice)
        assert some.features == alone.features
        assert some.units == alone.units
        assert np.array_equal(some.x.view(np.uint32), alone.x.view(np.uint32))


def test_every_part_of_a_users_recipe_can_be_left_out() -> None:
    asked = {
        "window_ms": 640,
        "statistics": ["rms", "max"],
        "bands_hz": [0, 10, 50],
        "correlations": "all",
        "mel": {"bands": 4},
        "quantiles": [0.1, 0.9],
        "differences": ["a"],
    }
    made = tune_data.of_recordings(recordings(), replace(SETTINGS, recipe=asked))
    assert made.parts == ("max", "rms", "bands_hz", "correlations", "mel", "quantiles")
    for left_out in made.parts:
        kept = tuple(part for part in made.parts if part != left_out)
        choice = Choice("random-forest", (), 640.0, kept)
        alone = dataset.from_recordings(recordings(), made.settings_of(choice))
        assert made.some(choice).features == alone.features
        assert len(alone.features) < len(made.rows[640.0].features)


def test_the_search_never_sees_who_was_set_aside(material: Material, space: Space) -> None:
    everybody = {f"person {i}" for i in range(6)}
    set_aside = []
    for window_ms, rows in material.rows.items():
        seen = material.seen(replace(space.default(), window_ms=window_ms))
        set_aside.append(set(rows.groups[material.aside[window_ms]].tolist()))
        assert set(seen.groups.tolist()) == everybody - set_aside[-1]
    assert len(set_aside) == 3
    assert 0 < len(set_aside[0]) < 3
    assert all(each == set_aside[0] for each in set_aside)


def test_the_model_that_ships_is_judged_by_who_was_set_aside(
    material: Material, space: Space
) -> None:
    by, folds = material.folds(space.default())
    rows = material.rows[640.0]
    assert by == "group"
    assert np.array_equal(folds[0], material.aside[640.0])
    assert np.array_equal(np.sort(np.concatenate(folds)), np.arange(len(rows.x)))


def test_the_number_of_workers_changes_nothing(material: Material, space: Space) -> None:
    found = []
    for jobs in (1, 2):
        with parallel_config(n_jobs=jobs):
            found.append(tune.search(material, space, 10, Limits(400)))
    assert found[0] == found[1]
    assert len({t.choice for t in found[0]}) == 10
    assert [t.number for t in found[0]] == list(range(10))
    assert found[0][0].choice == space.default()


def test_another_seed_makes_other_trials(material: Material, space: Space) -> None:
    other = replace(material, settings=replace(material.settings, seed=1))
    with parallel_config(n_jobs=1):
        one, two = (tune.search(m, space, 4, Limits()) for m in (material, other))
    assert one[0].choice == two[0].choice
    assert [t.choice for t in one[1:]] != [t.choice for t in two[1:]]


def test_progress_ends_at_the_number_of_trials(material: Material, space: Space) -> None:
    seen: list[tuple[int, int]] = []
    with parallel_config(n_jobs=1):
        tune.search(material, space, 5, Limits(), on_progress=lambda *each: seen.append(each))
    assert seen[-1] == (5, 5)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_a_small_space_gives_each_choice_once() -> None:
    space = Space(("logistic",), (None,), ("a", "b", "c"), nested=True)
    random = np.random.default_rng(0)
    known = {space.default()}
    found = space.fresh(50, lambda _: space.draw(random), known)
    assert {choice.parts for choice in found} == {("a",), ("a", "b")}


def test_near_choices_are_possible_settings() -> None:
    random = np.random.default_rng(0)
    space = Space(tune_space.DEFAULT_MODELS, (640.0, 320.0), ("rms", "max", "min"), nested=False)
    for _ in range(300):
        choice = space.near(space.draw(random), random)
        assert choice.parts
        TrainSettings(model=choice.model, **dict(choice.options)).check()


def test_what_is_built_first_is_the_most_accurate_within_the_limits() -> None:
    trials = [
        trial(0, 0.9, instructions=500),
        trial(1, 0.8, instructions=90),
        trial(2, 0.8, instructions=80),
        trial(3, None),
        trial(4, 0.95, instructions=114),
        trial(5, 0.7, flash=300),
    ]
    limits = Limits(100, 200)
    assert [t.number for t in tune.best(trials, limits)] == [2, 1, 4, 5, 0]
    assert [t.number for t in tune.best(trials, limits, 0.15)] == [4, 2, 1, 5, 0]


def test_a_choice_that_cannot_be_trained_says_why(material: Material) -> None:
    seen = material.seen(Choice("knn", (), 640.0, ("rms",)))
    few = replace(seen, x=seen.x[:, :1])
    settings = TrainSettings(model="knn", neighbors=32, rows=2)
    failed = tune.judge(7, Choice("knn", (), None, ("rms",)), few, settings, False)
    assert failed.judged is None
    assert failed.number == 7
    assert failed.failure
    assert "neighbours" in failed.failure


def test_features_of_a_table_are_ranked_without_the_rows_set_aside(tmp_path: Path) -> None:
    """A column that tells the class of the rows set aside, and of no others, is worth nothing."""
    random = np.random.default_rng(0)
    y = np.arange(100) % 2
    path = tmp_path / "table.csv"

    def write(leak: np.ndarray) -> dataset.Dataset:
        good = y + random.normal(scale=0.4, size=100)
        noise = random.normal(size=100)
        rows = [f"{a},{b},{c},c{k}" for a, b, c, k in zip(leak, noise, good, y, strict=True)]
        path.write_text("leak,noise,good,label\n" + "\n".join(rows) + "\n")
        return pipeline.prepare(TrainSettings(data=path))

    aside = tune_data.of_table(write(np.zeros(100)), TrainSettings(data=path)).aside[None]
    leak = np.zeros(100)
    leak[aside] = 100 * y[aside]
    made = tune_data.of_table(write(leak), TrainSettings(data=path))
    assert np.array_equal(made.aside[None], aside)
    assert made.parts[0] == "good"
    assert made.parts[-1] == "leak"
    chosen = Choice("random-forest", (), None, ("good",))
    assert made.settings_of(chosen).ignore == ("leak", "noise")
    assert made.some(chosen).features == ("good",)


def test_too_few_people_to_set_some_aside_are_refused() -> None:
    with pytest.raises(DataError, match="set aside first"):
        tune_data.of_recordings(recordings(people=2), SETTINGS)


@pytest.mark.parametrize(
    ("models", "what"),
    [
        (["linear"], "linear is a model for numbers"),
        (["isolation-forest"], "is a model for anomalies"),
        (["mlp", "mlp"], "twice"),
        (["forest"], "there is no kind of model 'forest'"),
        ([], "names no kind"),
    ],
)
def test_only_kinds_of_classifiers_are_searched(models: list[str], what: str) -> None:
    with pytest.raises(UsageError, match=what):
        tune_space.check_models(models)
