"""What goes wrong with emlearn alone, and that it goes right here; why only trees go through it."""

import ctypes
import re
import subprocess
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC, OneClassSVM
from sklearn.tree import DecisionTreeClassifier

from hostc import HostModel
from wedau import models
from wedau.convert import code, trees
from wedau.convert.data import read_data, to_data
from wedau.convert.module import ModuleInfo
from wedau.errors import ConvertError, DataError
from wedau.models.trees import TreeArrays, forest
from wedau.train import grid

pytestmark = pytest.mark.filterwarnings("ignore:.*onverge")

emlearn = trees.convert  # emlearn.convert.convert, imported as wedau does

_TYPES = {"int16_t": np.int16, "float": np.float32}


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """emlearn compiles in a folder tmp/ wherever one is."""
    monkeypatch.chdir(tmp_path)


def alone(estimator: Any, folder: Path, dtype: str = "int16_t") -> Any:
    """Compile emlearn's own C of a forest; return predict(rows, length told to it)."""
    source, library = folder / "alone.c", folder / "alone.so"
    source.write_text(str(emlearn(estimator, method="inline", dtype=dtype).save(name="alone")))
    subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", library, source], check=True)
    function = ctypes.CDLL(str(library)).alone_predict

    def predict(rows: np.ndarray, length: int | None = None) -> np.ndarray:
        given = np.ascontiguousarray(rows, _TYPES[dtype])
        pointers = [row.ctypes.data_as(ctypes.c_void_p) for row in given]
        return np.array([function(p, length or given.shape[1]) for p in pointers])

    return predict


def test_features_of_0_and_1_are_not_inverted(tmp_path: Path):
    x = np.array([[0], [1]] * 20, np.int16)
    tree = DecisionTreeClassifier().fit(x, x[:, 0])
    both = np.array([[0], [1]], np.int16)
    assert list(tree.predict(both)) == [0, 1]
    assert list(alone(tree, tmp_path)(both)) != [0, 1]
    assert list(HostModel(models.from_sklearn(tree), tmp_path).predict(both)) == [0, 1]


def test_digits_keep_their_accuracy(tmp_path: Path):
    x, y = load_digits(return_X_y=True)
    rows = x.astype(np.int16)
    made = RandomForestClassifier(10, max_depth=8, random_state=1).fit(rows[::2], y[::2])
    voting = [models.trees.harden(m.tree_, np.arange(10)) for m in made.estimators_]
    estimator = forest(voting, 64, 10)
    expected = estimator.predict(rows[1::2])
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        got = alone(estimator, tmp_path)(rows[1::2])
    assert not said
    assert np.mean(got == y[1::2]) < np.mean(expected == y[1::2]) - 0.02
    ours = HostModel(models.from_sklearn(estimator), tmp_path)
    np.testing.assert_array_equal(ours.predict(rows[1::2]), expected)


def test_values_at_a_threshold_go_where_scikit_learn_sends_them(tmp_path: Path):
    x = np.array([[0.0], [1.0]] * 20)
    tree = DecisionTreeClassifier().fit(x, x[:, 0])
    tie = np.array([[0.5]])
    assert list(tree.predict(tie)) == [0]
    assert list(alone(tree, tmp_path, "float")(tie)) == [1]
    scale = np.array([2.0**-8], np.float32)
    on_grid = grid.quantize(tie.astype(np.float32), scale)
    ours = HostModel(models.from_sklearn(tree, scale), tmp_path)
    assert list(ours.predict(on_grid)) == [0]


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer])
def test_features_need_no_scaling_by_hand(load: Any, tmp_path: Path):
    x, y = load(return_X_y=True)
    x = x.astype(np.float32)
    scale = grid.fit_scale(x)
    rows = grid.quantize(x, scale)
    values = rows * scale.astype(np.float64)
    made = RandomForestClassifier(9, random_state=0).fit(values[::2], y[::2])
    expected = made.predict(values[1::2])
    agree = np.mean(alone(made, tmp_path)(np.clip(values[1::2], -32768, 32767)) == expected)
    assert agree < 0.98
    ours = HostModel(models.from_sklearn(made, scale), tmp_path)
    np.testing.assert_array_equal(ours.predict(rows[1::2]), expected)


