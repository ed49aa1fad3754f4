"""The figures in the documents, from the commands that measure them."""

import platform
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console

from wedau.build import clang, sources
from wedau.cli import console, measuring, showcase
from wedau.report.figures import count, percent, size

BEGIN, END = "<!-- printed by the demo: begin -->", "<!-- printed by the demo: end -->"

TEXT = """\
# Figures

<!-- Made by `make docs` from the commands below; do not edit. -->

Measured on the simulated board with these versions, and the counts repeat exactly:
{versions}.

Instructions are counted, not estimated: one for each instruction that the simulated processor
executes, and the same number on every run. They are not cycles and not microseconds of a chip. A
chip also waits for its flash, its cache and its pipeline, and it shares its time with radio and
interrupts. Use the counts to compare one model with another. To get times, measure on the chip:
[on the chip](../explanation/on-the-chip.md).

A call is counted as Python makes it: `predict(x)` with `x` an `array('h')`, from the call to its
result.

## The reference forest

20 trees of depth 8 on scikit-learn's digits: 8 x 8 pixels, ten classes. Half of the data is for
training, half for judging. The command:

```text
wedau bench digits --json
```

{digits}

## The demo

The default settings on smartwatch recordings: seven exercises, ten people, windows of six seconds.
Every person is judged by a forest that was trained without this person. Size, heap and instructions
are those of one of the five forests, the one that the demo leaves in its folder. The command:

```text
wedau demo --json
```

{demo}
"""


@dataclass(frozen=True)
class Measured:
    """What the two commands measured.

    Attributes:
        digits: the keys of `wedau bench digits --json`.
        demo: the keys of `wedau demo --json`.
        printed: what `wedau demo` prints in the end.
    """

    digits: dict[str, Any]
    demo: dict[str, Any]
    printed: str


@cache
def measure() -> Measured:
    """Run both commands. It takes a while; the result is kept."""
    digits = vars(measuring.digits())
    with TemporaryDirectory(prefix="wedau-docs-") as folder:
        shown = showcase.run(Path(folder))
        printed = _printed(shown.rows()).replace(folder, "demo")
    return Measured(digits, shown.document(), printed)


def _printed(rows: list[tuple[str, str]]) -> str:
    """Return rows as the command prints them on a terminal of 80 columns."""
    usual, text = console.out, StringIO()
    rows = [
        (name, str(Path("demo", *Path(v).parts[-2:])) if name == "Report" else v)
        for name, v in rows
    ]
    console.out = Console(file=text, width=80, highlight=False, soft_wrap=True)
    try:
        console.print_rows(rows)
    finally:
        console.out = usual
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


def versions() -> str:
    """Return the versions that the figures depend on."""
    source = sources.micropython()
    packages = ", ".join(f"{name} {version(name)}" for name in ("scikit-learn", "NumPy"))
    tools = f"MicroPython {source.version}, clang {clang.version(clang.find())}, {packages}"
    return f"{tools}, on {platform.freedesktop_os_release()['PRETTY_NAME']}"


def text(measured: Measured) -> str:
    """Return docs/reference/figures.md."""
    return TEXT.format(
        versions=versions(), digits=_digits(measured.digits), demo=_demo(measured.demo)
    )


def _digits(m: dict[str, Any]) -> str:
    return _table(
        [
            ("nodes", "nodes", count(m["nodes"])),
            ("right on rows it never saw", "accuracy", percent(m["accuracy"])),
            ("held-out rows replayed on the board", "held_out", count(m["held_out"])),
            (
                "boundary inputs replayed on the board",
                "boundary_inputs",
                count(m["boundary_inputs"]),
            ),
            ("differences between host and board", "differences", count(m["differences"])),
            ("instructions a call, mean", "instructions_call", count(m["instructions_call"])),
            (
                "instructions a call, most",
                "instructions_call_max",
                count(m["instructions_call_max"]),
            ),
            ("instructions to import", "instructions_import", count(m["instructions_import"])),
            ("module, bytes", "module_bytes", count(m["module_bytes"])),
            (
                "code and tables that clang makes of emlearn's C alone, bytes",
                "emlearn_bytes",
                count(m["emlearn_bytes"]),
            ),
            (
                "heap that the import keeps, bytes",
                "heap_import_bytes",
                count(m["heap_import_bytes"]),
            ),
            ("heap that a call takes, bytes", "heap_call_bytes", count(m["heap_call_bytes"])),
            (
                "as a data file: instructions a call, mean",
                "data_instructions_call",
                count(m["data_instructions_call"]),
            ),
            (
                "as a data file: instructions to load and check it",
                "data_load_instructions",
                count(m["data_load_instructions"]),
            ),
            (
                "as a data file: heap that loading takes, bytes",
                "data_heap_peak_bytes",
                count(m["data_heap_peak_bytes"]),
            ),
            ("as a data file: its size, bytes", "data_bytes", count(m["data_bytes"])),
        ]
    )


def _demo(m: dict[str, Any]) -> str:
    return _table(
        [
            ("right on people it never saw", "accuracy_unseen", percent(m["accuracy_unseen"])),
            ("held-out windows replayed on the board", "held_out", count(m["held_out"])),
            (
                "boundary inputs replayed on the board",
                "boundary_inputs",
                count(m["boundary_inputs"]),
            ),
            ("differences between host and board", "differences", count(m["differences"])),
            ("windows from samples to class on the board", "raw_windows", count(m["raw_windows"])),
            ("features equal bit for bit", "features_equal", count(m["features_equal"])),
            ("instructions a call, mean", "instructions_mean", count(m["instructions_mean"])),
            ("instructions a call, most", "instructions_max", count(m["instructions_max"])),
            (
                "instructions a call, at most for any input",
                "instructions_worst_bound",
                count(m["instructions_worst_bound"]),
            ),
            (
                "instructions a call, most that a search found",
                "instructions_worst_found",
                count(m["instructions_worst_found"]),
            ),
            ("module, bytes", "module_bytes", count(m["module_bytes"])),
            ("heap that the import keeps", "heap_bytes", size(m["heap_bytes"])),
            ("heap that a call takes", "heap_call_bytes", size(m["heap_call_bytes"])),
        ]
    )


def _table(rows: list[tuple[str, str, str]]) -> str:
    lines = [f"| {what} | `{key}` | {value} |" for what, key, value in rows]
    return "\n".join(["| figure | key | value |", "|---|---|---:|", *lines])


def put_printed(readme: str, printed: str) -> str:
    """Return the README with what the demo prints between its two marks."""
    head, rest = readme.split(BEGIN)
    return f"{head}{BEGIN}\n```text\n{printed}\n```\n{END}{rest.split(END)[1]}"


def get_printed(readme: str) -> str:
    """Return what the README says that the demo prints."""
    shown = readme.split(BEGIN)[1].split(END)[0].strip()
    return shown.removeprefix("```text\n").removesuffix("\n```")
