"""Small data to train on, made up, the same every time."""

import csv
import tempfile
from pathlib import Path

import numpy as np

LABELS = ("idle", "cutting", "läuft")
COLUMNS = ("current", "noise", "tilt")
RATE_HZ = 50


def table(path: Path, n_rows: int = 60) -> Path:
    """Write a CSV of ready features, one row a sample, that three classes can be told by."""
    rng = np.random.default_rng(1)
    classes = np.arange(n_rows) % len(LABELS)
    x = rng.normal(size=(n_rows, len(COLUMNS))) + 3 * np.stack([classes, -classes, classes], 1)
    rows = [[*(f"{v:.3f}" for v in row), LABELS[c]] for row, c in zip(x, classes, strict=True)]
    return write(path, [*COLUMNS, "label"], rows)


def table_bytes() -> bytes:
    """What table() writes."""
    with tempfile.TemporaryDirectory() as folder:
        return table(Path(folder, "data.csv")).read_bytes()


def recordings(folder: Path, n_samples: int = 200, labelled: bool = True) -> Path:
    """Write a folder of recordings, 50 Hz, two channels, two of each class."""
    folder.mkdir()
    for number in range(6):
        label = LABELS[number % 3]
        rows = recording(number, n_samples)
        head = ["t_ms", "ax", "ay"]
        if labelled:
            head, rows = [*head, "label"], [[*row, label] for row in rows]
        write(folder / f"r{number}.csv", head, rows)
    return folder


def recording(number: int, n_samples: int = 200) -> list[list[object]]:
    """Rows of time in ms and two channels; the class decides the frequency."""
    rng = np.random.default_rng(number)
    t = np.arange(n_samples) / RATE_HZ
    ax = np.sin(2 * np.pi * (1 + 3 * (number % 3)) * t) + rng.normal(scale=0.1, size=n_samples)
    ay = rng.normal(scale=1 + number % 3, size=n_samples)
    return [[round(1000 * a), f"{b:.4f}", f"{c:.4f}"] for a, b, c in zip(t, ax, ay, strict=True)]


def write(path: Path, head: list[str], rows: list[list[object]] | list[list[str]]) -> Path:
    """Write a CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([head, *rows])
    return path


def edit(path: Path, row: int, column: str, cell: str) -> Path:
    """Replace one cell; the row as a spreadsheet numbers it, the header being row 1."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    rows[row - 1][rows[0].index(column)] = cell
    return write(path, rows[0], rows[1:])
