"""Fitted scikit-learn estimators to programs: what can be converted, and what is refused."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from wedau.errors import ConvertError
from wedau.models.dense import Dense, Layer
from wedau.models.gaussian import Gaussian
from wedau.models.growing import Grid, Grown, grow, to_integers
from wedau.models.neighbours import MAX_NEIGHBOURS, Neighbours
from wedau.models.program import (
    GRID_MAX,
    GRID_MIN,
    MAX_CLASSES,
    MAX_FEATURES,
    Floats,
    Program,
    levels,
)
from wedau.models.scaling import Scaling, check_step
from wedau.models.sums import SCORE_MAX, Sums
from wedau.models.trees import TreeArrays
from wedau.models.votes import Votes

_NEAREST = {
    "SVC": "LogisticRegression, MLPClassifier or RandomForestClassifier",
    "NuSVC": "LogisticRegression, MLPClassifier or RandomForestClassifier",
    "LinearSVC": "LogisticRegression",
    "SGDClassifier": "LogisticRegression",
    "RidgeClassifier": "LogisticRegression",
    "Perceptron": "LogisticRegression",
    "SVR": "MLPRegressor or RandomForestRegressor",
    "AdaBoostClassifier": "GradientBoostingClassifier or ExtraTreesClassifier",
    "AdaBoostRegressor": "GradientBoostingRegressor",
    "BaggingClassifier": "RandomForestClassifier",
    "BaggingRegressor": "RandomForestRegressor",
    "VotingClassifier": "RandomForestClassifier, or one of its members",
    "StackingClassifier": "HistGradientBoostingClassifier",
    "BernoulliNB": "GaussianNB",
    "MultinomialNB": "GaussianNB",
    "LinearDiscriminantAnalysis": "LogisticRegression",
    "QuadraticDiscriminantAnalysis": "GaussianNB",
    "RadiusNeighborsClassifier": "KNeighborsClassifier",
    "NearestCentroid": "KNeighborsClassifier",
    "GaussianProcessClassifier": "MLPClassifier",
    "GaussianProcessRegressor": "MLPRegressor",
    "OneClassSVM": "IsolationForest or EllipticEnvelope",
    "LocalOutlierFactor": "IsolationForest or GaussianMixture",
    "KMeans": "GaussianMixture",
    "XGBClassifier": "HistGradientBoostingClassifier",
    "LGBMClassifier": "HistGradientBoostingClassifier",
    "XGBRegressor": "HistGradientBoostingRegressor",
    "LGBMRegressor": "HistGradientBoostingRegressor",
}


def from_sklearn(
    estimator: Any, scale: Floats | None = None, threshold: float | None = None
) -> Program:
    """Convert a fitted estimator, or a Pipeline of scalers and one, to work on the grid.

    Args:
        estimator: fitted; its inputs are in data units.
        scale: float64, shape (n_features,), data units per LSB; None if it was trained on the grid.
        threshold: for a GaussianMixture: an anomaly is what has a lower log-likelihood.

    Raises:
        ConvertError: the family, a step or a setting cannot be converted; names it.
    """
    *steps, last = _steps(estimator)
    for step in steps:
        check_step(step)
    kind = type(last).__name__
    convert = _FAMILIES.get(kind)
    if convert is None:
        near = _NEAREST.get(kind)
        raise ConvertError(
            f"a {kind} cannot be converted",
            f"the nearest family that can: {near}" if near else f"families that can: {_names()}",
        )
    if not hasattr(last, "n_features_in_"):
        raise ConvertError(f"the {kind} has not been fitted", "call its fit() first")
    scaling = Scaling(_scale(scale, int((steps[0] if steps else last).n_features_in_)), steps)
    with np.errstate(all="ignore"):
        if convert is _mixture:
            program = _mixture(last, scaling, threshold)
        elif threshold is not None:
            raise _refuse(last, "a threshold", "leave it out: only a GaussianMixture needs one")
        else:
            program = convert(last, scaling)
        _check(program, kind)
    return program


def _scale(scale: Floats | None, n_features: int) -> Floats:
    if scale is None:
        return np.ones(n_features)
    given = np.asarray(scale, np.float64)
    if given.shape != (n_features,) or not np.all(np.isfinite(given) & (given > 0)):
        raise ConvertError(
            f"the scale must hold {n_features} positive numbers, one for each feature",
            "take that of the training data: wedau.train.grid.fit_scale(x)",
        )
    return given


def _check(program: Program, kind: str) -> None:
    if program.n_features > MAX_FEATURES:
        raise ConvertError(
            f"the {kind} has {program.n_features} features, {MAX_FEATURES} are possible",
            "leave out the least important ones",
        )
    if program.n_outputs > MAX_CLASSES:
        raise ConvertError(
            f"the {kind} has {program.n_outputs} classes, {MAX_CLASSES} are possible",
            "check that the labels are labels, not measurements",
        )
    if not np.all(np.isfinite(program.outputs(np.zeros((1, program.n_features), np.int16)))):
        raise ConvertError(
            f"the {kind} has parameters that are not finite or far too large",
            "scale the features: put a StandardScaler before it, and fit it again",
        )


def class_labels(estimator: Any) -> tuple[str, ...]:
    """Return the class names of a fitted classifier, numbers as text, in their order."""
    classes = last_step(estimator).classes_
    return tuple(str(c) for c in classes.tolist())


def last_step(estimator: Any) -> Any:
    """Return the estimator itself, or the last step of a Pipeline."""
    return _steps(estimator)[-1]


def _steps(estimator: Any) -> list[Any]:
    if type(estimator).__name__ != "Pipeline":
        return [estimator]
    return [step for _, step in estimator.steps if step not in (None, "passthrough")]


def _names() -> str:
    return ", ".join(_FAMILIES)


def _one_output(estimator: Any, n_outputs: int) -> None:
    if n_outputs != 1:
        raise ConvertError(
            f"the {type(estimator).__name__} has {n_outputs} outputs", "train one model an output"
        )


def _refuse(estimator: Any, what: str, hint: str) -> ConvertError:
    return ConvertError(f"a {type(estimator).__name__} with {what} cannot be converted", hint)


# Trees


def _forest(estimator: Any, scaling: Scaling) -> Program:
    """Single trees, random forests and extra trees: the mean of the leaves."""
    members = list(getattr(estimator, "estimators_", [estimator]))
    _one_output(estimator, int(estimator.n_outputs_))
    grid = Grid(scaling, np.float32)
    grown = [(_grow(m.tree_, grid, m.tree_.value[:, 0, :]), -1) for m in members]
    kind = type(estimator).__name__
    if kind.endswith("Regressor"):
        return _sums(estimator, scaling, _divided(grown), np.zeros(1), "regressor", "identity")
    n_classes = int(estimator.n_classes_)
    if n_classes < 2:
        raise _refuse(estimator, "one class", "train it on data of two classes at least")
    if all(np.all(np.count_nonzero(t.value, axis=1) == 1) for t, _ in grown):
        return Votes([_vote(t) for t, _ in grown], scaling.n_features, n_classes, kind=_kind(kind))
    return _sums(estimator, scaling, _divided(grown), np.zeros(n_classes), "classifier", "share")


def _grow(tree: Any, grid: Grid, value: Floats) -> Grown:
    return grow(
        tree.feature,
        tree.threshold,
        tree.children_left,
        tree.children_right,
        np.asarray(value, np.float64),
        grid.last_left,
    )


def _vote(tree: Grown) -> TreeArrays:
    label = np.full(len(tree.left), -1, np.int64)
    label[tree.left < 0] = np.argmax(tree.value, axis=1)
    samples = np.ones(len(tree.left), np.int64)
    return TreeArrays(tree.feature, tree.threshold, tree.left, tree.right, label, samples)


def _divided(members: Sequence[tuple[Grown, int]]) -> list[tuple[Grown, int]]:
    n = len(members)
    return [(replace(tree, value=tree.value / n), output) for tree, output in members]


def _sums(
    estimator: Any,
    scaling: Scaling,
    members: list[tuple[Grown, int]],
    base: Floats,
    task: Any,
    link: str,
    **more: Any,
) -> Sums:
    trees, start, shift = to_integers(members, np.asarray(base, np.float64).copy())
    kind = _kind(type(estimator).__name__)
    made = Sums(task, scaling.n_features, trees, start, shift, link, kind=kind, **more)
    if len(start) == 1:
        return made
    # Where scikit-learn's sums are equal, rounding must not let a later class win.
    return replace(made, base=start - made.rounding_units * np.arange(len(start)))


def _gradient_boosting(estimator: Any, scaling: Scaling) -> Program:
    grid = Grid(scaling, np.float32)
    stages = estimator.estimators_
    rate, n_scores = estimator.learning_rate, stages.shape[1]
    if not (estimator.init is None or estimator.init == "zero"):
        raise _refuse(estimator, "an estimator as init", "leave init at its default")
    members = [
        (_grow(tree.tree_, grid, rate * tree.tree_.value[:, 0, :]), k if n_scores > 1 else 0)
        for stage in stages
        for k, tree in enumerate(stage)
    ]
    some = np.zeros((1, estimator.n_features_in_))
    own = sum(rate * np.array([t.predict(some)[0] for t in stage]) for stage in stages)
    if type(estimator).__name__.endswith("Regressor"):
        base = estimator.predict(some) - own
        return _sums(estimator, scaling, members, base, "regressor", "identity")
    base = np.ravel(estimator.decision_function(some)) - own
    if n_scores > 1:
        return _sums(estimator, scaling, members, base, "classifier", "softmax")
    gain = 2.0 if estimator.loss == "exponential" else 1.0
    made = _sums(estimator, scaling, members, base, "classifier", "logistic", gain=gain)
    return replace(made, from_=-made.rounding_units)  # 0 is the second class


def _hist_gradient_boosting(estimator: Any, scaling: Scaling) -> Program:
    if np.any(estimator.is_categorical_ if estimator.is_categorical_ is not None else False):
        raise _refuse(estimator, "categories", "encode them as numbers before")
    grid = Grid(scaling, np.float64)
    stages = estimator._predictors  # there is no public way to the trees
    n_scores = len(stages[0])
    members = [(_grow_hist(p.nodes, grid), k) for stage in stages for k, p in enumerate(stage)]
    base = np.ravel(estimator._baseline_prediction).astype(np.float64)
    if type(estimator).__name__.endswith("Regressor"):
        link = "identity" if estimator.loss in _IDENTITY_LOSSES else "exp"
        return _sums(estimator, scaling, members, base, "regressor", link)
    if n_scores > 1:
        return _sums(estimator, scaling, members, base, "classifier", "softmax")
    made = _sums(estimator, scaling, members, base, "classifier", "logistic")
    return replace(made, from_=made.rounding_units + 1)  # 0 is the first class


_IDENTITY_LOSSES = ("squared_error", "absolute_error", "quantile")


def _grow_hist(nodes: Any, grid: Grid) -> Grown:
    leaf = nodes["is_leaf"].astype(bool)
    return grow(
        np.asarray(nodes["feature_idx"], np.int64),
        np.asarray(nodes["num_threshold"], np.float64),
        np.where(leaf, -1, nodes["left"].astype(np.int64)),
        np.where(leaf, -1, nodes["right"].astype(np.int64)),
        np.asarray(nodes["value"], np.float64)[:, np.newaxis],
        grid.last_left,
    )


def _isolation_forest(estimator: Any, scaling: Scaling) -> Program:
    """The mean depth of a row decides; scikit-learn's score is -2^(-depth / half)."""
    grid = Grid(scaling, np.float32)
    members = []
    for member, features in zip(estimator.estimators_, estimator.estimators_features_, strict=True):
        tree = member.tree_
        depth = levels(tree.children_left, tree.children_right) + _path_beyond(tree.n_node_samples)
        feature = np.where(tree.feature >= 0, np.take(features, tree.feature, mode="clip"), -1)
        value = depth[:, np.newaxis] / len(estimator.estimators_)
        members.append(
            (
                grow(
                    feature,
                    tree.threshold,
                    tree.children_left,
                    tree.children_right,
                    value,
                    grid.last_left,
                ),
                0,
            )
        )
    half = float(_path_beyond(np.array([estimator.max_samples_]))[0])
    offset = float(estimator.offset_)
    made = _sums(
        estimator,
        scaling,
        members,
        np.zeros(1),
        "anomaly",
        "isolation",
        gain=half,
        offset=offset,
    )
    shallow = -half * np.log2(-offset) * 2.0**made.shift  # an anomaly is what is less deep
    # Offsets are often the score of a training row, which is normal then.
    level = np.clip(np.ceil(shallow - made.rounding_units), -SCORE_MAX, SCORE_MAX)
    return replace(made, from_=int(level))


