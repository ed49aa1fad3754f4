"""Every family of models that can be converted: small estimators to fit, and what they say."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression, LogisticRegression, Ridge
from sklearn.mixture import GaussianMixture
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from wedau import models
from wedau.models import Program

Make = Callable[[], Any]

SCALERS: dict[str, Make | None] = {
    "alone": None,
    "standard": StandardScaler,
    "uncentred": lambda: StandardScaler(with_mean=False),
    "min-max": lambda: MinMaxScaler((-1, 1)),
    "max-abs": MaxAbsScaler,
    "robust": RobustScaler,
}

TREES: dict[str, Make] = {
    "decision tree": lambda: DecisionTreeClassifier(max_depth=5, random_state=1),
    "decision tree, soft": lambda: DecisionTreeClassifier(max_depth=2, random_state=1),
    "random forest": lambda: RandomForestClassifier(7, random_state=1),
    "random forest, soft": lambda: RandomForestClassifier(7, max_depth=3, random_state=1),
    "extra trees": lambda: ExtraTreesClassifier(7, random_state=1),
    "extra trees, soft": lambda: ExtraTreesClassifier(7, min_samples_leaf=4, random_state=1),
    "gradient boosting": lambda: GradientBoostingClassifier(n_estimators=6, random_state=1),
    "hist gradient boosting": lambda: HistGradientBoostingClassifier(
        max_iter=6, min_samples_leaf=5, random_state=1
    ),
    "decision tree, regression": lambda: DecisionTreeRegressor(max_depth=5, random_state=1),
    "random forest, regression": lambda: RandomForestRegressor(7, random_state=1),
    "extra trees, regression": lambda: ExtraTreesRegressor(7, random_state=1),
    "gradient boosting, regression": lambda: GradientBoostingRegressor(
        n_estimators=6, random_state=1
    ),
    "gradient boosting, huber": lambda: GradientBoostingRegressor(
        n_estimators=6, loss="huber", random_state=1
    ),
    "hist gradient boosting, regression": lambda: HistGradientBoostingRegressor(
        max_iter=6, min_samples_leaf=5, random_state=1
    ),
    "hist gradient boosting, poisson": lambda: HistGradientBoostingRegressor(
        max_iter=6, min_samples_leaf=5, loss="poisson", random_state=1
    ),
    "isolation forest": lambda: IsolationForest(n_estimators=9, random_state=1),
    "isolation forest, contamination": lambda: IsolationForest(
        n_estimators=9, contamination=0.1, random_state=1
    ),
    "isolation forest, some features": lambda: IsolationForest(
        n_estimators=9, max_features=0.6, max_samples=30, random_state=1
    ),
}

FLOATS: dict[str, Make] = {
    **{
        f"perceptron, {activation}": lambda activation=activation: MLPClassifier(
            (6, 5), activation=activation, max_iter=60, random_state=1
        )
        for activation in ("relu", "tanh", "logistic", "identity")
    },
    "perceptron, regression": lambda: MLPRegressor(
        hidden_layer_sizes=(6,), max_iter=60, random_state=1
    ),
    "naive Bayes": GaussianNB,
    "neighbours": lambda: KNeighborsClassifier(5),
    "neighbours, distance": lambda: KNeighborsClassifier(4, weights="distance"),
    "neighbours, regression": lambda: KNeighborsRegressor(3),
    "neighbours, regression, distance": lambda: KNeighborsRegressor(3, weights="distance"),
    "logistic regression": lambda: LogisticRegression(max_iter=60),
    "linear regression": LinearRegression,
    "ridge": Ridge,
    "lasso": lambda: Lasso(alpha=0.01),
    "elastic net": lambda: ElasticNet(alpha=0.01),
    **{
        f"mixture, {shape}": lambda shape=shape: GaussianMixture(
            2, covariance_type=shape, reg_covar=1e-3, random_state=1
        )
        for shape in ("full", "tied", "diag", "spherical")
    },
    "elliptic envelope": lambda: EllipticEnvelope(random_state=1),
}

ALL = {**TREES, **FLOATS}


@dataclass(frozen=True)
class Fitted:
    """An estimator, the data it was fitted to, and the program made of it.

    Attributes:
        estimator: of scikit-learn, or a Pipeline that ends in one.
        scale: float32, shape (n_features,), data units per LSB.
        rows: int16, shape (n_rows, n_features): what it was fitted to.
        threshold: of a GaussianMixture, else None.
        program: what is tested.
    """

    estimator: Any
    scale: np.ndarray
    rows: np.ndarray
    threshold: float | None
    program: Program

    @property
    def last(self) -> Any:
        """The estimator without its scalers."""
        return self.estimator[-1] if hasattr(self.estimator, "steps") else self.estimator

    def real(self, rows: np.ndarray) -> np.ndarray:
        """Rows of the grid in data units."""
        return rows * self.scale.astype(np.float64)

    def outputs(self, rows: np.ndarray) -> np.ndarray:
        """What scikit-learn itself gives for rows of the grid, shape (n_rows, n_outputs)."""
        x = self.real(rows)
        if self.program.task == "classifier":
            return self.estimator.predict_proba(x)
        if self.program.task == "regressor":
            return np.reshape(self.estimator.predict(x), (-1, 1))
        if self.threshold is not None:
            return np.reshape(self.estimator.score_samples(x) - self.threshold, (-1, 1))
        return np.reshape(self.estimator.decision_function(x), (-1, 1))

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """What scikit-learn itself predicts: class indices, 1 for an anomaly, or values."""
        if self.program.task == "classifier":
            return np.searchsorted(self.last.classes_, self.estimator.predict(self.real(rows)))
        if self.program.task == "regressor":
            return self.outputs(rows)[:, 0]
        if self.threshold is not None:
            return (self.outputs(rows)[:, 0] < 0).astype(int)
        return (self.estimator.predict(self.real(rows)) < 0).astype(int)


def data(
    seed: int, n_features: int = 4, n_classes: int = 3, spread: int = 3000, n_rows: int = 90
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the grid within +-spread, and a class of each that depends on them."""
    random = np.random.default_rng(seed)
    rows = random.integers(-spread, spread + 1, (n_rows, n_features))
    y = np.argsort(np.argsort(rows.sum(axis=1))) * n_classes // n_rows
    y[:n_classes] = np.arange(n_classes)
    return rows.astype(np.int16), y


def fit(
    name: str,
    rows: np.ndarray,
    y: np.ndarray,
    *,
    scaler: str = "alone",
    scale: np.ndarray | None = None,
    make: Make | None = None,
) -> Fitted:
    """Fit an estimator of this name, or the one given, and convert it."""
    last = (make or ALL[name])()
    step = SCALERS[scaler]
    estimator = make_pipeline(step(), last) if step else last
    scale = np.exp2(-7.0 - np.arange(rows.shape[1])).astype(np.float32) if scale is None else scale
    x = rows * scale.astype(np.float64)
    if hasattr(last, "predict_proba") and not isinstance(last, GaussianMixture):
        target = y
    elif "poisson" in name:
        target = y + 0.25
    else:
        target = y + x[:, 0]
    estimator.fit(x, target)
    threshold = None
    if isinstance(last, GaussianMixture):
        threshold = float(np.quantile(estimator.score_samples(x), 0.05))
    program = models.from_sklearn(estimator, scale, threshold=threshold)
    return Fitted(estimator, scale, rows, threshold, program)
