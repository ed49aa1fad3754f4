"""Train one model of any kind on rows of the grid.

Only one thread works on matrices here, so that the same data, settings and seed give the same bytes
however many cores there are.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import ensemble, linear_model, naive_bayes, neighbors, neural_network, tree
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from wedau import models
from wedau.errors import DataError
from wedau.models import Program, Votes, trees
from wedau.models.program import Floats, Ints, Rows
from wedau.train import anomalies
from wedau.train.settings import TrainSettings
from wedau.train.targets import Targets

VAR_SMOOTHING = 1e-3
"""Of naive Bayes: this share of a feature's variance over all classes is added to each class's, so
that no class is so narrow that float32 could not tell its densities apart."""

Answers = tuple[Ints | Floats, Floats]


@dataclass(frozen=True)
class Fitted:
    """A trained model.

    Attributes:
        program: what was trained, as arrays on the grid.
        importance: mean decrease in impurity of each feature, shape (n_features,); None each where
            the family does not measure it.
        ask: what scikit-learn itself says to rows of the grid: its predictions, int64 indices or
            float64 values, shape (n_rows,); and its outputs, float64, shape (n_rows, n_outputs).
    """

    program: Program
    importance: tuple[float | None, ...]
    ask: Callable[[Rows], Answers]


@dataclass(frozen=True)
class Training:
    """What a model is trained on.

    Attributes:
        x: int16, shape (n_rows, n_features), on the grid.
        y: int64 or float64, shape (n_rows,): see Dataset.
        parts: shape (n_rows,), str: see Dataset.
        labels: class names by class index; some may be missing in y.
        scale: float32 > 0, shape (n_features,), units per LSB.
    """

    x: Rows
    y: Targets
    parts: NDArray[np.str_]
    labels: tuple[str, ...]
    scale: NDArray[np.float32]

    @property
    def values(self) -> Floats:
        """The rows in the data's units, float64."""
        return to_units(self.x, self.scale)


def to_units(rows: Rows, scale: NDArray[np.float32]) -> Floats:
    """Return rows of the grid in the data's units; exact, a scale being a power of two or 1."""
    return np.asarray(rows * scale.astype(np.float64))


def fit(data: Training, settings: TrainSettings) -> Fitted:
    """Train the settings' kind of model.

    Raises:
        DataError: the kind cannot learn from these rows.
        ConvertError: what was learnt cannot be put on the grid.
    """
    with threadpool_limits(1), warnings.catch_warnings():
        # Stopping early is no reason to speak: how good the model is, is measured afterwards.
        warnings.simplefilter("ignore", ConvergenceWarning)
        if settings.model in _VOTING:
            return _voting(data, settings)
        if settings.task == "anomaly":
            return _anomaly(data, settings)
        return _weighing(data, settings)


# Trees that vote


def _voting(data: Training, settings: TrainSettings) -> Fitted:
    """Train trees on the grid and give each leaf its majority class."""
    estimator = _VOTING[settings.model](settings)
    estimator.fit(data.x, data.y)
    members = getattr(estimator, "estimators_", [estimator])
    hardened = tuple(trees.harden(member.tree_, estimator.classes_) for member in members)
    kind = settings.model.replace("-", " ")
    program = Votes(hardened, data.x.shape[1], len(data.labels), kind=kind)
    importance = tuple(float(v) for v in estimator.feature_importances_)
    return Fitted(program, importance, lambda rows: (program.predict(rows), program.outputs(rows)))


def _of_trees(settings: TrainSettings) -> dict[str, Any]:
    return {
        "max_depth": settings.option("depth"),
        "max_leaf_nodes": settings.option("leaves"),
        "random_state": settings.seed,
    }


def _of_forest(settings: TrainSettings) -> dict[str, Any]:
    # Each tree has a seed of its own: the number of jobs changes nothing.
    return {"n_estimators": settings.option("trees"), "n_jobs": -1, **_of_trees(settings)}


