"""Data sets that packages carry, as recordings."""

import hashlib
import importlib.util
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from wedau.errors import DataError
from wedau.train.recordings import Recording, Recordings

_WATCH_FILE = "data/watch_dataset.npy"
_WATCH_SHA256 = "eb122f23cdf06ef6bd6c6c5312958ec5cf9d038e2e6d457b8081662c75a42537"
_WATCH_CHANNELS = ("accel_x", "accel_y", "accel_z", "gyro_x", "gyro_y", "gyro_z")


def smartwatch() -> Recordings:
    """Load the smartwatch recordings that the package seglearn carries.

    Seven shoulder exercises by ten people, 140 recordings: accelerometer in g, gyroscope in rad/s,
    50 Hz. The group is the person.

    The file is a pickle inside a .npy, and a pickle can run code. It is loaded only if its hash is
    the one that was looked at: these very bytes hold NumPy arrays and nothing else. seglearn itself
    is not imported.

    Raises:
        DataError: seglearn is not installed, or carries another file.

    Source: D. Burns et al., "Shoulder physiotherapy exercise recognition", 2018, arXiv:1802.01489.
    """
    path = _package_file("seglearn", _WATCH_FILE)
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != _WATCH_SHA256:
        raise DataError(f"{path} is not the data set that is known", "pip install seglearn==1.2.5")
    data: Any = np.load(path, allow_pickle=True).item()
    labels = data["y_labels"]
    items = tuple(
        Recording(f"{i}", np.asarray(x, np.float32), str(labels[int(y)]), f"person {int(who)}")
        for i, (x, y, who) in enumerate(zip(data["X"], data["y"], data["subject"], strict=True))
    )
    return Recordings(
        source="seglearn watch_dataset",
        channels=_WATCH_CHANNELS,
        units=("g",) * 3 + ("rad/s",) * 3,
        rate_hz=50.0,
        items=items,
        label="exercise",
        group="person",
    )


def _package_file(package: str, name: str) -> Path:
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise DataError(
            f"the package {package}, which carries the data, is not installed",
            "pip install 'wedau[demo]'",
        )
    return Path(found.submodule_search_locations[0], name)


def basic_motions(path: Path) -> Recordings:
    """Load BasicMotions: a smartwatch's accelerometer and gyroscope, 10 Hz, four activities.

    Args:
        path: aeon's wheel, as `pip download --no-deps aeon==1.6.0` gives it, or a folder with
            BasicMotions_TRAIN.ts and BasicMotions_TEST.ts.

    Raises:
        DataError: the files are not there, or not of the expected shape.

    Source: the UEA archive of multivariate time series, 2018, arXiv:1811.00075.
    """
    items = []
    for part in ("TRAIN", "TEST"):
        text = _ts_text(path, f"BasicMotions_{part}.ts")
        items += [
            Recording(f"{part} {i}", samples, label)
            for i, (samples, label) in enumerate(_parse_ts(text, path))
        ]
    return Recordings(
        source="BasicMotions",
        channels=_WATCH_CHANNELS,
        units=("",) * 6,
        rate_hz=10.0,
        items=tuple(items),
        label="activity",
    )


def _ts_text(path: Path, name: str) -> str:
    try:
        if path.is_dir():
            return Path(path, name).read_text()
        with zipfile.ZipFile(path) as wheel:
            return wheel.read(f"aeon/datasets/data/BasicMotions/{name}").decode()
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path} does not hold {name}", "pip download --no-deps aeon==1.6.0 and name the wheel"
        ) from error


def _parse_ts(text: str, path: Path) -> list[tuple[np.ndarray[Any, np.dtype[np.float32]], str]]:
    """Read the rows below @data: dimensions separated by colons, the label last."""
    rows = []
    for line in text.split("@data", 1)[-1].split("\n"):
        if not line.strip():
            continue
        *series, label = line.strip().split(":")
        try:
            channels = [np.array(s.split(","), np.float64) for s in series]
            rows.append((np.stack(channels, axis=1).astype(np.float32), label))
        except ValueError as error:
            raise DataError(
                f"{path}: a row is not numbers: {error}", "download it again"
            ) from error
    return rows