def iris() -> tuple[np.ndarray, np.ndarray]:
    """Iris in tenths of a millimetre, so that the rows are on the grid."""
    x, y = load_iris(return_X_y=True)
    return np.rint(x * 100).astype(np.int16), y


@pytest.mark.parametrize(
    "make",
    [
        lambda: GradientBoostingClassifier(n_estimators=3),
        lambda: HistGradientBoostingClassifier(max_iter=3),
        lambda: IsolationForest(n_estimators=5),
        LogisticRegression,
        lambda: make_pipeline(StandardScaler(), GaussianNB()),
    ],
)
def test_families_that_emlearn_refuses_are_taken(make: Any):
    rows, y = iris()
    estimator = make().fit(rows, y)
    with pytest.raises(ValueError, match="Unknown model type"):
        emlearn(estimator)
    expected = estimator.predict(rows)
    if isinstance(estimator, IsolationForest):
        expected = expected < 0
    np.testing.assert_array_equal(models.from_sklearn(estimator).predict(rows), expected)


@pytest.mark.parametrize(
    ("make", "nearest"),
    [
        (SVC, "RandomForestClassifier"),
        (LinearSVC, "LogisticRegression"),
        (SVR, "RandomForestRegressor"),
        (OneClassSVM, "IsolationForest"),
        (AdaBoostClassifier, "GradientBoostingClassifier"),
        (AdaBoostRegressor, "GradientBoostingRegressor"),
        (BaggingClassifier, "RandomForestClassifier"),
        (SGDClassifier, "LogisticRegression"),
        (RidgeClassifier, "LogisticRegression"),
    ],
)
def test_families_that_nobody_takes_are_refused_with_the_nearest_that_works(
    make: Any, nearest: str
):
    rows, y = iris()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator = make().fit(rows, y)
    with pytest.raises(ConvertError) as caught:
        models.from_sklearn(make_pipeline(StandardScaler().fit(rows), estimator))
    assert caught.value.message == f"a {make.__name__} cannot be converted"
    assert nearest in caught.value.hint


def test_soft_votes_and_regressors_keep_their_values(tmp_path: Path):
    rows, y = iris()
    soft = RandomForestClassifier(6, max_depth=1, random_state=0).fit(rows, y)
    coarse = emlearn(soft, dtype="float", leaf_bits=8).predict_proba(rows.astype(np.float32))
    assert np.abs(coarse - soft.predict_proba(rows)).max() > 1e-3
    folder = tmp_path / "soft"
    folder.mkdir()
    ours = HostModel(models.from_sklearn(soft), folder)
    assert np.abs(ours.outputs(rows) - soft.predict_proba(rows)).max() < 1e-6
    np.testing.assert_array_equal(ours.predict(rows), soft.predict(rows))
    made = ExtraTreesRegressor(5, random_state=0).fit(rows, y + rows[:, 0] / 7)
    leaves = emlearn(made, dtype="int16_t")
    table = tmp_path / "trees.csv"
    leaves.save(name="made", file=str(table), format="csv")
    written = re.findall(r"^l,(.*)$", table.read_text(), re.MULTILINE)
    assert any(float(value) != int(float(value)) or float(value) > 255 for value in written)
    again = HostModel(models.from_sklearn(made), tmp_path)
    assert np.abs(again.outputs(rows)[:, 0] - made.predict(rows)).max() < 1e-4


def test_soft_leaves_are_averaged_as_in_scikit_learn(tmp_path: Path):
    """In emlearn each tree votes, unless told otherwise, whatever the leaf's shares."""
    x, y = load_digits(return_X_y=True)
    soft = RandomForestClassifier(5, max_depth=4, random_state=0).fit(x, y)
    hard = emlearn(soft, dtype="float").predict(x.astype(np.float32))
    assert np.mean(hard != soft.predict(x)) > 0.02
    ours = HostModel(models.from_sklearn(soft), tmp_path)
    np.testing.assert_array_equal(ours.predict(x.astype(np.int16)), soft.predict(x))


