"""The table of every family on every data set, from the command that measures it."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

import figures

from wedau.cli.measuring_families import Row, measure

TEXT = """\
# Families in figures

<!-- Made by `python docs/generate families` from the command below; do not edit. -->

Every kind of model that `wedau train --model` knows, with its default options, on four data sets:
trained on one half, built for xtensawin, pushed to a simulated board, and replayed there on the
other half and on all inputs at thresholds of trees. The smartwatch data are split by person. A
regressor learns the class index as a number; to an anomaly model the first class is normal. The
command, which takes about ten minutes:

```text
wedau bench families --json
```

Measured with these versions; the counts repeat exactly: {versions}.

- `rows`: inputs that were replayed; `differences`: how many of them the board decided otherwise
  than scikit-learn.
- `max_probability_error`: the largest distance of a probability, a value or a decision function
  from scikit-learn's. [What is promised](../explanation/exactness.md#what-each-family-promises).
- `instructions_mean`: a call from Python. `instructions_worst_bound`: no call takes more,
  whatever the input, [derived from the code](../explanation/bounds.md).
  `instructions_worst_found`: the most that a search for the worst input found.
- `flash_bytes`: the module. `ram_bytes`: heap and stack of a running model; the simulated board
  keeps the module's code in the heap, a chip does not.

{tables}
"""


def make() -> str:
    """Measure everything and return docs/reference/families.md."""
    return text(list(measure((), ())))


def text(rows: Sequence[Row]) -> str:
    """Return docs/reference/families.md with these rows."""
    parts = []
    for data in dict.fromkeys(row.data for row in rows):
        table = "\n".join(lines(row for row in rows if row.data == data))
        parts.append(f"## {data.replace('_', ' ').capitalize()}\n\n{table}")
    return TEXT.format(versions=figures.versions(), tables="\n\n".join(parts))


def lines(rows: Iterable[Row]) -> list[str]:
    """Return the lines of a table, its two of the head first."""
    names = [field.name for field in fields(Row) if field.name != "data"]
    head = "| " + " | ".join(f"`{name}`" for name in names) + " |"
    rule = "|---" + "|---:" * (len(names) - 1) + "|"
    body = ["| " + " | ".join(_cell(getattr(row, name)) for name in names) + " |" for row in rows]
    return [head, rule, *body]


def _cell(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, str):
        return value
    return f"{value:.2g}" if isinstance(value, float) and value < 1 else f"{value:,.0f}"
