"""The card of a model: what it is and what it was trained on, as ``model.json`` says it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wedau.models import ANOMALY_LABELS, Task
from wedau.train.names import check_model_name
from wedau.train.recipe import Recipe

FORMAT = 1
TASKS: tuple[Task, ...] = ("classifier", "regressor", "anomaly")

Metrics = Mapping[str, Any]


@dataclass(frozen=True)
class DataCard:
    """What a model was trained on.

    Attributes:
        source: name of the file, folder or data set; no path of the machine.
        sha256: hash of the data's values, labels, groups and column names.
        columns: names of the columns or channels that were used.
        rows: number of rows or windows, those held out included.
        recordings: number of recordings; 0 where the data are ready features.
        groups: names of the groups, sorted; empty where there is no group column.
        label: name of the label column.
        group: name of the group column, or an empty string.
    """

    source: str
    sha256: str
    columns: tuple[str, ...]
    rows: int
    recordings: int
    groups: tuple[str, ...]
    label: str
    group: str


@dataclass(frozen=True)
class Card:
    """What a model is.

    Attributes:
        name: Python identifier, the module's name on the board.
        version: text such as ``1.0.0``.
        task: classifier, regressor or anomaly.
        family: the kind that was given to the training, such as ``random-forest``.
        labels: class names in the order of the class index; ``normal`` and ``anomaly`` of an
            anomaly model; none of a regressor.
        target_unit: unit of a regressor's value, empty where not known and for the others.
        features: names of the features in the order of the input.
        units: unit of each feature, ``1`` for a count or ratio, empty where not known.
        scale: float32, shape (n_features,), > 0: units per LSB of the int16 grid.
        recipe: how the features come from a window; None where the data are ready features.
        data: what the model was trained on.
        settings: the training's settings, seed included.
        metrics: how good it is; see `wedau.train.evaluate`.
        importance: mean decrease in impurity of each feature, shape (n_features,), sums to 1;
            None each where the family does not measure it.
        versions: versions of wedau, scikit-learn and numpy.
    """

    name: str
    version: str
    task: Task
    family: str
    labels: tuple[str, ...]
    target_unit: str
    features: tuple[str, ...]
    units: tuple[str, ...]
    scale: NDArray[np.float32]
    recipe: Recipe | None
    data: DataCard
    settings: Mapping[str, Any]
    metrics: Metrics
    importance: tuple[float | None, ...]
    versions: Mapping[str, str]

    @property
    def target(self) -> str:
        """Name of the column that the model predicts."""
        return self.data.label

    def to_json(self) -> dict[str, Any]:
        """Return the card as JSON's types."""
        return {
            "format": FORMAT,
            "name": self.name,
            "version": self.version,
            "task": self.task,
            "family": self.family,
            "labels": list(self.labels),
            "target_unit": self.target_unit,
            "features": [
                {"name": n, "unit": u, "scale": float(s), "importance": i}
                for n, u, s, i in zip(
                    self.features, self.units, self.scale, self.importance, strict=True
                )
            ],
            "recipe": None if self.recipe is None else self.recipe.to_json(),
            "data": {k: list(v) if isinstance(v, tuple) else v for k, v in vars(self.data).items()},
            "settings": dict(self.settings),
            "metrics": dict(self.metrics),
            "versions": dict(self.versions),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Card":
        """Read what `to_json` gave; see also `problem`.

        Raises:
            KeyError, TypeError, ValueError, AttributeError: a field is missing or of another type.
        """
        features = content["features"]
        data = dict(content["data"])
        for name in ("columns", "groups"):
            data[name] = tuple(str(v) for v in data[name])
        recipe = content["recipe"]
        return cls(
            name=str(content["name"]),
            version=str(content["version"]),
            task=content["task"],
            family=str(content["family"]),
            labels=tuple(str(v) for v in content["labels"]),
            target_unit=str(content["target_unit"]),
            features=tuple(str(f["name"]) for f in features),
            units=tuple(str(f["unit"]) for f in features),
            scale=np.array([float(f["scale"]) for f in features], np.float32),
            recipe=None if recipe is None else Recipe.from_json(recipe),
            data=DataCard(**data),
            settings=dict(content["settings"]),
            metrics=dict(content["metrics"]),
            importance=tuple(_importance(f["importance"]) for f in features),
            versions=dict(content["versions"]),
        )

    def problem(self) -> str | None:
        """Return what is not possible about the card, None if nothing.

        Raises:
            DataError: the name is none for a module.
        """
        check_model_name(self.name)
        if self.task not in TASKS:
            return f"task: not one of {', '.join(TASKS)}"
        if self.task == "classifier" and len(set(self.labels)) < max(2, len(self.labels)):
            return "labels: fewer than two, or one twice"
        if self.task != "classifier" and self.labels != _LABELS[self.task]:
            return f"labels: not those of a model of the task {self.task}"
        if len(set(self.features)) < max(1, len(self.features)):
            return "features: none, or one twice"
        if not np.all(np.isfinite(self.scale) & (self.scale > 0)):
            return "a scale is not a number above 0"
        if self.recipe is not None and self.recipe.feature_names != self.features:
            return "the recipe gives other features"
        return None


_LABELS: Mapping[str, tuple[str, ...]] = {"regressor": (), "anomaly": ANOMALY_LABELS}


def _importance(value: Any) -> float | None:
    return None if value is None else float(value)
