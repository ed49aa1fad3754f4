"""What a training is told."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from wedau.errors import DataError, UsageError
from wedau.models import Task
from wedau.train import kinds
from wedau.train.names import check_model_name

TIME_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}


@dataclass(frozen=True)
class TrainSettings:
    """Settings of `wedau train`; everything has a default but the data.

    Attributes:
        data: a CSV or Parquet file, or a folder of recordings; None if the data are given as an
            object.
        label: name of the label column.
        group: name of the column that says whose data a row is (a person, a machine), or None.
        recording: name of the column that says which recording a sample belongs to, or None.
        time: name of the column with the time of each sample, or None.
        time_unit: unit of that column: s, ms or us.
        rate_hz: samples a second where there is no time column, or None.
        window_ms: length of a window; used for recordings only.
        hop_ms: from one window's start to the next one's; None for half a window.
        recipe: what to compute from each window, as `wedau.train.plan` describes; its window_ms
            and hop_ms come before those above; None for the standard recipe.
        ignore: names of columns to leave out.
        units: unit of each channel or feature by column name.
        model: the kind of model; see `wedau.train.kinds`. Of the next ten, None (or none) is its
            default, and those that it does not take are refused.
        trees: number of trees, of boosting the number of stages, 1 to 1000.
        depth: most decisions from a root to a leaf, 1 to 32.
        leaves: most leaves of a tree, from 2 on; of an isolation forest the rows that a tree is
            grown on.
        learning_rate: of boosting and perceptrons, above 0 to 1.
        hidden: widths of a perceptron's hidden layers, 1 to 3 of 1 to 256 each.
        neighbors: how many neighbours count, 1 to 32.
        rows: most training rows that are kept by nearest neighbours, or used by an elliptic
            envelope, 2 to 10,000.
        components: distributions of a mixture, 1 to 64.
        normal: labels that are normal for an anomaly model; none: all rows are.
        false_alarms: share of normal rows that an anomaly model may call an anomaly, 0.0001 to 0.5.
        unknown: share of rows of the known classes that a classifier may call unknown, 0.0001 to
            0.5; None: it never says so.
        seed: 0 to 2^32-1; the same seed and data give the same model.
        name: the module's name on the board.
        version: the model's version.
    """

    data: Path | None = None
    label: str = "label"
    group: str | None = None
    recording: str | None = None
    time: str | None = None
    time_unit: str = "ms"
    rate_hz: float | None = None
    window_ms: float = 6000.0
    hop_ms: float | None = None
    recipe: Mapping[str, Any] | None = None
    ignore: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    model: str = "random-forest"
    trees: int | None = None
    depth: int | None = None
    leaves: int | None = None
    learning_rate: float | None = None
    hidden: tuple[int, ...] | None = None
    neighbors: int | None = None
    rows: int | None = None
    components: int | None = None
    normal: tuple[str, ...] = ()
    false_alarms: float | None = None
    unknown: float | None = None
    seed: int = 0
    name: str = "model"
    version: str = "1.0.0"

    @property
    def task(self) -> Task:
        """What the kind of model is for."""
        return kinds.find(self.model).task

    def option(self, name: str) -> Any:
        """Return an option that the kind takes, or its default; None if it does not take it."""
        given = getattr(self, name)
        return given if given not in (None, ()) else kinds.find(self.model).defaults.get(name)

    def check(self) -> None:
        """Raise unless every setting is possible.

        Raises:
            DataError: a setting is out of its range.
            UsageError: there is no such kind of model, or it does not take a setting.
        """
        kinds.check_options(self.model, {name: getattr(self, name) for name in kinds.OPTIONS})
        check_model_name(self.name)
        _check_version(self.version)
        if self.unknown is not None and self.task != "classifier":
            raise UsageError(
                f"--unknown is for classifiers, and {self.model} is none",
                "leave it out, or choose another kind with --model",
            )
        if self.time_unit not in TIME_UNITS:
            raise DataError(
                f"the time unit {self.time_unit!r} is not known",
                f"use one of {', '.join(TIME_UNITS)}",
            )
        widths = self.hidden or (1,)
        for what, value, low, high in (
            ("the number of trees", self.trees, 1, 1000),
            ("the depth", self.depth, 1, 32),
            ("the number of leaves", self.leaves, 2, 10_000),
            ("the learning rate", self.learning_rate, 1e-6, 1),
            ("the number of hidden layers", len(widths), 1, 3),
            ("the widest hidden layer", max(widths), 1, 256),
            ("the narrowest hidden layer", min(widths), 1, 256),
            ("the number of neighbours", self.neighbors, 1, 32),
            ("the number of rows", self.rows, 2, 10_000),
            ("the number of components", self.components, 1, 64),
            ("the share of false alarms", self.false_alarms, 1e-4, 0.5),
            ("the share of unknown", self.unknown, 1e-4, 0.5),
            ("the seed", self.seed, 0, 2**32 - 1),
            ("the window in ms", self.window_ms, 0.001, 10**9),
            ("the hop in ms", self.hop_ms, 0.001, 10**9),
            ("the rate in Hz", self.rate_hz, 0.001, 10**9),
        ):
            if value is not None and not low <= value <= high:
                raise DataError(
                    f"{what} is {value}, not within {low} to {high}",
                    "give another value, or leave the option out for the default",
                )

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON's types, without the path of the data."""
        data = asdict(self)
        del data["data"], data["name"], data["version"]
        for name in ("recipe", "unknown"):
            if data[name] is None:
                del data[name]
        for name in kinds.OPTIONS:
            data[name] = self.option(name)
            if data[name] is None:
                del data[name]
        return {k: list(v) if isinstance(v, tuple) else v for k, v in data.items()}


def _check_version(version: str) -> None:
    allowed = version.isascii() and version.isprintable() and '"' not in version
    if not (allowed and "\\" not in version and 0 < len(version) <= 32):
        raise DataError(
            f"the version {version!r} is not possible",
            "use up to 32 letters, digits and dots, such as --model-version 1.0.0",
        )
