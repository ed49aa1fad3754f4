"""Programs compute what scikit-learn computes: every family, alone and behind every scaler."""

import copy
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, PolynomialFeatures, StandardScaler
from sklearn.tree import DecisionTreeClassifier

import families
from wedau import models
from wedau.cli.proving import boundary_rows
from wedau.convert import code
from wedau.errors import ConvertError, DataError
from wedau.models import Neighbours, Sums, Votes

pytestmark = pytest.mark.filterwarnings("ignore")


def anything(n_features: int, n_rows: int = 300) -> np.ndarray:
    """Rows from the whole grid."""
    random = np.random.default_rng(n_features)
    return random.integers(-32768, 32768, (n_rows, n_features)).astype(np.int16)


def level(outputs: np.ndarray, within: float) -> np.ndarray:
    """Whether the two best of each row's outputs are within this of each other."""
    best = np.sort(outputs, axis=1)
    return best[:, -1] - best[:, -2] <= within


def contested(fitted: families.Fitted, rows: np.ndarray) -> np.ndarray:
    """Whether the k nearest are not the only k: another row is as far, but for float64's rounding.

    scikit-learn leaves it to the order in its trees which of them counts.
    """
    known = fitted.program
    away = known.rows[np.newaxis] - rows[:, np.newaxis].astype(np.int64)
    square = np.sort(np.sum(known.weight * away**2, axis=2), axis=1)
    return square[:, known.k] - square[:, known.k - 1] <= 1e-9 * square[:, known.k]


def check(fitted: families.Fitted) -> None:
    """Compare with scikit-learn on its data, at all boundaries, and on rows of the whole grid.

    Raw scores of trees may be off by the stated rounding; classes never, but where scikit-learn's
    own best two scores are within it. All else is float64 and may be off by its rounding.
    """
    program = fitted.program
    rows = np.concatenate([fitted.rows, anything(program.n_features)])
    if isinstance(program, Sums | Votes):
        rows = np.concatenate([rows, boundary_rows(program, fitted.rows)])
    if isinstance(program, Neighbours):
        rows = rows[~contested(fitted, rows)]
        if not len(rows):
            return
    expected, got = fitted.outputs(rows), program.outputs(rows)
    within = 1e-9
    if isinstance(program, Sums):
        assert program.rounding <= 1e-6 * max(1.0, float(np.abs(expected).max()))
        within = program.rounding + 1e-12
    largest = max(1.0, float(np.abs(expected).max()))
    assert np.all(np.abs(got - expected) <= max(within, 1e-9) * largest)
    decided = program.predict(rows)
    if program.task == "regressor":
        np.testing.assert_array_equal(decided, got[:, 0])
        return
    unlike = decided != fitted.predict(rows)
    if program.task == "anomaly":
        assert np.all(np.abs(expected[unlike]) <= within)
    elif np.any(unlike):
        assert np.all(level(expected[unlike], 2 * within))
        assert np.count_nonzero(unlike) <= 2


@pytest.mark.parametrize("scaler", families.SCALERS)
@pytest.mark.parametrize("name", families.ALL)
def test_family_computes_what_scikit_learn_computes(name: str, scaler: str):
    for n_classes in (2, 3) if scaler == "alone" else (2 + len(scaler) % 2,):
        rows, y = families.data(5, n_classes=n_classes)
        check(families.fit(name, rows, y, scaler=scaler))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    name=st.sampled_from(sorted(families.ALL)),
    scaler=st.sampled_from(sorted(families.SCALERS)),
    seed=st.integers(0, 2**31),
    n_features=st.integers(1, 6),
    n_classes=st.integers(2, 5),
    spread=st.sampled_from([1, 3, 100, 32767]),
    exponent=st.floats(-5, 5),
)
def test_random_estimators_on_random_data(
    name: str,
    scaler: str,
    seed: int,
    n_features: int,
    n_classes: int,
    spread: int,
    exponent: float,
):
    if name == "elliptic envelope" or name.startswith("mixture"):
        spread = max(spread, 100)  # else many rows lie on the threshold, or there is no covariance
    rows, y = families.data(seed, n_features, n_classes, spread)
    scale = (10.0 ** (exponent + np.arange(n_features) % 3)).astype(np.float32)
    check(families.fit(name, rows, y, scaler=scaler, scale=scale))


