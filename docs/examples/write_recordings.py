"""Write real recordings as CSV files, to try Wedau with.

A smartwatch on the wrist: accelerometer in g and gyroscope in rad/s, 50 samples a second, shoulder
exercises by ten people. Three of the seven exercises are written: PEN (pendulum), ROW (rowing) and
ER (external rotation). The recordings of one person go into a folder of their own.

The recordings come with the Python package seglearn (pip install 'wedau[demo]').
Source: D. Burns et al., "Shoulder physiotherapy exercise recognition", 2018, arXiv:1802.01489.
"""

import argparse
import csv
from collections.abc import Iterable
from pathlib import Path

from wedau.train import datasets
from wedau.train.recordings import Recording

EXERCISES = ("PEN", "ROW", "ER")
NEW_PERSON = "person 10"
STEP_MS = 20
CHANNELS = ("accel_x", "accel_y", "accel_z", "gyro_x", "gyro_y", "gyro_z")


def main() -> None:
    """Write FOLDER/train and FOLDER/new, or the same as two tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--one-table", action="store_true", help="write two tables, not two folders"
    )
    options = parser.parse_args()
    write = write_table if options.one_table else write_folder
    wanted = [item for item in datasets.smartwatch().items if item.label in EXERCISES]
    for name, new in (("train", False), ("new", True)):
        write(options.folder / name, [i for i in wanted if (i.group == NEW_PERSON) == new])


def write_folder(folder: Path, recordings: Iterable[Recording]) -> None:
    """Write a CSV for each recording, and labels.csv that says what each one is."""
    folder.mkdir(parents=True, exist_ok=True)
    index = [("file", "exercise", "person")]
    for number, item in enumerate(recordings, 1):
        name = f"recording{number:02}.csv"
        index.append((name, item.label, item.group))
        write_csv(folder / name, [("time_ms", *CHANNELS), *rows(item)])
    write_csv(folder / "labels.csv", index)


def write_table(path: Path, recordings: Iterable[Recording]) -> None:
    """Write all samples below each other; a column tells the recordings apart."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = [("recording", "exercise", "person", "time_ms", *CHANNELS)]
    for number, item in enumerate(recordings, 1):
        table += [(f"{number}", item.label, item.group, *row) for row in rows(item)]
    write_csv(path.with_suffix(".csv"), table)


def rows(item: Recording) -> Iterable[tuple[str, ...]]:
    """Yield each sample with its time, as text."""
    for i, sample in enumerate(item.samples.tolist()):
        yield (f"{i * STEP_MS}", *(f"{value:.6g}" for value in sample))


def write_csv(path: Path, table: Iterable[tuple[str, ...]]) -> None:
    """Write rows of cells."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(table)


if __name__ == "__main__":
    main()
