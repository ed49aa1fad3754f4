"""A regressor's values against the true ones, as the parts of an SVG picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

SIDE = 340
LEFT, TOP, RIGHT, BELOW = 62, 12, 14, 46
MOST_POINTS = 500
_TICKS = 5


@dataclass(frozen=True)
class Tick:
    """A mark on both axes: its place from the left, from the top, and what it says."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Scatter:
    """Places in a picture of `width` x `height`; both axes span the same values."""

    points: Sequence[tuple[float, float]]
    ticks: Sequence[Tick]
    left_out: int
    width: int = LEFT + SIDE + RIGHT
    height: int = TOP + SIDE + BELOW
    left: int = LEFT
    right: int = LEFT + SIDE
    top: int = TOP
    bottom: int = TOP + SIDE


def scatter(points: Sequence[tuple[float, float]]) -> Scatter | None:
    """Return where the points (true, predicted) lie; None if there are none.

    Of very many points it takes evenly spaced ones and says how many are left out.
    """
    if not points:
        return None
    values = [v for point in points for v in point]
    ticks = _ticks(min(values), max(values))
    low, high = ticks[0], ticks[-1]

    def along(value: float) -> float:
        return SIDE * (value - low) / (high - low)

    step = ceil(len(points) / MOST_POINTS)
    shown = points[::step]
    return Scatter(
        points=[(round(LEFT + along(x), 1), round(TOP + SIDE - along(y), 1)) for x, y in shown],
        ticks=[
            Tick(round(LEFT + along(v), 1), round(TOP + SIDE - along(v), 1), f"{v:.6g}")
            for v in ticks
        ],
        left_out=len(points) - len(shown),
    )


def _ticks(low: float, high: float) -> list[float]:
    """Return round values from at or below low to at or above high, in even steps."""
    spread = (high - low) or abs(high) or 1.0
    power = 10.0 ** floor(log10(spread / _TICKS))
    step = next(f * power for f in (1, 2, 5, 10) if f * power * _TICKS >= spread)
    first, last = floor(low / step), ceil(high / step)
    return [number * step for number in range(first, max(last, first + 1) + 1)]