def _path_beyond(n_samples: Any) -> Floats:
    """Return the mean depth of an unsuccessful search among so many samples (Liu et al. 2008)."""
    n = np.asarray(n_samples, np.float64)
    several = np.maximum(n, 3)
    mean = 2 * (np.log(several - 1) + np.euler_gamma) - 2 * (several - 1) / several
    return np.where(n <= 1, 0.0, np.where(n == 2, 1.0, mean))


# Weights


def _perceptron(estimator: Any, scaling: Scaling) -> Program:
    layers = [
        Layer(np.asarray(w, np.float64), np.asarray(b, np.float64))
        for w, b in zip(estimator.coefs_, estimator.intercepts_, strict=True)
    ]
    if estimator.out_activation_ == "exp":
        raise _refuse(estimator, "the Poisson loss", "use HistGradientBoostingRegressor for it")
    if estimator.out_activation_ == "identity":
        _one_output(estimator, layers[-1].weights.shape[1])
        return _dense(estimator, scaling, layers, "regressor", "identity")
    if estimator.out_activation_ == "logistic" and layers[-1].weights.shape[1] > 1:
        raise _refuse(estimator, "several labels a row", "train one model a label")
    return _dense(estimator, scaling, layers, "classifier", estimator.out_activation_)


def _dense(estimator: Any, scaling: Scaling, layers: list[Layer], task: Any, link: str) -> Dense:
    centre, gain, offset = scaling.centred()
    first = layers[0]
    folded = Layer(gain[:, np.newaxis] * first.weights, first.biases + offset @ first.weights)
    activation = getattr(estimator, "activation", "identity")
    kind = _kind(type(estimator).__name__)
    return Dense(task, centre, [folded, *layers[1:]], activation, link, kind)


