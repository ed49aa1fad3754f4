"""How good a model is where no class is right or wrong: regressors and anomaly models."""

from collections.abc import Sequence
from dataclasses import dataclass

from . import figures


@dataclass(frozen=True)
class Regression:
    """How near a regressor's values are, on rows it never saw.

    Args:
        target: name of what it predicts.
        unit: its unit; None: not known.
        r2: share of the variance that it explains, 1 at best, below 0 where the mean would do
            better; None where all true values are the same.
        mean_absolute_error: in units of the target.
        low: the lowest true value.
        high: the highest true value.
        points: (true, predicted) of the held-out rows.
    """

    target: str
    unit: str | None
    r2: float | None
    mean_absolute_error: float
    low: float
    high: float
    points: Sequence[tuple[float, float]] = ()

    @property
    def error(self) -> str:
        """The mean absolute error with its unit: "44.27 mm"."""
        return figures.value(self.mean_absolute_error, self.unit)

    @property
    def span(self) -> str:
        """The range of the true values: "25 to 346 mm"."""
        return f"{self.low:.4g} to {figures.value(self.high, self.unit)}"

    @property
    def explained(self) -> str:
        """R2 as people read it: "0.498"."""
        return "undefined" if self.r2 is None else f"{self.r2:.3f}"

    @property
    def is_useful(self) -> bool:
        """Whether it is better than always answering the mean."""
        return self.r2 is not None and self.r2 > 0


@dataclass(frozen=True)
class Alarms:
    """How often an anomaly model raises the alarm, on rows it never saw.

    Args:
        false_alarm_rate: share of normal rows that it calls an anomaly, 0 to 1.
        detection_rate: share of anomalies that it finds, 0 to 1; None: there were none.
    """

    false_alarm_rate: float
    detection_rate: float | None

    @property
    def is_useful(self) -> bool:
        """Whether it calls anomalies one more often than it does normal rows."""
        return self.detection_rate is not None and self.detection_rate > self.false_alarm_rate
