"""What a training is told."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from wedau.errors import DataError
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
        ignore: names of columns to leave out.
        units: unit of each channel or feature by column name.
        trees: number of trees, 1 to 1000.
        depth: most decisions from a root to a leaf, 1 to 32.
        leaves: most leaves of a tree, from 2 on.
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
    ignore: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    trees: int = 50
    depth: int = 8
    leaves: int = 40
    seed: int = 0
    name: str = "model"
    version: str = "1.0.0"

    def check(self) -> None:
        """Raise DataError unless every setting is possible."""
        check_model_name(self.name)
        _check_version(self.version)
        if self.time_unit not in TIME_UNITS:
            raise DataError(
                f"the time unit {self.time_unit!r} is not known",
                f"use one of {', '.join(TIME_UNITS)}",
            )
        for what, value, low, high in (
            ("the number of trees", self.trees, 1, 1000),
            ("the depth", self.depth, 1, 32),
            ("the number of leaves", self.leaves, 2, 10_000),
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
        data["ignore"] = list(self.ignore)
        data["units"] = dict(self.units)
        return data


def _check_version(version: str) -> None:
    allowed = version.isascii() and version.isprintable() and '"' not in version
    if not (allowed and "\\" not in version and 0 < len(version) <= 32):
        raise DataError(
            f"the version {version!r} is not possible",
            "use up to 32 letters, digits and dots, such as --model-version 1.0.0",
        )