@pytest.mark.parametrize("clip", [False, True])
def test_trees_behind_scalers_that_clip_or_follow_one_another(clip: bool):
    rows, y = families.data(1)
    scale = np.array([0.1, 0.02, 3.0, 7e-4], np.float32)
    x = rows * scale.astype(np.float64)
    steps = (StandardScaler(), MinMaxScaler((2, 5), clip=clip))
    for last in (
        RandomForestClassifier(5, random_state=0),
        HistGradientBoostingClassifier(max_iter=5),
    ):
        pipe = make_pipeline(*copy.deepcopy(steps), last).fit(x, y)
        check(families.Fitted(pipe, scale, rows, None, models.from_sklearn(pipe, scale)))
    bayes = make_pipeline(*copy.deepcopy(steps), GaussianNB()).fit(x, y)
    if clip:
        assert "clip=True folds into trees only" in refused(bayes)
    else:
        check(families.Fitted(bayes, scale, rows, None, models.from_sklearn(bayes, scale)))


def test_weighted_classes_and_losses_that_are_not_the_default():
    rows, y = families.data(2, n_classes=2)
    for make in (
        lambda: RandomForestClassifier(8, class_weight="balanced", random_state=0),
        lambda: RandomForestClassifier(8, class_weight={0: 0.3, 1: 0.1}, random_state=0),
        lambda: DecisionTreeClassifier(class_weight={0: 0.3, 1: 0.1}, max_depth=2),
        lambda: GradientBoostingClassifier(loss="exponential", n_estimators=5, random_state=0),
        lambda: GradientBoostingClassifier(init="zero", n_estimators=5, random_state=0),
        lambda: LogisticRegression(solver="liblinear"),
        lambda: LogisticRegression(fit_intercept=False),
    ):
        check(families.fit("", rows, y, make=make))


def test_level_votes_go_to_the_lower_class_as_in_scikit_learn():
    """Two trees against two: the lower class wins there; rounded leaves must not change that."""
    rows, y = families.data(7, n_features=2, spread=3)
    make = lambda: RandomForestClassifier(6, min_samples_leaf=6, random_state=3)  # noqa: E731
    fitted = families.fit("", rows, y, make=make)
    grid = np.array([(a, b) for a in range(-4, 5) for b in range(-4, 5)], np.int16)
    check(fitted)
    np.testing.assert_array_equal(fitted.program.predict(grid), fitted.predict(grid))


def test_rows_at_the_offset_of_an_isolation_forest_are_normal():
    """With contamination scikit-learn's offset is the score of a training row, exactly."""
    rows, _ = families.data(3, n_rows=91)
    make = lambda: IsolationForest(n_estimators=12, contamination=0.1, random_state=0)  # noqa: E731
    fitted = families.fit("", rows, np.zeros(91), make=make)
    assert np.any(fitted.outputs(rows) == 0)
    np.testing.assert_array_equal(fitted.program.predict(rows), fitted.predict(rows))


def test_labels_stay_as_they_are():
    rows, y = families.data(4)
    words = np.array(["läuft", "klemmt", "aus"])[y]
    pipe = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, words)
    assert models.class_labels(pipe) == ("aus", "klemmt", "läuft")
    numbers = DecisionTreeClassifier().fit(rows, y * 10 - 5)
    assert models.class_labels(numbers) == ("-5", "5", "15")
    indices = models.from_sklearn(pipe).predict(rows)
    np.testing.assert_array_equal(np.array(models.class_labels(pipe))[indices], pipe.predict(rows))


# What cannot be converted is refused by name, with what to do.