def _logistic_regression(estimator: Any, scaling: Scaling) -> Program:
    coef = np.asarray(estimator.coef_, np.float64)
    layer = Layer(coef.T, np.broadcast_to(estimator.intercept_, len(coef)).astype(np.float64))
    rest = estimator.solver == "liblinear" or getattr(estimator, "multi_class", "") == "ovr"
    link = "logistic" if len(coef) == 1 else "rest" if rest else "softmax"
    return _dense(estimator, scaling, [layer], "classifier", link)


def _linear_regression(estimator: Any, scaling: Scaling) -> Program:
    coef = np.atleast_2d(np.asarray(estimator.coef_, np.float64))
    _one_output(estimator, len(coef))
    intercept = np.broadcast_to(estimator.intercept_, 1).astype(np.float64)
    return _dense(estimator, scaling, [Layer(coef.T, intercept)], "regressor", "identity")


# Distributions and neighbours


def _naive_bayes(estimator: Any, scaling: Scaling) -> Program:
    gain, offset = scaling.affine()
    variance = np.asarray(estimator.var_, np.float64)
    base = np.log(estimator.class_prior_) - 0.5 * np.log(2 * np.pi * variance).sum(axis=1)
    mean = (np.asarray(estimator.theta_, np.float64) - offset) / gain
    factor = np.abs(gain) / np.sqrt(variance)
    return Gaussian(mean, factor, base, "softmax", 0.0, "Gaussian naive Bayes")