_VOTING: dict[str, Callable[[TrainSettings], Any]] = {
    "random-forest": lambda s: ensemble.RandomForestClassifier(**_of_forest(s)),
    "extra-trees": lambda s: ensemble.ExtraTreesClassifier(**_of_forest(s)),
    "decision-tree": lambda s: tree.DecisionTreeClassifier(**_of_trees(s)),
}


# Other classifiers and regressors


def _weighing(data: Training, settings: TrainSettings) -> Fitted:
    """Train in the data's units, then put what was learnt on the grid."""
    if settings.task == "classifier":
        _check_classes(data, settings)
    data = _fewer(data, settings)
    make = _MAKERS[settings.model]
    last = make(settings)
    scaled = type(last).__name__ not in _UNSCALED
    estimator = make_pipeline(StandardScaler(), last) if scaled else last
    if settings.model == "mlp-regressor":
        _fit_standardised(estimator, last, data)
    else:
        _check_neighbors(data, settings)
        estimator.fit(data.values, data.y)
    if hasattr(last, "n_jobs"):
        last.n_jobs = None  # threads would add up the trees in any order
    program = models.from_sklearn(estimator, data.scale.astype(np.float64))

    def ask(rows: Rows) -> Answers:
        values = to_units(rows, data.scale)
        predicted = np.asarray(estimator.predict(values))
        if settings.task == "regressor":
            floats = predicted.astype(np.float64)
            return floats, floats[:, np.newaxis]
        return predicted.astype(np.int64), np.asarray(estimator.predict_proba(values), np.float64)

    return Fitted(program, _importance(last, data.x.shape[1]), _on_one_thread(ask))


def _on_one_thread(ask: Callable[[Rows], Answers]) -> Callable[[Rows], Answers]:
    def limited(rows: Rows) -> Answers:
        with threadpool_limits(1):
            return ask(rows)

    return limited


def _importance(estimator: Any, n_features: int) -> tuple[float | None, ...]:
    measured = getattr(estimator, "feature_importances_", None)
    return (None,) * n_features if measured is None else tuple(float(v) for v in measured)


def _check_classes(data: Training, settings: TrainSettings) -> None:
    missing = np.setdiff1d(np.arange(len(data.labels)), data.y)
    if len(missing):
        raise DataError(
            f"all rows of the class {data.labels[missing[0]]!r} are held out at once, and "
            f"{settings.model} can only learn of classes that it is shown",
            "record the class in more groups, or train a random-forest",
        )


def _check_neighbors(data: Training, settings: TrainSettings) -> None:
    wanted = settings.option("neighbors")
    if wanted and wanted > len(data.x):
        raise DataError(
            f"there are {len(data.x)} rows to learn from, fewer than {wanted} neighbours",
            "give --neighbors a smaller number, or add rows",
        )


def _fewer(data: Training, settings: TrainSettings) -> Training:
    """Return as many rows as the kind may keep, of each class its share, at random."""
    most = settings.option("rows")
    if most is None or len(data.x) <= most:
        return data
    order = np.random.RandomState(settings.seed).permutation(len(data.x))
    if settings.task == "classifier":  # take turns among the classes by their size
        y = data.y[order]
        place = np.zeros(len(y))
        for label in range(len(data.labels)):
            mine = np.flatnonzero(y == label)
            place[mine] = (np.arange(len(mine)) + 0.5) / len(mine)
        order = order[np.argsort(place, kind="stable")]
    kept = np.sort(order[:most])
    return Training(data.x[kept], data.y[kept], data.parts[kept], data.labels, data.scale)


def _fit_standardised(estimator: Any, last: Any, data: Training) -> None:
    """Fit a perceptron on targets of mean 0 and deviation 1, then put both into its last layer."""
    mean, deviation = float(np.mean(data.y)), float(np.std(data.y)) or 1.0
    estimator.fit(data.values, (data.y - mean) / deviation)
    last.coefs_[-1] = last.coefs_[-1] * deviation
    last.intercepts_[-1] = last.intercepts_[-1] * deviation + mean