def refused(estimator: Any, scale: Any = None, **more: Any) -> str:
    with pytest.raises(ConvertError) as caught:
        code.code(models.from_sklearn(estimator, scale, **more))
    assert caught.value.hint
    return caught.value.message


def test_several_outputs_are_refused():
    rows, y = families.data(1)
    two = np.column_stack([y, y + rows[:, 0]])
    assert "2 outputs" in refused(RandomForestRegressor(3).fit(rows, two))
    assert "2 outputs" in refused(LinearRegression().fit(rows, two))
    assert "2 outputs" in refused(MLPRegressor(hidden_layer_sizes=(3,), max_iter=3).fit(rows, two))
    assert "2 outputs" in refused(KNeighborsClassifier().fit(rows, two % 2))
    labels = np.column_stack([y == 0, y == 1]).astype(int)
    assert "several labels a row" in refused(MLPClassifier((3,), max_iter=3).fit(rows, labels))


def test_steps_and_settings_that_cannot_be_folded_are_refused():
    rows, y = families.data(1)
    for step in (PCA(2), PolynomialFeatures(2)):
        pipe = make_pipeline(step, LogisticRegression(max_iter=5)).fit(rows, y)
        assert f"a {type(step).__name__} in a pipeline" in refused(pipe)
    unfitted = make_pipeline(StandardScaler(), GaussianNB())
    assert "has not been fitted" in refused(unfitted)
    assert "has not been fitted" in refused(GaussianNB())
    assert "the metric l1" in refused(KNeighborsClassifier(metric="l1").fit(rows, y))
    assert "40 neighbours" in refused(KNeighborsClassifier(40).fit(rows, y))
    own = KNeighborsClassifier(weights=lambda d: d).fit(rows, y)
    assert "weights of its own" in refused(own)
    assert "not on the grid" in refused(KNeighborsClassifier().fit(rows + 0.4, y))
    assert "no threshold of its own" in refused(GaussianMixture().fit(rows))
    assert "with a threshold" in refused(GaussianNB().fit(rows, y), threshold=0.5)
    poisson = MLPRegressor(hidden_layer_sizes=(3,), loss="poisson", max_iter=3).fit(rows / 1e4, y)
    assert "the Poisson loss" in refused(poisson)
    init = GradientBoostingClassifier(init=GaussianNB(), n_estimators=2).fit(rows, y)
    assert "an estimator as init" in refused(init)


@pytest.mark.parametrize("scale", [[1, 1, 1], [1, 1, 1, 0], [1, 1, 1, -1], [1, 1, 1, np.nan], 1])
def test_a_scale_that_does_not_fit_is_refused(scale: Any):
    rows, y = families.data(1)
    assert "4 positive numbers" in refused(GaussianNB().fit(rows, y), scale)


def test_constant_features_are_converted():
    rows, y = families.data(1)
    rows[:, 1] = 7
    for name in ("random forest", "hist gradient boosting", "logistic regression", "neighbours"):
        check(families.fit(name, rows, y, scaler="standard"))
    same = np.full_like(rows, 7)
    check(families.fit("random forest", same, y))
    check(families.fit("isolation forest", same, y))


def test_thresholds_beyond_the_grid_always_decide_the_same_way():
    rows, y = families.data(1)
    tree = DecisionTreeClassifier(max_depth=3, random_state=0).fit(rows, y)
    for huge in (1e30, -1e30, 32767.5, -32769.0, np.inf, -np.inf):
        changed = copy.deepcopy(tree)
        changed.tree_.threshold[0] = huge
        program = models.from_sklearn(changed)
        check(families.Fitted(changed, np.ones(4, np.float32), rows, None, program))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_parameters_that_are_no_float32_are_refused(bad: float):
    rows, y = families.data(1)
    for name, field in (
        ("logistic regression", "coef_"),
        ("linear regression", "coef_"),
        ("naive Bayes", "theta_"),
        ("mixture, full", "means_"),
        ("mixture, diag", "means_"),
        ("elliptic envelope", "location_"),
    ):
        fitted = families.fit(name, rows, y)
        np.asarray(getattr(fitted.last, field)).flat[0] = bad
        refused(fitted.estimator, threshold=fitted.threshold)
    perceptron = families.fit("perceptron, relu", rows, y).estimator
    perceptron.coefs_[1][0, 0] = bad
    refused(perceptron)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
