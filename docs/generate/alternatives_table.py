"""The tables of alternatives, and their plots, from the command that measures them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import figures

from wedau.cli.measuring_alternatives import Row, measure

TEXT = """\
# Alternatives in figures

<!-- Made by `python docs/generate alternatives` from the command below; do not edit. -->

The same models, the same rows and the same board: what Wedau makes of a forest or a perceptron, and
what other tools make of it. Three data sets, forests of 10, 20 and 100 trees at most 8 deep, and
the perceptron of `wedau train --model mlp`; trained on one half of the data, the smartwatch data
split by person, and asked about all rows of the other half. The command, which `make bench` runs:

```text
wedau bench alternatives --json
```

Measured with these versions; the counts repeat exactly: {versions}.

- `instructions_mean`: a call from Python, mean over all held-out rows. A row is an array that is
  there already: int16 values of the grid, or floats of the same values for what takes floats. What
  a call allocates is cleared away between calls, and that is not counted.
- `load_instructions`: from a board that has just started to a function that decides, files read.
- `heap_bytes`: what loading keeps, and what a call allocates. The simulated board keeps a module's
  code in the heap; a chip puts it into memory of its own.
- `flash_bytes`: all its files; in the firmware, the model's code and tables.
- `differences`: how many of the held-out rows are decided otherwise than by scikit-learn.

Instructions are counted, one for each that the simulated processor executes. They are not cycles
and not microseconds of a chip: a chip waits for its flash, its cache and its pipeline. Code with
many branches, such as trees written as code, waits more for a cold cache than a loop over tables.
Use the counts to compare, and [measure on the chip](../explanation/on-the-chip.md) for times.

C is compiled with clang at `-Os` and bound to MicroPython as Wedau's modules are, with the same
checks of a row's type and length; Wedau's own modules choose `-Oz` for trees and `-O2` for the
perceptron, in the firmware too. Python is compiled by mpy-cross before it is pushed. Each
alternative is given what it does best with and what it needs to run at all; the notes below the
tables name it.
emlearn, m2cgen, everywhereml and micromlgen are MIT licensed. The last releases of m2cgen and
micromlgen are of 2022, everywhereml's of 2024; all three read the estimators of this scikit-learn.

## Where another is better

For how many of the models that it could be measured with an alternative takes less than
`wedau, module`, and by what factor at most. Tables that a loop walks are smaller than code and load
faster; such a loop takes more instructions a call. micromlgen compares floats and puts all trees
into one function, which saves a call for each tree; it tells no probabilities and no labels.

{better}

{tables}

## Notes

{notes}
"""

OURS = "wedau, module"
_COSTS = ("instructions_mean", "load_instructions", "heap_bytes", "flash_bytes")
_WIDTH = 40


def make(path: Path) -> str:
    """Measure everything, keep the rows as JSON at path, return docs/reference/alternatives.md."""
    rows = list(measure())
    path.write_text(dump(rows), encoding="ascii")
    return text(rows)


def dump(rows: Sequence[Row]) -> str:
    """Return the rows as the command prints them with --json, a line each."""
    lines = ",\n".join(json.dumps(asdict(row)) for row in rows)
    return f"[\n{lines}\n]\n"


def load(path: Path) -> list[Row]:
    """Return the rows that make() kept."""
    return [Row(**row) for row in json.loads(path.read_text(encoding="ascii"))]


def text(rows: Sequence[Row]) -> str:
    """Return docs/reference/alternatives.md with these rows."""
    groups = dict.fromkeys((row.data, row.trees) for row in rows)
    parts, data = [], ""
    for group in groups:
        some = [row for row in rows if (row.data, row.trees) == group]
        if group[0] != data:
            data = group[0]
            parts.append(f"## {data.capitalize()}")
        title = f"{group[1]} trees" if group[1] else "perceptron"
        parts += [f"### {data.capitalize()}, {title}", "\n".join(_lines(some)), _plot(some)]
    return TEXT.format(
        versions=figures.versions(),
        better="\n".join(_better(rows)),
        tables="\n\n".join(parts),
        notes="\n".join(_notes(rows)),
    )


def _better(rows: Sequence[Row]) -> list[str]:
    """Return a table of what others do with less than our module: for how many models, how far."""
    ours = {(row.data, row.trees): row for row in rows if row.name == OURS}
    names = dict.fromkeys(row.name for row in rows if not row.name.startswith("wedau"))
    lines = [" | ".join(f"`{name}`" for name in ("name", *_COSTS)), "|".join(["---"] * 5)]
    for name in names:
        theirs = [row for row in rows if row.name == name and row.flash_bytes]
        cells = [_times([_factor(row, ours, cost) for row in theirs]) for cost in _COSTS]
        lines.append(" | ".join([name, *cells]))
    return [f"| {line} |" for line in lines]


def _factor(row: Row, ours: Mapping[tuple[str, int | None], Row], cost: str) -> float:
    factor: float = getattr(ours[row.data, row.trees], cost) / getattr(row, cost)
    return factor


def _times(factors: Sequence[float]) -> str:
    less = [factor for factor in factors if factor > 1]
    return f"{len(less)} of {len(factors)}, by up to {max(less):.2f}" if less else "-"


def _model(row: Row) -> str:
    return f"{row.data} {row.trees or 'perceptron'}"


def _lines(rows: Iterable[Row]) -> list[str]:
    names = [f.name for f in fields(Row) if f.name not in ("data", "trees", "note")]
    head = "| " + " | ".join(f"`{name}`" for name in names) + " |"
    rule = "|---" + "|---:" * (len(names) - 1) + "|"
    cells = [[_cell(getattr(row, name)) for name in names] for row in rows if row.flash_bytes]
    return [head, rule, *("| " + " | ".join(each) + " |" for each in cells)]


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:,.0f}"


def _plot(rows: Iterable[Row]) -> str:
    """Return bars of instructions a call, each twice as long for four times as many."""
    measured = [row for row in rows if row.instructions_mean is not None]
    most = max(row.instructions_mean or 0 for row in measured)
    wide = max(len(row.name) for row in measured)
    bars = []
    for row in sorted(measured, key=lambda row: row.instructions_mean or 0):
        length = round(_WIDTH * ((row.instructions_mean or 0) / most) ** 0.5)
        bars.append(f"{row.name:<{wide}}  {'█' * max(1, length)} {row.instructions_mean:,.0f}")
    return "\n".join(["```text", "instructions a call, on a scale of square roots", *bars, "```"])


def _notes(rows: Sequence[Row]) -> list[str]:
    """Return each note once with the models it is about, those without figures too."""
    about: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row.note:
            about.setdefault((row.name, row.note), []).append(_model(row))
    return [f"- {name} ({', '.join(models)}): {note}." for (name, note), models in about.items()]
