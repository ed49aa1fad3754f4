"""A search for a model within limits: as JSON, and as one HTML page with two plots."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from . import figures

FORMAT = 1
WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 64, 20, 24, 52
KINDS_TOLD_APART = 7
_LABELLED = 12


@dataclass(frozen=True)
class Point:
    """A trial.

    Attributes:
        number: of the trial; 0 is what `wedau train` does by default.
        model: kind of model.
        options: its options.
        window_ms: length of a window; None where features are ready.
        parts: what is computed from a window, or the features that are used.
        n_features: length of a row.
        accuracy: cross-validated, on groups it never saw; None if it cannot be trained.
        instructions_estimated: of any prediction, estimated before it was built.
        flash_bytes_estimated: the same for the module's file.
        instructions: the bound that was found by building and measuring; None where it was not
            built, or there is no such bound.
        flash_bytes: of the file that was built; None where it was not.
        instructions_mean: a prediction's mean on the simulated board; None where it did not run.
        refused: why it was not chosen although it was built, or why it cannot be trained.
    """

    number: int
    model: str
    options: Mapping[str, Any]
    window_ms: float | None
    parts: Sequence[str]
    n_features: int
    accuracy: float | None = None
    instructions_estimated: int | None = None
    flash_bytes_estimated: int | None = None
    instructions: int | None = None
    flash_bytes: int | None = None
    instructions_mean: float | None = None
    refused: str | None = None

    @property
    def instructions_best_known(self) -> int | None:
        """As measured, else as estimated."""
        return self.instructions_estimated if self.instructions is None else self.instructions

    @property
    def flash_bytes_best_known(self) -> int | None:
        """As built, else as estimated."""
        return self.flash_bytes_estimated if self.flash_bytes is None else self.flash_bytes

    @property
    def words(self) -> str:
        """What was trained: "random-forest, depth 8, trees 20"."""
        return ", ".join([self.model, *(_option(*each) for each in self.options.items())])


@dataclass(frozen=True)
class Judgement:
    """What the rows say that were set aside before the search began.

    Attributes:
        rows: how many there are.
        groups: whose they are; empty where there are no groups.
        chosen: share of them that the chosen model gets right.
        default: share that trial 0 gets right, trained on the same rows.
    """

    rows: int
    groups: Sequence[str]
    chosen: float
    default: float | None


@dataclass(frozen=True)
class Tuning:
    """A whole search.

    Attributes:
        name: of the model.
        wedau_version: that searched.
        source: name of the data.
        apart: what the cross-validation kept apart: group, recording or row.
        seed: of the search.
        format: native or data.
        budget_instructions: the most that a prediction may take; None: any.
        budget_flash: the most bytes that the model may take; None: any.
        points: the trials by number.
        chosen: number of the one whose model was written.
        judgement: by rows that the search never looked at.
        notes: sentences for people.
    """

    name: str
    wedau_version: str
    source: str
    apart: str
    seed: int
    format: str
    budget_instructions: int | None
    budget_flash: int | None
    points: Sequence[Point]
    chosen: int
    judgement: Judgement
    notes: Sequence[str] = field(default_factory=list)

    @property
    def winner(self) -> Point:
        """The trial whose model was written."""
        return self.points[self.chosen]

    def error(self, known: str) -> float | None:
        """Return how far the estimates were off at most, relative to what was measured.

        Args:
            known: ``instructions`` or ``flash_bytes``.

        Returns:
            A share; None if nothing was measured.
        """
        pairs = [(getattr(p, f"{known}_estimated"), getattr(p, known)) for p in self.points]
        off = [abs(guess - value) / value for guess, value in pairs if guess and value]
        return max(off, default=None)

    def to_dict(self) -> dict[str, Any]:
        """Return the search as JSON's types."""
        data = asdict(self)
        data["estimate_off_at_most"] = {
            known: self.error(known) for known in ("instructions", "flash_bytes")
        }
        data["front"] = {
            "instructions": [p.number for p in front(self.points, _instructions)],
            "flash_bytes": [p.number for p in front(self.points, _flash)],
        }
        return {"format_version": FORMAT, **data}

    def to_json(self) -> str:
        """Return the search as one JSON document, the same bytes every time."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


Cost = Callable[[Point], int | None]


def _instructions(point: Point) -> int | None:
    return point.instructions_best_known


def _flash(point: Point) -> int | None:
    return point.flash_bytes_best_known


def front(points: Sequence[Point], cost: Cost) -> list[Point]:
    """Return the points that no cheaper one is as accurate as, the cheapest first."""
    found: list[Point] = []
    for point in sorted(_trained(points), key=lambda p: (cost(p) or 0, -(p.accuracy or 0))):
        if not found or (point.accuracy or 0) > (found[-1].accuracy or 0):
            found.append(point)
    return found


def _trained(points: Sequence[Point]) -> list[Point]:
    return [p for p in points if p.accuracy is not None and p.instructions_best_known is not None]


def _option(name: str, value: Any) -> str:
    shown = "-".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return f"{name.replace('_', ' ')} {shown}"


# The plots


@dataclass(frozen=True)
class Mark:
    """A trial in a plot: where, what it looks like, and what it says when it is pointed at."""

    x: float
    y: float
    shade: str
    words: str
    is_measured: bool
    is_over: bool


@dataclass(frozen=True)
class Plot:
    """Accuracy against one cost, in the coordinates of the drawing."""

    id: str
    title: str
    axis: str
    marks: Sequence[Mark]
    front: str
    budget_x: float | None
    budget_words: str
    chosen: Mark
    default: Mark | None
    x_ticks: Sequence[tuple[float, str]]
    y_ticks: Sequence[tuple[float, str]]


def render(tuning: Tuning) -> str:
    """Return the search as one self-contained HTML page, the same bytes every time."""
    kinds = sorted({p.model for p in tuning.points})
    return _template().render(
        tuning=tuning,
        winner=tuning.winner,
        plots=_plots(tuning, kinds),
        kinds=[(kind, _shade(kinds.index(kind))) for kind in kinds],
        rows=_table(tuning),
        failed=[p for p in tuning.points if p.accuracy is None],
        off={known: tuning.error(known) for known in ("instructions", "flash_bytes")},
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=WIDTH - RIGHT,
        top=TOP,
        bottom=HEIGHT - BOTTOM,
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("wedau.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(count=figures.count, size=figures.size, percent=figures.percent)
    return environment.get_template("tuning.html")


def _plots(tuning: Tuning, kinds: Sequence[str]) -> list[Plot]:
    most = "measured where filled, else estimated"
    return [
        _plot(
            tuning,
            kinds,
            ("instructions", "Accuracy and instructions"),
            f"instructions of any prediction at most ({most})",
            _instructions,
            tuning.budget_instructions,
            lambda value: f"{value:,}",
        ),
        _plot(
            tuning,
            kinds,
            ("flash", "Accuracy and size"),
            f"bytes of flash ({most})",
            _flash,
            tuning.budget_flash,
            figures.size,
        ),
    ]


def _plot(
    tuning: Tuning,
    kinds: Sequence[str],
    names: tuple[str, str],
    axis: str,
    cost: Cost,
    budget: int | None,
    words: Callable[[int], str],
) -> Plot:
    points = _trained(tuning.points)
    costs = [cost(p) or 1 for p in points] + ([budget] if budget else [])
    x = _Log(min(costs) / 1.15, max(costs) * 1.15)
    y = _Share(min(p.accuracy or 0 for p in points), max(p.accuracy or 0 for p in points))

    def mark(p: Point) -> Mark:
        value = cost(p) or 1
        known = p.instructions if cost is _instructions else p.flash_bytes
        how = "measured" if known is not None else "estimated"
        says = f"trial {p.number}: {p.words}; {figures.percent(p.accuracy)}, {words(value)} {how}"
        over = budget is not None and value > budget
        shade = _shade(kinds.index(p.model))
        return Mark(x.at(value), y.at(p.accuracy or 0), shade, says, known is not None, over)

    default = tuning.points[0]
    return Plot(
        id=names[0],
        title=names[1],
        axis=axis,
        marks=[mark(p) for p in points],
        front=_steps([mark(p) for p in front(points, cost)]),
        budget_x=None if budget is None else x.at(budget),
        budget_words="" if budget is None else f"budget {words(budget)}",
        chosen=mark(tuning.winner),
        default=mark(default) if default in points and default != tuning.winner else None,
        x_ticks=[(x.at(v), words(v)) for v in x.ticks()],
        y_ticks=[(y.at(v), figures.percent(v)) for v in y.ticks()],
    )


@dataclass(frozen=True)
class _Log:
    """A logarithmic axis to the right."""

    low: float
    high: float

    def at(self, value: float) -> float:
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def ticks(self) -> list[int]:
        decades = range(int(math.log10(self.low)), int(math.log10(self.high)) + 1)
        steps = (1, 2, 5) if self.high / self.low < 300 else (1,)
        every = [step * 10**decade for decade in decades for step in steps]
        return [value for value in every if self.low <= value <= self.high]


class _Share:
    """An axis of shares upwards, from a round one to a round one."""

    def __init__(self, low: float, high: float) -> None:
        spans = (0.005, 0.01, 0.02, 0.05, 0.1)
        self.step = next((s for s in spans if (high - low) / s <= 7), 0.2)
        self.low = math.floor(low / self.step) * self.step
        self.high = min(1.0, math.ceil(high / self.step) * self.step)
        if self.high <= self.low:
            self.low = self.high - self.step

    def at(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)

    def ticks(self) -> list[float]:
        count = round((self.high - self.low) / self.step)
        return [round(self.low + i * self.step, 4) for i in range(count + 1)]


def _steps(marks: Sequence[Mark]) -> str:
    """Return a path that is at each cost as high as the best that is no dearer."""
    if not marks:
        return ""
    first, *others = marks
    ways = "".join(f"H{m.x}V{m.y}" for m in others)
    return f"M{first.x} {HEIGHT - BOTTOM}V{first.y}{ways}H{WIDTH - RIGHT}"


def _shade(number: int) -> str:
    return f"k{number % KINDS_TOLD_APART}"


@dataclass(frozen=True)
class Row:
    """A trial in the table."""

    point: Point
    what: str
    accuracy: str
    instructions: str
    flash: str
    said: str


def _table(tuning: Tuning) -> list[Row]:
    """Return the trials that matter: built ones, those on a front, and the default."""
    fronts = [*front(tuning.points, _instructions), *front(tuning.points, _flash)]
    shown = {p.number for p in fronts if _within(tuning, p)}
    shown |= {p.number for p in tuning.points if p.flash_bytes is not None} | {0, tuning.chosen}
    points = [p for p in _trained(tuning.points) if p.number in shown]
    return [_row(tuning, p) for p in sorted(points, key=lambda p: -(p.accuracy or 0))]


def _within(tuning: Tuning, point: Point) -> bool:
    limits = (tuning.budget_instructions, tuning.budget_flash)
    known = (point.instructions_best_known, point.flash_bytes_best_known)
    return all(a is None or (b or 0) <= a for a, b in zip(limits, known, strict=True))


def _row(tuning: Tuning, point: Point) -> Row:
    window = "" if point.window_ms is None else f", windows of {point.window_ms:g} ms"
    over = "" if _within(tuning, point) else "over the budget"
    said = "chosen" if point.number == tuning.chosen else point.refused or over
    if point.number == 0 and tuning.chosen != 0:
        said = f"the default; {said}".removesuffix("; ")
    return Row(
        point=point,
        what=f"{point.words}, {point.n_features} features{window}",
        accuracy=figures.percent(point.accuracy),
        instructions=_known(point.instructions, point.instructions_estimated, figures.count),
        flash=_known(point.flash_bytes, point.flash_bytes_estimated, figures.size),
        said=said,
    )


def _known(value: int | None, estimated: int | None, words: Callable[[int | None], str]) -> str:
    return words(value) if value is not None else f"about {words(estimated)}"
