"""A scaler before an estimator, folded into the grid: what it makes of each grid value."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wedau.errors import ConvertError
from wedau.models.program import GRID_MAX, GRID_MIN, Floats, Ints

SCALERS = ("StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler")


@dataclass(frozen=True)
class Scaling:
    """From a grid value to what the estimator is given.

    Attributes:
        scale: float64, shape (n_features,), data units per LSB.
        steps: fitted scalers of scikit-learn, in their order; may be none.
    """

    scale: Floats
    steps: Sequence[Any]

    @property
    def n_features(self) -> int:
        """Length of a row."""
        return len(self.scale)

    def column(self, feature: int) -> Floats:
        """Return what each grid value becomes in one feature, as scikit-learn computes it.

        Returns:
            float64, shape (65536,), for the grid values -32768 to 32767; never falling.
        """
        values: Floats = np.arange(GRID_MIN, GRID_MAX + 1) * self.scale[feature]
        for step in self.steps:
            values = _apply(step, feature, values)
        return values

    def affine(self) -> tuple[Floats, Floats]:
        """Return gain and offset, float64, shape (n_features,): value = grid * gain + offset."""
        gain, offset = self.scale.copy(), np.zeros(self.n_features)
        for step in self.steps:
            by, plus = _affine(step, self.n_features)
            gain, offset = gain * by, offset * by + plus
        return gain, offset

    def centred(self) -> tuple[Ints, Floats, Floats]:
        """Return centre, gain and offset: value = (grid - centre) * gain + offset.

        The centre, int64 within the grid, is near where the value is 0, so that float32 loses
        nothing to a large offset.
        """
        gain, offset = self.affine()
        centre = np.clip(np.rint(-offset / gain), GRID_MIN, GRID_MAX)
        return centre.astype(np.int64), gain, offset + centre * gain

    def transform(self, rows: Ints) -> Floats:
        """Return what the estimator is given for these rows of the grid."""
        values = rows * self.scale
        for step in self.steps:
            values = step.transform(values)
        result: Floats = np.asarray(values, np.float64)
        return result


def check_step(step: Any) -> None:
    """Raise ConvertError unless the step of a pipeline can be folded."""
    kind = type(step).__name__
    if kind not in SCALERS:
        raise ConvertError(
            f"a {kind} in a pipeline cannot be converted",
            f"use a scaler: {', '.join(SCALERS)}; or do it before, for board and laptop alike",
        )
    if kind == "MinMaxScaler" and step.feature_range[0] >= step.feature_range[1]:
        raise ConvertError("the MinMaxScaler turns values round", "give it a rising range")
    if not hasattr(step, "n_features_in_"):
        raise ConvertError(f"the {kind} has not been fitted", "call the pipeline's fit() first")


def _apply(step: Any, feature: int, x: Floats) -> Floats:
    """Do what step.transform() does to this feature, operation by operation."""
    kind = type(step).__name__
    if kind == "MinMaxScaler":
        x = x * step.scale_[feature] + step.min_[feature]
        return np.clip(x, *step.feature_range) if step.clip else x
    centre = {"StandardScaler": "mean_", "RobustScaler": "center_"}.get(kind)
    centres = getattr(step, centre) if centre else None
    if centres is not None and getattr(step, "with_mean", True):
        x = x - centres[feature]
    return x if step.scale_ is None else x / step.scale_[feature]


def _affine(step: Any, n: int) -> tuple[Floats, Floats]:
    kind = type(step).__name__
    if kind == "MinMaxScaler":
        if step.clip:
            raise ConvertError(
                "a MinMaxScaler with clip=True folds into trees only", "set clip=False"
            )
        return np.asarray(step.scale_, np.float64), np.asarray(step.min_, np.float64)
    by = np.ones(n) if step.scale_ is None else 1 / np.asarray(step.scale_, np.float64)
    centre = {"StandardScaler": "mean_", "RobustScaler": "center_"}.get(kind)
    centres = getattr(step, centre) if centre else None
    if centres is None or not getattr(step, "with_mean", True):
        return by, np.zeros(n)
    return by, -np.asarray(centres, np.float64) * by
