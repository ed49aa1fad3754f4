"""Recordings: time series with a label each, from files of people."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wedau import files
from wedau.errors import DataError
from wedau.train import tables
from wedau.train.settings import TIME_UNITS, TrainSettings
from wedau.train.tables import Table

LABELS_FILE = "labels.csv"
_RATE_TOLERANCE = 0.02


@dataclass(frozen=True)
class Recording:
    """One stretch of samples of one class.

    Attributes:
        name: names it in messages: the file, or the value of the recording column.
        samples: float32, shape (n_samples, n_channels), in the channels' units.
        label: its class.
        group: whose it is; empty where that is not known.
    """

    name: str
    samples: NDArray[np.float32]
    label: str
    group: str = ""


@dataclass(frozen=True)
class Recordings:
    """Recordings of the same channels at the same rate.

    Attributes:
        source: the data's name: of a file, a folder or a data set.
        channels: names of the channels.
        units: unit of each channel; empty where it is not known.
        rate_hz: samples a second.
        items: the recordings, in the order of the data.
        label: name of the label column.
        group: name of the group column; empty if there is none.
    """

    source: str
    channels: tuple[str, ...]
    units: tuple[str, ...]
    rate_hz: float
    items: tuple[Recording, ...]
    label: str = "label"
    group: str = ""

    def sha256(self) -> str:
        """Hash of all that training sees: channels, rate, labels, groups and samples."""
        digest = hashlib.sha256(repr((self.channels, self.rate_hz)).encode())
        for item in self.items:
            digest.update(repr((item.label, item.group, item.samples.shape)).encode())
            digest.update(np.ascontiguousarray(item.samples, "<f4").tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class _Part:
    """A recording with its time column still to be looked at."""

    recording: Recording
    where: str
    first_row: int
    times: NDArray[np.float64] | None


def read(path: Path, settings: TrainSettings, *, training: bool = True) -> Recordings:
    """Read recordings: a folder with one file each, or one table with a recording column.

    A folder's labels come from a ``labels.csv`` in it (columns file, label and, if there are
    groups, the group's), else from the label column of the files, else from the names of the
    subfolders.

    Args:
        path: the folder or the file.
        settings: what the columns are.
        training: False for new data: the columns of labels, groups and recordings may then be
            missing (labels and groups are empty texts), and one class will do. Anomaly models
            that are told of no normal label may lack that column in training too.

    Raises:
        DataError: a file or a cell cannot be used, the files differ in their columns, the sampling
            is unequal, or nothing says the rate or the labels.
    """
    parts: list[_Part] = []
    channels: tuple[str, ...] = ()
    if path.is_dir():
        for table, known in _files(path, settings):
            found = _channels(table, settings)
            if channels and found != channels:
                raise _other_columns(table, channels, found)
            channels = found
            name = table.path.relative_to(path).with_suffix("").as_posix()
            known = {**_missing(table, settings, name, training), **known}
            parts += _parts(table, settings, channels, known, name)
    else:
        table = _read_table(path, settings)
        channels = _channels(table, settings)
        known = _missing(table, settings, path.stem, training)
        parts = _parts(table, settings, channels, known, path.stem)
    if training and settings.task == "classifier":
        tables.check_labels(path, settings.label, [p.recording.label for p in parts])
    return Recordings(
        source=path.name,
        channels=channels,
        units=tuple(settings.units.get(c, "") for c in channels),
        rate_hz=_rate(parts, settings),
        items=tuple(p.recording for p in parts),
        label=settings.label,
        group=settings.group or "",
    )


def _read_table(path: Path, settings: TrainSettings) -> Table:
    return tables.read(path, [c for c in _text_columns(settings) if c])


def _text_columns(settings: TrainSettings) -> list[str | None]:
    return [settings.label, settings.group, settings.recording, *settings.ignore]


def _files(folder: Path, settings: TrainSettings) -> Iterable[tuple[Table, Mapping[str, str]]]:
    """Yield each recording's table and the label and group that are known from elsewhere."""
    files.check_tree(folder, DataError)
    found = (p for p in folder.rglob("*") if p.suffix.lower() in tables.SUFFIXES)
    paths = sorted(p for p in found if not p.is_dir())
    index = folder / LABELS_FILE
    recordings = [p for p in paths if p != index]
    if not recordings:
        raise DataError(
            f"the folder {folder} holds no CSV or Parquet files",
            "give a folder with one file for each recording",
        )
    listed = _listed(index, settings) if index in paths else None
    for path in recordings:
        table = _read_table(path, settings)
        yield table, _known(folder, table, listed, settings)


def _known(
    folder: Path, table: Table, listed: Mapping[str, dict[str, str]] | None, settings: TrainSettings
) -> Mapping[str, str]:
    name = table.path.relative_to(folder).as_posix()
    if listed is not None:
        if name not in listed:
            raise DataError(
                f"{folder / LABELS_FILE} has no row for the file {name}",
                "add one, or move the file out of the folder",
            )
        return listed[name]
    if settings.label not in table.columns and table.path.parent != folder:
        return {settings.label: table.path.parent.name}
    return {}


