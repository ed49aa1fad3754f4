"""Layers of weights: multi-layer perceptrons, logistic and linear regression."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from wedau.models.program import (
    GRID_MAX,
    GRID_MIN,
    Floats,
    Ints,
    Program,
    Rows,
    Task,
    choice,
    class_indices,
    damaged,
    floats,
    integers,
    logistic,
    softmax,
    two,
)

ACTIVATIONS = ("identity", "relu", "tanh", "logistic")
LINKS = ("identity", "logistic", "softmax", "rest")
MAX_WIDTH = 1024


@dataclass(frozen=True)
class Layer:
    """Weights of one layer.

    Attributes:
        weights: float64, shape (n_inputs, n_outputs).
        biases: float64, shape (n_outputs,).
    """

    weights: Floats
    biases: Floats


@dataclass(frozen=True)
class Dense(Program):
    """Layers, one after the other, on the row less its centre.

    Attributes:
        centre: int64, shape (n_features,): subtracted from the row first, which is exact.
        layers: at least one; scalers are folded into the first.
        activation: between layers.
        link: what turns the last layer into outputs: identity (a regressor's value), logistic (one
            score: that of the second class), softmax, or rest (one against the rest: each class's
            own logistic, over their sum).
        kind: the family's name for people.
    """

    family: ClassVar[str] = "dense"

    task: Task
    centre: Ints
    layers: Sequence[Layer]
    activation: str
    link: str
    kind: str

    @property
    def n_features(self) -> int:  # type: ignore[override]
        """Length of a row."""
        return len(self.centre)

    @property
    def n_outputs(self) -> int:  # type: ignore[override]
        """Numbers that `outputs` gives for a row."""
        return 2 if self.link == "logistic" else len(self.layers[-1].biases)

    @property
    def size(self) -> str:
        """How large it is, in words."""
        widths = [self.n_features, *(len(layer.biases) for layer in self.layers)]
        return f"layers of {' to '.join(map(str, widths))}"

    def scores(self, rows: Rows) -> Floats:
        """Return what the last layer gives, float64, shape (n_rows, n_scores)."""
        x = (rows - self.centre).astype(np.float64)
        for number, layer in enumerate(self.layers):
            x = (_activate(x, self.activation) if number else x) @ layer.weights + layer.biases
        return x

    def outputs(self, rows: Rows) -> Floats:
        """Compute what the module gives; see Program.outputs."""
        scores = self.scores(rows)
        if self.link == "logistic":
            return two(logistic(scores[:, 0]))
        if self.link == "softmax":
            return softmax(scores)
        if self.link == "rest":
            each = logistic(scores)
            return np.asarray(each / each.sum(axis=1, keepdims=True))
        return scores

    def predict(self, rows: Rows) -> Ints | Floats:
        """Decide; see Program.predict."""
        scores = self.scores(rows)
        if self.task == "regressor":
            values: Floats = scores[:, 0]
            return values
        if self.link == "logistic":
            return class_indices(scores[:, 0] > 0)
        return class_indices(np.argmax(scores, axis=1))

    def to_json(self) -> dict[str, Any]:
        """Return the arrays as JSON's types."""
        return {
            "task": self.task,
            "centre": self.centre.tolist(),
            "layers": [
                {"weights": layer.weights.tolist(), "biases": layer.biases.tolist()}
                for layer in self.layers
            ],
            "activation": self.activation,
            "link": self.link,
            "kind": self.kind,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Dense":
        """Read and check what `to_json` gave."""
        centre = integers(data["centre"], "centre", GRID_MIN, GRID_MAX, None)
        width, layers = len(centre), []
        for number, layer in enumerate(data["layers"]):
            weights = floats(layer["weights"], f"layer {number}: weights", width, None)
            width = weights.shape[1]
            layers.append(Layer(weights, floats(layer["biases"], f"layer {number}: biases", width)))
        link = choice(data["link"], "link", LINKS)
        if not layers or (link in ("identity", "logistic")) != (width == 1):
            raise damaged(f"layers: {width} scores do not fit the link {link}")
        task: Any = choice(data["task"], "task", ("classifier", "regressor"))
        activation = choice(data["activation"], "activation", ACTIVATIONS)
        return cls(task, centre, layers, activation, link, str(data["kind"]))


def _activate(x: Floats, activation: str) -> Floats:
    if activation == "relu":
        return np.maximum(x, 0)
    if activation == "tanh":
        return np.tanh(x)
    return logistic(x) if activation == "logistic" else x