def _of_boosting(settings: TrainSettings) -> dict[str, Any]:
    rate = settings.option("learning_rate")
    return {"n_estimators": settings.option("trees"), "learning_rate": rate, **_of_trees(settings)}


def _of_gradients(settings: TrainSettings) -> dict[str, Any]:
    # A few of the features for each decision: as good as all, and many times quicker to train.
    return {"max_features": "sqrt", **_of_boosting(settings)}


def _of_histograms(settings: TrainSettings) -> dict[str, Any]:
    return {
        "max_iter": settings.option("trees"),
        "learning_rate": settings.option("learning_rate"),
        "min_samples_leaf": 5,
        "early_stopping": False,
        **_of_trees(settings),
    }


def _of_perceptron(settings: TrainSettings) -> dict[str, Any]:
    return {
        "hidden_layer_sizes": tuple(settings.option("hidden")),
        "learning_rate_init": settings.option("learning_rate"),
        "alpha": 1.0,
        "max_iter": 500,
        "random_state": settings.seed,
    }


def _of_neighbors(settings: TrainSettings) -> dict[str, Any]:
    return {"n_neighbors": settings.option("neighbors"), "algorithm": "brute"}


_UNSCALED = (
    *("GradientBoostingClassifier", "GradientBoostingRegressor", "DecisionTreeRegressor"),
    *("HistGradientBoostingClassifier", "HistGradientBoostingRegressor"),
    *("RandomForestRegressor", "ExtraTreesRegressor"),
)

_MAKERS: dict[str, Callable[[TrainSettings], Any]] = {
    "gradient-boosting": lambda s: ensemble.GradientBoostingClassifier(**_of_gradients(s)),
    "hist-gradient-boosting": lambda s: ensemble.HistGradientBoostingClassifier(
        **_of_histograms(s)
    ),
    "mlp": lambda s: neural_network.MLPClassifier(**_of_perceptron(s)),
    "naive-bayes": lambda s: naive_bayes.GaussianNB(var_smoothing=VAR_SMOOTHING),
    "knn": lambda s: neighbors.KNeighborsClassifier(**_of_neighbors(s)),
    "logistic": lambda s: linear_model.LogisticRegression(max_iter=2000),
    "random-forest-regressor": lambda s: ensemble.RandomForestRegressor(**_of_forest(s)),
    "decision-tree-regressor": lambda s: tree.DecisionTreeRegressor(**_of_trees(s)),
    "extra-trees-regressor": lambda s: ensemble.ExtraTreesRegressor(**_of_forest(s)),
    "gradient-boosting-regressor": lambda s: ensemble.GradientBoostingRegressor(**_of_gradients(s)),
    "hist-gradient-boosting-regressor": lambda s: ensemble.HistGradientBoostingRegressor(
        **_of_histograms(s)
    ),
    "mlp-regressor": lambda s: neural_network.MLPRegressor(**_of_perceptron(s)),
    "knn-regressor": lambda s: neighbors.KNeighborsRegressor(**_of_neighbors(s)),
    "linear": lambda s: linear_model.Ridge(alpha=1.0, solver="cholesky"),
}


# Anomalies


def _anomaly(data: Training, settings: TrainSettings) -> Fitted:
    """Train on normal rows alone; the threshold follows from the share of false alarms."""
    normal = data.y == 0
    detector = anomalies.fit(data.values[normal], data.parts[normal], settings)
    scale = data.scale.astype(np.float64)
    program = models.from_sklearn(detector.estimator, scale, detector.mixture_threshold)

    def ask(rows: Rows) -> Answers:
        outputs = detector.decision_function(to_units(rows, data.scale))
        return (outputs < 0).astype(np.int64), outputs[:, np.newaxis]

    return Fitted(program, (None,) * data.x.shape[1], _on_one_thread(ask))
