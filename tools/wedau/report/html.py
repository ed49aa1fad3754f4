"""The report as one HTML page that needs no network and no script."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Template

from . import figures, palette, scores, templates, text
from .model import Build, Data, Feature, Report
from .scatter import scatter

TOP_FEATURES = 15
_TALL_HEADS_FROM = 12
_LONG_LABEL = 6
_DENSE_FROM = 20


@dataclass(frozen=True)
class Cell:
    """A cell of the confusion matrix: its count, its CSS class, and what it says in words."""

    count: int
    shade: str
    words: str


@dataclass(frozen=True)
class CostRow:
    """One measured property, with a value for each build."""

    name: str
    explained: str
    values: Sequence[str]


@dataclass(frozen=True)
class Piece:
    """A part of the module's file, with its share of it, 0 to 1."""

    name: str
    value: str
    share: float


def render(report: Report) -> str:
    """Return the report as one self-contained HTML page, the same bytes every time."""
    return _template().render(
        report=report,
        verdict=text.verdict(report),
        thing=text.thing(report),
        unseen=text.accuracy_in_words(report),
        guess=report.confusion and scores.guessing(report.labels, report.confusion),
        replayed=text.replayed_in_words(report),
        compared=text.compared_in_words(report),
        on_board=text.board_has_run(report),
        usage=text.usage(report),
        build=text.first_build(report),
        matrix=_matrix(report),
        scatter=report.regression and scatter(report.regression.points),
        tall_heads=_tall_heads(report.labels),
        dense=len(report.labels) >= _DENSE_FROM,
        mixups=scores.mixups(report.labels, report.confusion) if report.confusion else [],
        features=_by_importance(report.features),
        top_features=TOP_FEATURES,
        costs=_costs(report.builds),
        pieces=_pieces(text.first_build(report)),
        facts=_facts(report.data),
        light=palette.css(palette.LIGHT),
        dark=palette.css(palette.DARK),
    )


@cache
def _template() -> Template:
    environment = templates.environment()
    environment.filters.update(
        count=figures.count,
        value=lambda number: figures.value(number, None),
        size=lambda n: _unbroken(figures.size(n)),
        percent=lambda share: _unbroken(figures.percent(share)),
        width=_width,
    )
    return environment.get_template("report.html")


def _unbroken(figure: str) -> str:
    """Return a figure that stays on one line with its unit."""
    return figure if figure == figures.NOT_MEASURED else figure.replace(" ", "\N{NO-BREAK SPACE}")


def _width(share: float) -> str:
    """Return a share as the width of a bar."""
    return f"{share * 100:.1f}%"


def _tall_heads(labels: Sequence[str]) -> bool:
    """Say whether the matrix's column heads have to be written upwards to fit."""
    return len(labels) > _TALL_HEADS_FROM or max(map(len, labels), default=0) > _LONG_LABEL


def _matrix(report: Report) -> list[tuple[str, list[Cell]]]:
    """Return the confusion matrix's rows as (true label, cells)."""
    if report.confusion is None:
        return []
    labels = report.labels
    rows = []
    for i, counts in enumerate(report.confusion):
        support = sum(counts)
        cells = []
        for j, count in enumerate(counts):
            share = count / support if support else 0.0
            kind = "r" if i == j else "w"
            words = f"{labels[i]} taken for {labels[j]}: {count:,} of {support:,}"
            if i == j:
                words = f"{labels[i]} recognised: {count:,} of {support:,}"
            cells.append(Cell(count, f"{kind}{palette.step(share)}", words))
        rows.append((labels[i], cells))
    return rows


def _by_importance(features: Sequence[Feature]) -> list[Feature]:
    """Return the features, the most important first, those not measured last."""
    return sorted(
        features, key=lambda f: -1.0 if f.importance is None else f.importance, reverse=True
    )