def _mixture(estimator: Any, scaling: Scaling, threshold: float | None = None) -> Program:
    if threshold is None:
        raise ConvertError(
            "a GaussianMixture has no threshold of its own",
            "give one: threshold=numpy.quantile(mixture.score_samples(x_normal), 0.01)",
        )
    gain, offset = scaling.affine()
    means = np.asarray(estimator.means_, np.float64)
    k, n = means.shape
    root = np.asarray(estimator.precisions_cholesky_, np.float64)
    if estimator.covariance_type == "full":
        factor = np.stack([_triangle(r.T * gain) for r in root])
        log_det = np.log(np.abs(np.diagonal(root, axis1=1, axis2=2))).sum(axis=1)
    elif estimator.covariance_type == "tied":
        factor = np.stack([_triangle(root.T * gain)] * k)
        log_det = np.full(k, np.log(np.abs(np.diagonal(root))).sum())
    else:
        wide = root if root.ndim == 2 else np.repeat(root[:, np.newaxis], n, axis=1)
        factor, log_det = np.abs(wide * gain), np.log(wide).sum(axis=1)
    base = np.log(estimator.weights_) - 0.5 * n * np.log(2 * np.pi) + log_det
    mean = (means - offset) / gain
    return Gaussian(mean, factor, base, "density", float(threshold), "Gaussian mixture")


