"""A fitted estimator becomes a model's folder, or is refused with the reason."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import load_wine
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from wedau.convert import to_module
from wedau.errors import ConvertError, DataError
from wedau.train.model import TrainedModel

NAMES = np.array(["barolo", "grignolino", "barbera"])
X, Y = load_wine(return_X_y=True)
SEEN, UNSEEN, Y_SEEN, Y_UNSEEN = train_test_split(X, NAMES[Y], random_state=0)


def forest() -> RandomForestClassifier:
    """Trained on floats as they come; one unseen row lies at one of its thresholds."""
    return RandomForestClassifier(10, max_depth=4, random_state=0).fit(SEEN, Y_SEEN)


def logistic() -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(SEEN, Y_SEEN)


def test_labels_stay_strings_and_are_judged(tmp_path: Path) -> None:
    pipe = logistic()
    model = to_module(pipe, tmp_path / "wine", UNSEEN, Y_UNSEEN)
    assert model.card.labels == ("barbera", "barolo", "grignolino")
    assert model.card.name == "wine"
    assert model.card.metrics["accuracy_unseen"] == pipe.score(UNSEEN, Y_UNSEEN)
    values = model.held_out.x * model.card.scale.astype(np.float64)
    said = [model.card.labels[i] for i in model.program.predict(model.held_out.x)]
    assert said == pipe.predict(values).tolist()


def test_the_folder_is_a_model_that_loads(tmp_path: Path) -> None:
    model = to_module(forest(), tmp_path / "wine", UNSEEN, Y_UNSEEN, version="2.0", may_change=1)
    again = TrainedModel.load(tmp_path / "wine")
    assert again.card.version == "2.0"
    assert again.card.family == "random-forest"
    np.testing.assert_array_equal(again.held_out.outputs, model.held_out.outputs)


def test_names_and_units_are_taken(tmp_path: Path) -> None:
    frame = pd.DataFrame(SEEN, columns=[f"column {i}" for i in range(13)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted = RandomForestClassifier(5, random_state=0).fit(frame, Y_SEEN)
        model = to_module(fitted, tmp_path / "wine", UNSEEN, Y_UNSEEN, units=["g/l"] * 13)
    assert model.card.features[3] == "column 3"
    assert model.card.units == ("g/l",) * 13


def test_unscaled_floats_are_decided_as_by_the_estimator(tmp_path: Path) -> None:
    """Features from 0.1 to 1680 in their own units, never scaled; the row at 0.53 is found."""
    fitted = forest()
    with pytest.raises(ConvertError, match="1 of 45 rows are decided otherwise"):
        to_module(fitted, tmp_path / "wine", UNSEEN, Y_UNSEEN)
    model = to_module(fitted, tmp_path / "wine", UNSEEN, Y_UNSEEN, may_change=1)
    said = np.array([model.card.labels[i] for i in model.held_out.predicted])
    differ = np.flatnonzero(said != fitted.predict(UNSEEN))
    assert len(differ) == 1
    rounded = model.held_out.x * model.card.scale.astype(np.float64)
    assert abs(UNSEEN[differ[0], 7] - 0.53) < 1e-9 < abs(rounded[differ[0], 7] - 0.53)
    np.testing.assert_array_equal(said, fitted.predict(rounded))


def test_a_regressor_has_values_and_no_labels(tmp_path: Path) -> None:
    fitted = HistGradientBoostingRegressor(max_iter=20).fit(SEEN[:, 1:], SEEN[:, 0])
    model = to_module(fitted, tmp_path / "alcohol", UNSEEN[:, 1:], UNSEEN[:, 0])
    assert model.card.task == "regressor"
    assert model.card.labels == ()
    assert model.card.metrics["mean_absolute_error_unseen"] < 0.6
    assert model.card.family == "histogram-gradient-boosting-regressor"


def test_an_anomaly_model_takes_its_truth_or_none(tmp_path: Path) -> None:
    normal = X[Y == 0]
    fitted = IsolationForest(n_estimators=20, random_state=0).fit(normal[::2])
    alone = to_module(fitted, tmp_path / "alone", normal[1::2])
    assert alone.card.metrics["detection_rate_unseen"] is None
    both = to_module(fitted, tmp_path / "both", X, Y != 0)
    assert both.card.metrics["detection_rate_unseen"] > 0.3
    assert both.card.labels == ("normal", "anomaly")


def test_a_mixture_needs_a_threshold(tmp_path: Path) -> None:
    fitted = GaussianMixture(2, covariance_type="diag", random_state=0).fit(SEEN)
    with pytest.raises(ConvertError, match="no threshold") as caught:
        to_module(fitted, tmp_path / "odd", UNSEEN)
    assert "threshold=" in caught.value.hint
    at = float(np.quantile(fitted.score_samples(SEEN), 0.05))
    model = to_module(fitted, tmp_path / "odd", UNSEEN, threshold=at)
    expected = fitted.score_samples(UNSEEN) < at
    np.testing.assert_array_equal(model.held_out.predicted, expected)


def test_a_change_by_the_grid_is_refused_unless_accepted(tmp_path: Path) -> None:
    fitted = forest()
    with pytest.raises(ConvertError, match="rows are decided otherwise once they are round") as c:
        to_module(fitted, tmp_path / "wine", UNSEEN, Y_UNSEEN, scale=5.0)
    assert not (tmp_path / "wine").exists()
    changed = int(c.value.message.split()[0])
    to_module(fitted, tmp_path / "wine", UNSEEN, Y_UNSEEN, scale=5.0, may_change=changed)


@pytest.mark.parametrize(
    ("estimator", "near"),
    [
        (SVC(), "LogisticRegression"),
        (KMeans(2, n_init=1), "GaussianMixture"),
        (make_pipeline(PCA(2), LogisticRegression()), "StandardScaler"),
    ],
)
def test_other_families_are_refused_by_name(estimator: Any, near: str, tmp_path: Path) -> None:
    fitted = estimator.fit(StandardScaler().fit_transform(SEEN), Y_SEEN)
    name = type(estimator).__name__ if not hasattr(estimator, "steps") else "PCA"
    with pytest.raises(ConvertError, match=name) as caught:
        to_module(fitted, tmp_path / "wine", UNSEEN, Y_UNSEEN)
    assert near in caught.value.hint
    assert not (tmp_path / "wine").exists()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"x": UNSEEN[:, :3]}, "x has 3 columns, the estimator takes 13"),
        ({"x": UNSEEN[0]}, "x has the shape"),
        ({"x": [["a"] * 13]}, "x does not hold numbers only"),
        ({"x": np.where(UNSEEN > 1000, np.nan, UNSEEN)}, "NaN"),
        ({"y": None}, "y has the shape"),
        ({"y": Y_UNSEEN[:-1]}, "y has the shape"),
        ({"y": np.full(len(UNSEEN), "chianti")}, "'chianti', which the estimator has never seen"),
        ({"features": ["one"]}, "are not 13 names"),
        ({"scale": 0.0}, "not a number above 0"),
    ],
)
def test_wrong_arguments_are_named(wrong: dict[str, Any], message: str, tmp_path: Path) -> None:
    given = {"x": UNSEEN, "y": Y_UNSEEN, **wrong}
    with pytest.raises(DataError, match=message):
        to_module(forest(), tmp_path / "wine", **given)
    assert not (tmp_path / "wine").exists()


def test_a_folder_of_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(DataError, match="holds other files and no model"):
        to_module(forest(), tmp_path, UNSEEN, Y_UNSEEN)
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]