def _of_free(used: int | None, free: int | None) -> str:
    """Return a size and, if it is known, which share of the board's free space it is."""
    if used is None or not free:
        return _unbroken(figures.size(used))
    used_words, free_words = _unbroken(figures.size(used)), _unbroken(figures.size(free))
    return f"{used_words}, {_unbroken(figures.percent(used / free))} of the {free_words} free"


def _costs(builds: Sequence[Build]) -> list[CostRow]:
    """Return the table of what each build costs, one property a row."""

    def row(name: str, explained: str, value: Callable[[Build], str]) -> CostRow:
        return CostRow(name, explained, [value(b) for b in builds])

    def code(value: int | None, build: Build) -> str:
        return "none" if build.is_data else figures.size(value)

    def engine(build: Build) -> str:
        return figures.size(build.engine_bytes) if build.is_data else "none needed"

    rows = [
        row("Ran on", "", lambda b: b.board or text.NOT_RUN),
        row("Compiler", "", lambda b: b.compiler),
        row(
            "Module",
            "the model's files on the board's flash",
            lambda b: _of_free(b.module_bytes, b.board_flash_bytes),
        ),
        row("Engine", "for data files, one for all models", engine),
        row("Machine code", "part of the module", lambda b: code(b.text_bytes, b)),
        row("Constant tables", "part of the module", lambda b: code(b.rodata_bytes, b)),
        row(
            "Heap, import",
            "memory the module keeps once it is imported",
            lambda b: _of_free(b.heap_bytes, b.board_heap_bytes),
        ),
        row(
            "Heap, each call", "memory a decision takes", lambda b: figures.size(b.call_heap_bytes)
        ),
        row("Static RAM", "part of that memory", lambda b: figures.size(b.static_ram_bytes)),
        row("Stack", "the most a decision takes", lambda b: figures.size(b.stack_bytes)),
        row("RAM in all", "both heaps and the stack", lambda b: figures.size(b.ram_bytes)),
        row("Instructions, mean", "a decision", lambda b: figures.count(b.instructions_mean)),
        row(
            "Instructions, range",
            "the fewest and the most a decision took",
            lambda b: figures.spread(b.instructions_min, b.instructions_max),
        ),
        row("Instructions, worst", "for any input", text.worst_in_words),
        row(
            "Instructions, worst, floats",
            "when they have to be quantized first",
            lambda b: figures.count(b.instructions_worst_bound_floats),
        ),
        row("Instructions, import", "once", lambda b: figures.count(b.import_instructions)),
    ]
    return [r for r in rows if r.name != "Engine" or any(b.is_data for b in builds)]


def _pieces(build: Build | None) -> list[Piece]:
    """Return what a module's file is made of; nothing unless all of it is known."""
    if build is None or not build.module_bytes:
        return []
    if build.text_bytes is None or build.rodata_bytes is None:
        return []
    rest = build.module_bytes - build.text_bytes - build.rodata_bytes
    if rest < 0:
        return []
    parts = (
        ("machine code", build.text_bytes),
        ("constant tables", build.rodata_bytes),
        ("names and links", rest),
    )
    return [Piece(name, figures.size(n), n / build.module_bytes) for name, n in parts]


def _facts(data: Data) -> list[tuple[str, str]]:
    """Return what the model was trained on, as (name, value)."""
    facts = [("Source", data.source)]
    if data.window_ms is not None:
        facts += [
            ("Recordings", figures.count(data.recordings)),
            ("Sampled at", figures.number(data.rate_hz, "Hz")),
            ("Windows", figures.count(data.rows)),
            ("Window", figures.number(data.window_ms, "ms")),
            ("Hop", figures.number(data.hop_ms, "ms")),
        ]
    else:
        facts.append(("Rows", figures.count(data.rows)))
    facts.append(("Columns", ", ".join(data.columns) or "not recorded"))
    if data.group_column is None:
        facts.append(("Groups", "no column given"))
    else:
        facts.append(("Grouped by", data.group_column))
        facts.append(("Groups kept aside", ", ".join(data.groups_held_out) or "not recorded"))
    facts.append(("SHA-256", data.sha256 or "not recorded"))
    return facts