def _listed(index: Path, settings: TrainSettings) -> Mapping[str, dict[str, str]]:
    wanted = [settings.label] + ([settings.group] if settings.group else [])
    table = tables.read(index, ["file", *wanted])
    if "file" not in table.columns:
        raise DataError(
            f"{index}: there is no column 'file'; the columns are {', '.join(table.columns)}",
            f"give it the columns file and {settings.label}",
        )
    table.require(settings.label, "label", "--label")
    columns = [c for c in wanted if c in table.columns]
    cells = {c: table.texts(c, c) for c in columns}
    files = [Path(f).as_posix() for f in table.texts("file", "file name")]
    return {f: {c: cells[c][i] for c in columns} for i, f in enumerate(files)}


def _missing(table: Table, settings: TrainSettings, name: str, training: bool) -> dict[str, str]:
    """Return cells for the columns about a recording that the table may, and does, lack."""
    wanted = [(settings.label, ""), (settings.group, ""), (settings.recording, name)]
    if training:
        all_normal = settings.task == "anomaly" and not settings.normal
        wanted = wanted[:1] if all_normal and settings.label == TrainSettings.label else []
    return {c: text for c, text in wanted if c and c not in table.columns}


def _channels(table: Table, settings: TrainSettings) -> tuple[str, ...]:
    other = {*_text_columns(settings), settings.time}
    channels = tuple(c for c in table.columns if c not in other)
    if not channels:
        raise DataError(
            f"{table.path}: no column is left that could be a channel",
            "give a file with a column for each channel of the sensor",
        )
    return channels


def _other_columns(table: Table, channels: tuple[str, ...], found: tuple[str, ...]) -> DataError:
    missing = [c for c in channels if c not in found]
    extra = [c for c in found if c not in channels]
    what = [f"lacks {', '.join(missing)}"] if missing else []
    what += [f"has {', '.join(extra)} besides"] if extra else []
    return DataError(
        f"{table.path}: the columns are not those of the first file: it "
        + (" and ".join(what) or "has them in another order"),
        "give all recordings the same columns in the same order",
    )


def _parts(
    table: Table,
    settings: TrainSettings,
    channels: tuple[str, ...],
    known: Mapping[str, str],
    name: str,
) -> list[_Part]:
    """Cut a table where the recording, the label or the group changes."""
    n = len(table.frame)
    names = [name] * n
    if settings.recording:
        names = _cells(table, settings.recording, "recording", known)
    labels = _cells(table, settings.label, "label", known)
    groups = _cells(table, settings.group, "group", known) if settings.group else [""] * n
    times = None
    if settings.time:
        table.require(settings.time, "time", "--time")
        times = table.numbers(settings.time)
    samples = np.stack([table.numbers(c).astype(np.float32) for c in channels], axis=1)
    keys = list(zip(names, labels, groups, strict=True))
    edges = [0, *(i for i in range(1, n) if keys[i] != keys[i - 1]), n]
    return [
        _Part(
            Recording(keys[a][0], samples[a:b], keys[a][1], keys[a][2]),
            f"{table.path}: recording {keys[a][0]}" if settings.recording else f"{table.path}",
            a + 2,
            None if times is None else times[a:b],
        )
        for a, b in pairwise(edges)
    ]


def _cells(table: Table, column: str, what: str, known: Mapping[str, str]) -> list[str]:
    if column in known:
        return [known[column]] * len(table.frame)
    table.require(column, what, f"--{what}")
    return table.texts(column, what)


def _rate(parts: list[_Part], settings: TrainSettings) -> float:
    if settings.time:
        rates = [_sampling(p, settings) for p in parts]
        first = rates[0]
        for part, rate in zip(parts, rates, strict=True):
            if abs(rate - first) > _RATE_TOLERANCE * first:
                raise DataError(
                    f"{part.where}: sampled at {rate:.6g} Hz, the first one at {first:.6g} Hz",
                    "bring all recordings to one rate, or leave this one out",
                )
        return float(f"{np.median(rates):.4g}")
    if settings.rate_hz is None:
        raise DataError(
            "nothing says how fast the recordings were sampled",
            "name the time column with --time, or give the rate with --rate-hz",
        )
    return settings.rate_hz


def _sampling(part: _Part, settings: TrainSettings) -> float:
    """Return one recording's rate in Hz, having checked that its steps are equal.

    A step may be a tenth of the usual step off, or one unit where the times are whole numbers
    (rounded to milliseconds, say), but never half a step: that is a gap.
    """
    assert part.times is not None
    steps = np.diff(part.times)
    if not len(steps):
        raise DataError(f"{part.where}: it is one sample only", "leave this recording out")
    usual = float(np.median(steps))
    rounding = 1.0 if np.all(part.times == np.rint(part.times)) else 0.0
    allowed = min(max(0.1 * usual, rounding), 0.49 * usual)
    bad = np.flatnonzero(~(np.abs(steps - usual) <= allowed) | (steps <= 0))
    if len(bad):
        i = int(bad[0])
        unit = settings.time_unit
        raise DataError(
            f"{part.where}: unequal sampling at row {part.first_row + i + 1}: "
            f"{steps[i]:.6g} {unit} after the row before, usually {usual:.6g} {unit}",
            "record without gaps, cut the recording there, or resample it",
        )
    return 1.0 / (float(np.mean(steps)) * TIME_UNITS[settings.time_unit])