def test_leaves_that_are_no_float32_are_refused(bad: float):
    rows, y = families.data(1)
    forest = families.fit("random forest, regression", rows, y).estimator
    tree = forest.estimators_[2].tree_
    tree.value[tree.children_left < 0] = bad
    refused(forest)


def test_what_is_too_large_is_refused():
    wide = np.zeros((10, 1025))
    assert "1025 features" in refused(GaussianNB(var_smoothing=1).fit(wide + 1e-3, np.arange(10)))
    many = np.arange(600)[:, np.newaxis] * 50
    assert "300 classes" in refused(KNeighborsClassifier(1).fit(many, np.arange(600) % 300))
    steps = np.arange(300)[:, np.newaxis] - 150
    weight = 3.0 ** -np.arange(300)  # each split takes one row off
    deep = DecisionTreeClassifier().fit(steps, np.arange(300) % 2, sample_weight=weight)
    assert "299 deep, 100 are possible" in refused(deep)
    soft = DecisionTreeClassifier(max_depth=150)
    soft.fit(steps, np.arange(300) % 2, sample_weight=weight)
    assert "150 deep, 100 are possible" in refused(soft)


# Saved and read again.


@pytest.mark.parametrize("name", families.ALL)
def test_json_gives_the_same_program(name: str):
    rows, y = families.data(5)
    program = families.fit(name, rows, y).program
    text = json.dumps(models.to_json(program), allow_nan=False)
    again = models.from_json(json.loads(text))
    some = anything(4)
    np.testing.assert_array_equal(again.outputs(some), program.outputs(some))
    np.testing.assert_array_equal(again.predict(some), program.predict(some))
    assert json.dumps(models.to_json(again)) == text
    assert again.size == program.size
    assert again.kind == program.kind


SAVED = [
    models.to_json(families.fit(name, *families.data(5)).program)
    for name in (
        "random forest",
        "random forest, soft",
        "isolation forest",
        "gradient boosting",
        "perceptron, relu",
        "logistic regression",
        "naive Bayes",
        "mixture, full",
        "elliptic envelope",
        "neighbours",
        "neighbours, regression, distance",
    )
]

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.integers(-3, 40000)
    | st.floats()
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the ways to every value in a tree of lists and dictionaries."""
    found = [path]
    if isinstance(value, dict):
        children = list(value.items())
    else:
        children = list(enumerate(value)) if isinstance(value, list) else []
    for key, child in children:
        found += places(child, (*path, key))
    return found


@settings(max_examples=200, deadline=2000, suppress_health_check=[HealthCheck.too_slow])
@given(which=st.integers(0, len(SAVED) - 1), data=st.data())
def test_damaged_json_is_refused_or_a_program_that_works(which: int, data: st.DataObject):
    saved = copy.deepcopy(SAVED[which])
    for _ in range(data.draw(st.integers(1, 3))):
        *way, last = data.draw(st.sampled_from(places(saved)[1:]))
        holder = saved
        for key in way:
            holder = holder[key]
        if data.draw(st.booleans()):
            holder[last] = data.draw(JSON)
        else:
            del holder[last]
    try:
        program = models.from_json(saved)
    except DataError as error:
        assert "\n" not in error.message
        return
    rows = anything(program.n_features, 5)
    with np.errstate(all="ignore"):
        assert program.outputs(rows).shape == (5, program.n_outputs)
        program.predict(rows)
        assert program.size
    try:
        code.code(program)
    except ConvertError:
        return


@pytest.mark.parametrize("data", [None, 1, "x", [], {}, {"family": "x"}, {"family": ["sums"]}])
def test_what_is_no_program_is_refused(data: Any):
    with pytest.raises(DataError, match="no family"):
        models.from_json(data)
