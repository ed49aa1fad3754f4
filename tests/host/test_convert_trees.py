"""Forests through emlearn's C decide as scikit-learn does, at every boundary."""

import ctypes
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.linear_model import SGDClassifier
from sklearn.tree import DecisionTreeClassifier

from wedau.convert.trees import boundary_inputs, forest_c
from wedau.errors import ConvertError
from wedau.models import from_sklearn, trees

Predict = Callable[[np.ndarray], np.ndarray]


def compiled(estimator: object, folder: Path) -> Predict:
    """Compile the forest's C with the host's compiler and return its predict function."""
    source, library = folder / "forest.c", folder / "forest.so"
    source.write_text(forest_c(estimator, "forest"), encoding="utf-8")
    subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", library, source], check=True)
    function = ctypes.CDLL(str(library)).forest_predict
    function.restype = ctypes.c_int32

    def predict(rows: np.ndarray) -> np.ndarray:
        rows = np.ascontiguousarray(rows, dtype=np.int16)
        width = rows.shape[1]
        return np.array([function(row.ctypes.data_as(ctypes.c_void_p), width) for row in rows])

    return predict


def boundary_rows(estimator: object, rows: np.ndarray) -> np.ndarray:
    empty = np.empty((0, rows.shape[1]), np.int16)
    return np.concatenate([empty, *boundary_inputs(from_sklearn(estimator).trees, rows)])


def harden(estimator: object) -> object:
    """Return the estimator with one class a leaf, as wedau.train makes it."""
    members = getattr(estimator, "estimators_", [estimator])
    arrays = [trees.harden(member.tree_, np.arange(estimator.n_classes_)) for member in members]
    return trees.forest(arrays, estimator.n_features_in_, estimator.n_classes_)


def digits(kind: type, **settings: object) -> tuple[object, np.ndarray]:
    x, y = load_digits(return_X_y=True)
    grid = (x * 100).astype(np.int16)
    return harden(kind(random_state=1, **settings).fit(grid, y)), grid


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (RandomForestClassifier, {"n_estimators": 20, "max_depth": 8}),
        (ExtraTreesClassifier, {"n_estimators": 10}),
        (DecisionTreeClassifier, {}),
    ],
)
def test_forest_decides_as_scikit_learn_at_every_boundary(kind, settings, tmp_path):
    estimator, grid = digits(kind, **settings)
    predict = compiled(estimator, tmp_path)
    boundaries = boundary_rows(estimator, grid)
    assert len(boundaries) > 300
    for rows in (grid, boundaries):
        np.testing.assert_array_equal(predict(rows), estimator.predict(rows))


def test_boundary_inputs_reach_their_decision_from_both_sides():
    forest, grid = digits(DecisionTreeClassifier, max_depth=4)
    estimator = forest.estimators_[0]
    tree = estimator.tree_
    reached = set()
    for below, at, above in boundary_inputs(from_sklearn(estimator).trees, grid):
        paths = estimator.decision_path(np.stack([below, at, above]).astype(np.float32)).toarray()
        changed = np.flatnonzero(below != above)
        assert len(changed) == 1
        common = np.flatnonzero(paths.all(axis=0) & (tree.children_left >= 0))
        split = [
            n for n in common if paths[1, tree.children_left[n]] != paths[2, tree.children_left[n]]
        ]
        assert len(split) == 1
        reached.add(split[0])
    assert reached == set(np.flatnonzero(tree.children_left >= 0))


def test_binary_features_are_not_inverted(tmp_path):
    """emlearn alone cuts the threshold 0.5 to 0 and then tests x < 0: both inputs go right."""
    x = np.array([[0], [1]] * 20, dtype=np.int16)
    estimator = harden(DecisionTreeClassifier(random_state=0).fit(x, x[:, 0]))
    assert list(compiled(estimator, tmp_path)(np.array([[0], [1]]))) == [0, 1]


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    classes=st.integers(2, 6),
    features=st.integers(1, 8),
    spread=st.sampled_from([1, 3, 100, 32767]),
)
def test_random_forests_on_random_inputs(seed, classes, features, spread, tmp_path_factory):
    random = np.random.default_rng(seed)
    x = random.integers(-spread, spread + 1, (60, features)).astype(np.int16)
    y = np.arange(60) % classes
    forest = RandomForestClassifier(n_estimators=4, max_depth=6, random_state=seed).fit(x, y)
    estimator = harden(forest)
    predict = compiled(estimator, tmp_path_factory.mktemp("forest"))
    anything = random.integers(-32768, 32768, (200, features)).astype(np.int16)
    for rows in (x, anything, boundary_rows(estimator, x)):
        np.testing.assert_array_equal(predict(rows), estimator.predict(rows))


def refused(estimator: object) -> str:
    with pytest.raises(ConvertError) as caught:
        forest_c(estimator, "forest")
    return caught.value.message


def test_soft_leaves_are_refused():
    x, y = load_digits(return_X_y=True)
    forest = RandomForestClassifier(n_estimators=3, max_depth=3, random_state=1).fit(x, y)
    assert "leaves with several classes" in refused(forest)


def test_unscaled_thresholds_beyond_int16_are_refused():
    x = np.array([[0.0], [1e6]] * 10)
    tree = DecisionTreeClassifier().fit(x, x[:, 0] > 0)
    assert "outside the int16 grid" in refused(tree)


def test_other_families_and_unfitted_estimators_are_refused_by_name():
    assert "SGDClassifier" in refused(SGDClassifier())
    assert "has not been fitted" in refused(RandomForestClassifier())


def test_two_outputs_are_refused():
    x = np.arange(20).reshape(10, 2)
    assert "more than one output" in refused(DecisionTreeClassifier().fit(x, x % 2))


def test_emlearn_leaves_numpys_error_handling_alone():
    """Its import calls numpy.seterr(all="raise"), for the whole process."""
    code = (
        "import numpy as np\nbefore = np.geterr()\n"
        "import wedau.convert.trees\nassert np.geterr() == before"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
