"""The kinds of models that can be trained: what each is for, and the options it takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wedau.errors import UsageError
from wedau.models import Task
from wedau.train.names import nearest

OPTIONS: Mapping[str, str] = {
    "trees": "--trees",
    "depth": "--depth",
    "leaves": "--leaves",
    "learning_rate": "--learning-rate",
    "hidden": "--hidden",
    "neighbors": "--neighbors",
    "rows": "--rows",
    "components": "--components",
    "normal": "--normal",
    "false_alarms": "--false-alarms",
}
"""Settings that only some kinds take, and how the command line spells them."""


@dataclass(frozen=True)
class Kind:
    """A kind of model.

    Attributes:
        task: what it is for.
        defaults: the options that it takes, and their values where none is given.
    """

    task: Task
    defaults: Mapping[str, Any]


_TREE = {"depth": 8, "leaves": 40}
_FOREST = {"trees": 50, **_TREE}
_BOOSTING = {"trees": 30, "depth": 3, "leaves": 8, "learning_rate": 0.2}
_PERCEPTRON = {"hidden": (32,), "learning_rate": 0.001}
_NEIGHBORS = {"neighbors": 5, "rows": 256}
_ANOMALY = {"normal": (), "false_alarms": 0.01}

KINDS: Mapping[str, Kind] = {
    "random-forest": Kind("classifier", _FOREST),
    "decision-tree": Kind("classifier", _TREE),
    "extra-trees": Kind("classifier", _FOREST),
    "gradient-boosting": Kind("classifier", _BOOSTING),
    "hist-gradient-boosting": Kind("classifier", _BOOSTING),
    "mlp": Kind("classifier", _PERCEPTRON),
    "naive-bayes": Kind("classifier", {}),
    "knn": Kind("classifier", _NEIGHBORS),
    "logistic": Kind("classifier", {}),
    "random-forest-regressor": Kind("regressor", _FOREST),
    "decision-tree-regressor": Kind("regressor", _TREE),
    "extra-trees-regressor": Kind("regressor", _FOREST),
    "gradient-boosting-regressor": Kind("regressor", _BOOSTING),
    "hist-gradient-boosting-regressor": Kind("regressor", _BOOSTING),
    "mlp-regressor": Kind("regressor", _PERCEPTRON),
    "knn-regressor": Kind("regressor", _NEIGHBORS),
    "linear": Kind("regressor", {}),
    "gaussian-mixture": Kind("anomaly", {**_ANOMALY, "components": 4}),
    "elliptic-envelope": Kind("anomaly", {**_ANOMALY, "rows": 500}),
    "isolation-forest": Kind("anomaly", {**_ANOMALY, "trees": 25, "leaves": 64}),
}


def find(name: str) -> Kind:
    """Return the kind of this name.

    Raises:
        UsageError: there is none; lists them, and names the nearest.
    """
    if name in KINDS:
        return KINDS[name]
    near = nearest(name.replace("_", "-"), list(KINDS))
    raise UsageError(
        f"there is no kind of model {name!r}; the kinds are {', '.join(KINDS)}",
        f"did you mean --model {near}?" if near else "choose one of these with --model",
    )


def check_options(name: str, given: Mapping[str, Any]) -> None:
    """Raise UsageError if an option is given that the kind does not take.

    Args:
        name: of the kind.
        given: the settings of `OPTIONS`; None or empty where they are not given.
    """
    takes = find(name).defaults
    for setting, value in given.items():
        if value not in (None, ()) and setting not in takes:
            taken = ", ".join(OPTIONS[option] for option in takes) or "--seed only"
            raise UsageError(
                f"{OPTIONS[setting]} does not apply to --model {name}",
                f"leave it out; {name} takes {taken}",
            )
