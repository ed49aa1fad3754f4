"""Models of what is normal, with a threshold that follows from a share of false alarms."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import IsolationForest
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GroupKFold, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from wedau.errors import DataError
from wedau.models.program import Floats
from wedau.train.settings import TrainSettings

FOLDS = 5
JITTER = 0.1
"""Noise on the rows of an elliptic envelope, in standard deviations of the feature: without it,
features that depend on each other would make the covariance impossible to invert."""

_MAX_ENVELOPE = 200
_MANY = 500  # the envelope's way with more rows takes minutes
_REG_COVAR = 1e-3


@dataclass(frozen=True)
class Detector:
    """A fitted model of what is normal.

    Attributes:
        estimator: scikit-learn's, or a Pipeline of a scaler and it; inputs in the data's units.
        threshold: of `score_samples`: an anomaly is what is below.
    """

    estimator: Any
    threshold: float

    @property
    def mixture_threshold(self) -> float | None:
        """The threshold, if the estimator has no place of its own for it."""
        return self.threshold if isinstance(_last(self.estimator), GaussianMixture) else None

    def decision_function(self, x: Floats) -> Floats:
        """Return what scikit-learn says, below 0 for an anomaly; float64, shape (n_rows,)."""
        if self.mixture_threshold is None:
            return np.asarray(self.estimator.decision_function(x), np.float64)
        return np.asarray(self.estimator.score_samples(x), np.float64) - self.threshold


def fit(x: Floats, parts: NDArray[np.str_], settings: TrainSettings) -> Detector:
    """Fit on normal rows; choose the threshold by rows that a fit has not seen.

    Args:
        x: float64, shape (n_rows, n_features), in the data's units, all normal.
        parts: shape (n_rows,), str: what must not be split; see Dataset.
        settings: model, trees, leaves, components, rows, false_alarms and seed are used.

    Raises:
        DataError: there are too few rows, or too many features, for the kind.
    """
    make = _MAKERS[settings.model]
    scores = np.concatenate(
        [make(x[seen], settings).score_samples(x[aside]) for seen, aside in _inner(parts, settings)]
    )
    estimator, threshold = make(x, settings), quantile(scores, settings.option("false_alarms"))
    last = _last(estimator)
    if not isinstance(last, GaussianMixture):
        last.offset_ = threshold
    return Detector(estimator, threshold)


def quantile(scores: Floats, share: float) -> float:
    """Return a threshold with this share of the scores below it, rounded down.

    It lies midway between two scores, so that none is on it; below all of them where the share of
    them is less than one.
    """
    ordered = np.unique(scores)
    below = np.sort(scores)[int(share * len(scores))]
    at = int(np.searchsorted(ordered, below))
    if at == 0:
        return float(ordered[0] - 1e-6 * max(1.0, abs(ordered[0])))
    return float((ordered[at - 1] + ordered[at]) / 2)


def _inner(
    parts: NDArray[np.str_], settings: TrainSettings
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return rows to fit on and rows to set aside, each row aside once."""
    n_parts = len(set(parts.tolist()))
    if n_parts >= 2:
        return list(GroupKFold(min(FOLDS, n_parts)).split(parts, groups=parts))
    n = min(FOLDS, len(parts))
    return list(KFold(n, shuffle=True, random_state=settings.seed).split(parts))


def _last(estimator: Any) -> Any:
    return estimator[-1] if hasattr(estimator, "steps") else estimator


def _mixture(x: Floats, settings: TrainSettings) -> Any:
    components = settings.option("components")
    if components > len(x):
        raise DataError(
            f"there are {len(x)} normal rows to learn from, fewer than {components} components",
            "give --components a smaller number, or add normal rows",
        )
    mixture = GaussianMixture(
        components, covariance_type="diag", reg_covar=_REG_COVAR, random_state=settings.seed
    )
    return make_pipeline(StandardScaler(), mixture).fit(x)


def _envelope(x: Floats, settings: TrainSettings) -> Any:
    n, n_features = x.shape
    if n_features > _MAX_ENVELOPE:
        raise DataError(
            f"an elliptic-envelope takes {_MAX_ENVELOPE} features at most, not {n_features}",
            "leave features out with --ignore, or train a gaussian-mixture or isolation-forest",
        )
    random = np.random.RandomState(settings.seed)
    scaler = StandardScaler().fit(x)
    kept = np.sort(random.permutation(n)[: settings.option("rows")])
    copies = max(1, min(4 * n_features // len(kept) + 1, _MANY // len(kept)))
    rows = np.tile(scaler.transform(x[kept]), (copies, 1))
    rows += random.normal(0, JITTER, rows.shape)
    envelope = EllipticEnvelope(support_fraction=0.9, random_state=settings.seed)
    return make_pipeline(scaler, envelope.fit(rows))


def _isolation(x: Floats, settings: TrainSettings) -> Any:
    return IsolationForest(
        n_estimators=settings.option("trees"),
        max_samples=min(settings.option("leaves"), len(x)),
        random_state=settings.seed,
    ).fit(x)


_MAKERS: dict[str, Callable[[Floats, TrainSettings], Any]] = {
    "gaussian-mixture": _mixture,
    "elliptic-envelope": _envelope,
    "isolation-forest": _isolation,
}
