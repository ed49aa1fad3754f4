"""What updates cost and survive, from the commands that measure it."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

COMMANDS = ("powercut", "forgeries", "ota", "fleet")

TEXT = """\
# Updates in figures

<!-- Made by `python docs/generate updates` from the commands below; do not edit. -->

What became of nodes that lost power or were offered forgeries, and what an update costs. Their
boards are simulated: see [what only a chip can show](../explanation/on-the-chip.md). Why nodes do
what they do is explained in [how a node changes what it runs](../explanation/updates.md) and
[what protects an update](../explanation/trust.md).

## Losses of power

```text
wedau bench powercut --json
```

Power is cut at every flash operation of an update, and again at every one of the recovery from each
of these cuts. The board has to start, decide as the old or the new model does, and come to the new
payload. `foretold` runs were not needed: in all that an earlier board read its flash was the same,
so it would have done the same. `checked` of them were run all the same, and did.

{powercut}

## Forgeries

```text
wedau bench forgeries --json
```

`accepted`: a node took it. `changed`: something forged stayed on a node, or it lost its model.
`misnamed`: it was refused for another reason than the right one. Keys are new in each run, so the
numbers of tries differ a little.

{forgeries}

What nodes said, by kind of forgery:

{refused}

The kinds from "architecture" on are rightly signed, and were offered to nodes on a simulated board;
those that run and crash were tried three times, and not again.

## What an update costs a node

```text
wedau bench ota --json
```

A model of some 40 kB, from the poll to confirmed, all signatures verified. To check one takes a
chip fewer instructions than the simulated board, whose processor multiplies to 32 bits only.
`peak_heap_bytes` is what the poll needs beside the payload's buffer of 4,096 bytes.

{ota}

## What a fleet server carries

```text
wedau bench fleet --json
```

The node's own code polls a goosebit on SQLite, started by `wedau ota serve`'s own code; nodes and
server share the two cores of one machine. These are times, and others elsewhere.

{fleet}
"""


def make(path: Path, only: Sequence[str]) -> str:
    """Measure, keep the figures as JSON at path, return docs/reference/updates.md.

    Args:
        path: of the figures.
        only: of COMMANDS; what the others measured before is kept. Empty: all.
    """
    figures = load(path) if only else {}
    for command in only or COMMANDS:
        figures[command] = _measure(command)
    write(path, figures)
    return text(figures)


def write(path: Path, figures: Mapping[str, dict[str, Any]]) -> None:
    """Keep figures, a line for each command."""
    lines = [f'"{name}": {json.dumps(figures[name])}' for name in COMMANDS]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="ascii")


def _measure(command: str) -> dict[str, Any]:
    args = [sys.executable, "-m", "wedau", "bench", command, "--json"]
    printed = subprocess.run(args, check=True, stdout=subprocess.PIPE).stdout
    found: dict[str, Any] = json.loads(printed)
    return found


def load(path: Path) -> dict[str, dict[str, Any]]:
    """Return the figures that make() kept, by command."""
    found: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="ascii"))
    return found


def text(figures: Mapping[str, dict[str, Any]]) -> str:
    """Return docs/reference/updates.md with these figures."""
    tables = {name: _table(figures[name]) for name in COMMANDS}
    return TEXT.format(**tables, refused=_refused(figures["forgeries"]["refused"]))


def _table(figures: Mapping[str, Any]) -> str:
    rows = [f"| `{k}` | {v:,} |" for k, v in figures.items() if not isinstance(v, dict)]
    return "\n".join(["| figure | value |", "|---|---:|", *rows])


def _refused(refused: Mapping[str, Mapping[str, int]]) -> str:
    rows = [
        f"| {kind} | {', '.join(f'`{code}` {count:,}' for code, count in codes.items())} |"
        for kind, codes in refused.items()
    ]
    return "\n".join(["| forgery | refused as |", "|---|---|", *rows])