def test_damaged_data_files_are_refused():
    """The loader of emlearn-micropython hangs on a cycle or a short file and takes bad indices."""
    tree = TreeArrays(
        *np.array([[1, -1, -1], [5, 0, 0], [1, -1, -1], [2, -1, -1], [-1, 0, 1]] + [[1] * 3])
    )
    info = ModuleInfo("saw", "1", ("a", "b"), ("x", "y"), np.ones(2), b"", "0" * 64, "0")
    data = to_data([tree], info)
    model = read_data(data)
    np.testing.assert_array_equal(model.predict(np.array([[0, 5], [0, 6]], np.int16)), [0, 1])
    for n in range(len(data)):
        with pytest.raises(DataError):
            read_data(data[:n])
    for at in range(len(data)):
        with pytest.raises(DataError):
            read_data(data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :])
    for width in (1, 3):
        with pytest.raises(DataError, match="do not fit a model of 2 features"):
            model.predict(np.zeros((1, width), np.int16))


def test_emlearn_reads_beyond_a_short_row(tmp_path: Path):
    """It is told that the row is one long, and looks at the second; modules of ours raise."""
    rows = np.array([[0, -9], [0, 9]] * 10, np.int16)
    tree = DecisionTreeClassifier().fit(rows, rows[:, 1] > 0)
    assert list(alone(tree, tmp_path)(rows[:2], length=1)) == [0, 1]


# Why the other families have C of our own.


def test_emlearn_prints_weights_with_six_decimals():
    rows, y = iris()
    made = MLPClassifier((4,), max_iter=20, random_state=0).fit(rows, y)
    made.coefs_[0] *= 1e-5  # as they are where features count in thousands
    text = emlearn(made, method="inline").save(name="made")
    table = text.partition("made_layer_0_weights[16] = {")[2].partition("}")[0]
    printed = np.array([float(v.strip().rstrip("f")) for v in table.split(",")])
    exact = made.coefs_[0].astype(np.float32).ravel()
    assert np.max(np.abs(printed - exact) / np.abs(exact)) > 0.01
    ours = code.code(models.from_sklearn(made)).text
    table = ours.partition("wd_layer_0_weights[] = {")[2].partition("}")[0]
    written = [float.fromhex(v.strip().rstrip("f")) for v in table.split(",")]
    np.testing.assert_array_equal(
        np.array(written, np.float32), made.coefs_[0].T.ravel().astype("f")
    )


def test_emlearns_naive_bayes_decides_otherwise(tmp_path: Path):
    """It calculates with 16 bits before and 16 behind the point."""
    x, y = load_wine(return_X_y=True)
    scale = grid.fit_scale(x.astype(np.float32))
    rows = grid.quantize(x.astype(np.float32), scale)
    values = rows * scale.astype(np.float64)
    made = GaussianNB().fit(values, y)
    got = emlearn(made).predict(values.astype(np.float32))
    assert np.mean(got != made.predict(values)) > 0.005
    ours = HostModel(models.from_sklearn(made, scale), tmp_path)
    np.testing.assert_array_equal(ours.predict(rows), made.predict(values))


def test_emlearns_neighbours_are_rounded_to_integers(tmp_path: Path):
    x, y = load_iris(return_X_y=True)
    scale = np.full(4, 2.0**-8, np.float32)
    rows = grid.quantize(x.astype(np.float32), scale)
    values = rows * scale.astype(np.float64)
    made = KNeighborsClassifier(3).fit(values[::2], y[::2])
    got = np.asarray(emlearn(made).predict(values[1::2]))
    assert np.mean(got != made.predict(values[1::2])) > 0.02
    ours = HostModel(models.from_sklearn(made, scale), tmp_path)
    np.testing.assert_array_equal(ours.predict(rows[1::2]), made.predict(values[1::2]))
