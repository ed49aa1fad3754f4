"""Normal distributions: naive Bayes, Gaussian mixtures, elliptic envelopes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from wedau.models.program import (
    Floats,
    Ints,
    Program,
    Rows,
    Task,
    choice,
    class_indices,
    damaged,
    floats,
    number,
    softmax,
)

LINKS = ("softmax", "density", "distance")


@dataclass(frozen=True)
class Gaussian(Program):
    """Scores of normal distributions, in units of the grid.

    score_k = base_k - |factor_k (x - mean_k)|^2 / 2

    Attributes:
        mean: float64, shape (n_scores, n_features).
        factor: float64, the square root of the precision: shape (n_scores, n_features) where the
            features are independent, else (n_scores, n_features, n_features), upper triangular.
        base: float64, shape (n_scores,).
        link: what turns scores into outputs: softmax (probabilities of classes), density (the log
            of the sum of the scores' exponentials, less the threshold) or distance (the score
            doubled, which is minus a squared Mahalanobis distance, less the threshold).
        threshold: with density and distance a value below it is an anomaly; else 0.
        kind: the family's name for people.
    """

    family: ClassVar[str] = "gaussian"

    mean: Floats
    factor: Floats
    base: Floats
    link: str
    threshold: float
    kind: str

    @property
    def task(self) -> Task:  # type: ignore[override]
        """A classifier or an anomaly model."""
        return "classifier" if self.link == "softmax" else "anomaly"

    @property
    def n_features(self) -> int:  # type: ignore[override]
        """Length of a row."""
        return int(self.mean.shape[1])

    @property
    def n_outputs(self) -> int:  # type: ignore[override]
        """Numbers that `outputs` gives for a row."""
        return len(self.base) if self.link == "softmax" else 1

    @property
    def is_diagonal(self) -> bool:
        """Whether the features are independent."""
        return self.factor.ndim == 2

    @property
    def size(self) -> str:
        """How large it is, in words."""
        what = "independent" if self.is_diagonal else "correlated"
        return f"{len(self.base)} distributions of {self.n_features} {what} features"

    def scores(self, rows: Rows) -> Floats:
        """Return the scores, float64, shape (n_rows, n_scores)."""
        scores = np.empty((len(rows), len(self.base)))
        for k, (mean, factor) in enumerate(zip(self.mean, self.factor, strict=True)):
            away = rows - mean
            parts = away * factor if self.is_diagonal else away @ factor.T
            scores[:, k] = self.base[k] - 0.5 * np.sum(parts * parts, axis=1)
        return scores

    def outputs(self, rows: Rows) -> Floats:
        """Compute what the module gives; see Program.outputs."""
        scores = self.scores(rows)
        if self.link == "softmax":
            return softmax(scores)
        if self.link == "distance":
            return 2 * scores - self.threshold
        top = scores.max(axis=1, keepdims=True)
        density = top + np.log(np.exp(scores - top).sum(axis=1, keepdims=True))
        return np.asarray(density - self.threshold)

    def predict(self, rows: Rows) -> Ints:
        """Decide; see Program.predict."""
        if self.link == "softmax":
            return class_indices(np.argmax(self.scores(rows), axis=1))
        return class_indices(self.outputs(rows)[:, 0] < 0)

    def to_json(self) -> dict[str, Any]:
        """Return the arrays as JSON's types."""
        return {
            "mean": self.mean.tolist(),
            "factor": self.factor.tolist(),
            "base": self.base.tolist(),
            "link": self.link,
            "threshold": self.threshold,
            "kind": self.kind,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Gaussian":
        """Read and check what `to_json` gave."""
        mean = floats(data["mean"], "mean", None, None)
        k, n = mean.shape
        try:
            triangles = np.ndim(data["factor"]) == 3
        except ValueError as error:
            raise damaged("factor is not an array of numbers") from error
        shape = (k, n, n) if triangles else (k, n)
        factor = floats(data["factor"], "factor", *shape)
        if triangles and np.any(np.tril(factor, -1)):
            raise damaged("factor is not upper triangular")
        link = choice(data["link"], "link", LINKS)
        if link == "distance" and k != 1:
            raise damaged("mean: a distance has one distribution")
        base = floats(data["base"], "base", k)
        return cls(
            mean, factor, base, link, number(data["threshold"], "threshold"), str(data["kind"])
        )