def _envelope(estimator: Any, scaling: Scaling) -> Program:
    gain, offset = scaling.affine()
    precision = np.asarray(estimator.get_precision(), np.float64)
    value, vector = np.linalg.eigh((precision + precision.T) / 2)
    root = np.sqrt(np.maximum(value, 0))[:, np.newaxis] * vector.T
    mean = (np.asarray(estimator.location_, np.float64) - offset) / gain
    factor = _triangle(root * gain)
    return Gaussian(
        mean[np.newaxis],
        factor[np.newaxis],
        np.zeros(1),
        "distance",
        float(estimator.offset_),
        "elliptic envelope",
    )


def _triangle(root: Floats) -> Floats:
    """Return the upper triangle that gives the same length to every vector as the square root."""
    return np.asarray(np.triu(np.linalg.qr(root, mode="r")), np.float64)


def _neighbours(estimator: Any, scaling: Scaling) -> Program:
    if estimator.weights not in ("uniform", "distance"):
        raise _refuse(estimator, "weights of its own", "use weights='uniform' or 'distance'")
    if estimator.effective_metric_ != "euclidean":
        raise _refuse(
            estimator, f"the metric {estimator.effective_metric_}", "use the Euclidean one"
        )
    if estimator.n_neighbors > MAX_NEIGHBOURS:
        raise _refuse(
            estimator, f"{estimator.n_neighbors} neighbours", f"use {MAX_NEIGHBOURS} at most"
        )
    fitted = np.asarray(estimator._fit_X, np.float64)  # there is no public way to the rows
    gain, offset = scaling.affine()
    exact = (fitted - offset) / gain
    rows = np.rint(exact)
    if np.any(np.abs(exact - rows) > 1e-4) or np.any((rows < GRID_MIN) | (rows > GRID_MAX)):
        raise ConvertError(
            "the rows that the neighbours remember are not on the grid",
            "train on rows of the grid: wedau.train.grid.quantize(x, scale) * scale",
        )
    target = np.asarray(estimator._y, np.float64)
    is_classifier = hasattr(estimator, "classes_")
    _one_output(estimator, 1 if target.ndim == 1 else target.shape[1])
    return Neighbours(
        "classifier" if is_classifier else "regressor",
        rows.astype(np.int64),
        gain * gain,
        target,
        len(estimator.classes_) if is_classifier else 1,
        int(estimator.n_neighbors),
        estimator.weights == "distance",
    )


_FAMILIES: dict[str, Callable[..., Program]] = {
    "DecisionTreeClassifier": _forest,
    "RandomForestClassifier": _forest,
    "ExtraTreesClassifier": _forest,
    "DecisionTreeRegressor": _forest,
    "RandomForestRegressor": _forest,
    "ExtraTreesRegressor": _forest,
    "GradientBoostingClassifier": _gradient_boosting,
    "GradientBoostingRegressor": _gradient_boosting,
    "HistGradientBoostingClassifier": _hist_gradient_boosting,
    "HistGradientBoostingRegressor": _hist_gradient_boosting,
    "IsolationForest": _isolation_forest,
    "MLPClassifier": _perceptron,
    "MLPRegressor": _perceptron,
    "LogisticRegression": _logistic_regression,
    "LinearRegression": _linear_regression,
    "Ridge": _linear_regression,
    "Lasso": _linear_regression,
    "ElasticNet": _linear_regression,
    "GaussianNB": _naive_bayes,
    "KNeighborsClassifier": _neighbours,
    "KNeighborsRegressor": _neighbours,
    "GaussianMixture": _mixture,
    "EllipticEnvelope": _envelope,
}

_KINDS = {
    "DecisionTreeClassifier": "decision tree",
    "RandomForestClassifier": "random forest",
    "ExtraTreesClassifier": "extra trees",
    "GradientBoostingClassifier": "gradient boosting",
    "HistGradientBoostingClassifier": "histogram gradient boosting",
    "IsolationForest": "isolation forest",
    "MLPClassifier": "multi-layer perceptron",
    "LogisticRegression": "logistic regression",
    "LinearRegression": "linear regression",
    "Ridge": "ridge regression",
    "Lasso": "lasso",
    "ElasticNet": "elastic net",
}


def _kind(name: str) -> str:
    """Return the family's name for people."""
    if name in _KINDS:
        return _KINDS[name]
    return _KINDS[name.replace("Regressor", "Classifier")] + ", regression"
