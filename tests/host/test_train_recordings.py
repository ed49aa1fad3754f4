"""Recordings from folders and tables, and what is said about those that cannot be used."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from wedau.errors import DataError
from wedau.train import pipeline, recordings
from wedau.train.settings import TrainSettings

SETTINGS = TrainSettings(label="move", time="t", window_ms=200, hop_ms=100)


def series(n: int = 50, step: int = 10, extra: str = "", columns: str = "t,ax,ay") -> str:
    rows = [f"{i * step},{i % 7},{i % 5}.5{extra}\n" for i in range(n)]
    return columns + "\n" + "".join(rows)


def folder_of(tmp_path: Path, files: dict[str, str]) -> Path:
    folder = tmp_path / "walks"
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def refused(path: Path, settings: TrainSettings = SETTINGS) -> tuple[str, str]:
    with pytest.raises(DataError) as caught:
        pipeline.prepare(replace(settings, data=path))
    assert "\n" not in caught.value.message + caught.value.hint
    return caught.value.message.replace(str(path), path.name), caught.value.hint


def test_subfolders_name_the_labels(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {f"{m}/{i}.csv": series() for m in ("run", "walk") for i in "12"})
    data = recordings.read(folder, SETTINGS)
    assert [r.label for r in data.items] == ["run", "run", "walk", "walk"]
    assert data.channels == ("ax", "ay")
    assert data.rate_hz == 100
    assert data.items[0].samples.dtype == np.float32
    assert data.items[0].samples[8].tolist() == [1, 3.5]


def test_labels_file_names_labels_and_groups(tmp_path: Path) -> None:
    files = {f"{i}.csv": series() for i in "1234"}
    files["labels.csv"] = "file,move,who\n1.csv,run,u\n2.csv,walk,u\n3.csv,run,v\n4.csv,walk,v\n"
    data = recordings.read(folder_of(tmp_path, files), replace(SETTINGS, group="who"))
    assert [(r.label, r.group) for r in data.items] == [
        ("run", "u"),
        ("walk", "u"),
        ("run", "v"),
        ("walk", "v"),
    ]


def test_a_column_of_the_files_names_the_labels(tmp_path: Path) -> None:
    columns = "t,ax,ay,move"
    files = {"1.csv": series(9, 10, ",run", columns), "2.csv": series(9, 10, ",walk", columns)}
    data = recordings.read(folder_of(tmp_path, files), SETTINGS)
    assert [(r.name, r.label) for r in data.items] == [("1", "run"), ("2", "walk")]


def test_recording_column_cuts_one_table(tmp_path: Path) -> None:
    path = tmp_path / "all.csv"
    rows = [f"{i * 10},{i},{r},{m}\n" for r, m in (("p", "run"), ("q", "walk")) for i in range(30)]
    path.write_text("t,ax,rec,move\n" + "".join(rows))
    data = recordings.read(path, replace(SETTINGS, recording="rec"))
    assert [(r.name, r.label, len(r.samples)) for r in data.items] == [
        ("p", "run", 30),
        ("q", "walk", 30),
    ]


def test_a_change_of_label_ends_a_recording(tmp_path: Path) -> None:
    path = tmp_path / "all.csv"
    rows = [f"{i * 10},{i},p,{'run' if i < 20 else 'walk'}\n" for i in range(50)]
    path.write_text("t,ax,rec,move\n" + "".join(rows))
    data = recordings.read(path, replace(SETTINGS, recording="rec"))
    assert [(r.label, len(r.samples)) for r in data.items] == [("run", 20), ("walk", 30)]


def test_times_rounded_to_milliseconds_are_equal_sampling(tmp_path: Path) -> None:
    times = np.rint(np.arange(100) * 1000 / 300).astype(int)
    text = "t,ax\n" + "".join(f"{t},1\n" for t in times)
    folder = folder_of(tmp_path, {"a/1.csv": text, "b/1.csv": text})
    assert recordings.read(folder, SETTINGS).rate_hz == pytest.approx(300, rel=1e-3)


@pytest.mark.parametrize(("unit", "step"), [("s", 0.01), ("ms", 10), ("us", 10_000)])
def test_units_of_time(tmp_path: Path, unit: str, step: float) -> None:
    text = "t,ax\n" + "".join(f"{i * step:.3f},1\n" for i in range(40))
    folder = folder_of(tmp_path, {"a/1.csv": text, "b/1.csv": text})
    assert recordings.read(folder, replace(SETTINGS, time_unit=unit)).rate_hz == 100


TWO = {"run/1.csv": series(), "walk/1.csv": series()}


@pytest.mark.parametrize(
    ("files", "message", "hint"),
    [
        ({"readme.txt": "hi"}, "the folder walks holds no CSV or Parquet files", "one file for"),
        (
            TWO | {"walk/2.csv": series(19)},
            "walks: the recording walk/2 has 19 samples, a window 20",
            "choose shorter windows with --window-ms",
        ),
        (
            TWO | {"walk/2.csv": series().replace("240,", "249,")},
            "walks/walk/2.csv: unequal sampling at row 26: 19 ms after the row before, usually 10",
            "without gaps",
        ),
        (
            TWO | {"walk/2.csv": series().replace("\n240,3,4.5", "")},
            "walks/walk/2.csv: unequal sampling at row 26: 20 ms after the row before, usually 10",
            "without gaps",
        ),
        (
            TWO | {"walk/2.csv": series(50, 20)},
            "walks/walk/2.csv: sampled at 50 Hz, the first one at 100 Hz",
            "bring all recordings to one rate",
        ),
        (
            TWO | {"walk/2.csv": series(1)},
            "walks/walk/2.csv: it is one sample only",
            "leave this recording out",
        ),
        (
            TWO | {"walk/2.csv": series(columns="t,ax,az")},
            "walks/walk/2.csv: the columns are not those of the first file: it lacks ay and has az",
            "the same columns",
        ),
        (
            TWO | {"walk/2.csv": series(columns="t,ay,ax")},
            "the columns are not those of the first file: it has them in another order",
            "the same columns in the same order",
        ),
        (
            TWO | {"walk/2.csv": series().replace("240,3,", "240,x,")},
            "walks/walk/2.csv: row 26, column ax: 'x' is not a number",
            "fill in the cell",
        ),
        (
            TWO | {"walk/2.csv": series(columns="time,ax,ay")},
            "walks/walk/2.csv: the columns are not those of the first file: it has time besides",
            "the same columns",
        ),
        ({"run/1.csv": series()}, "holds one class only: 'run'", "second class"),
        (TWO, "walks: the class 'run' occurs in 1 recording; it needs 2", "a second recording"),
        (
            {"1.csv": series()},
            "walks/1.csv: there is no label column 'move'; the columns are t, ax, ay",
            "--label COLUMN",
        ),
        (
            {"1.csv": series(), "labels.csv": "file,move\n2.csv,run\n"},
            "walks/labels.csv has no row for the file 1.csv",
            "add one",
        ),
        (
            {"1.csv": series(), "labels.csv": "name,move\n1.csv,run\n"},
            "walks/labels.csv: there is no column 'file'; the columns are name, move",
            "give it the columns file and move",
        ),
    ],
)
def test_what_is_wrong_is_said(
    tmp_path: Path, files: dict[str, str], message: str, hint: str
) -> None:
    said = refused(folder_of(tmp_path, files))
    assert message in said[0]
    assert hint in said[1]


def test_rate_has_to_come_from_somewhere(tmp_path: Path) -> None:
    message, hint = refused(folder_of(tmp_path, TWO), replace(SETTINGS, time=None))
    assert message == "nothing says how fast the recordings were sampled"
    assert "--rate-hz" in hint


def test_a_table_with_a_rate_needs_a_recording_column(tmp_path: Path) -> None:
    path = tmp_path / "all.csv"
    path.write_text(series())
    message, hint = refused(path)
    assert message.startswith("all.csv has a sampling rate but nothing says where a recording ends")
    assert "--recording" in hint


def test_time_column_that_is_missing_is_said(tmp_path: Path) -> None:
    message, hint = refused(folder_of(tmp_path, TWO), replace(SETTINGS, time="T"))
    assert "walks/run/1.csv: there is no time column 'T'; the columns are t, ax, ay" in message
    assert hint == "did you mean --time t?"


@pytest.mark.parametrize(
    ("change", "message", "option"),
    [
        ({"window_ms": 20}, "a window of 20 ms is 2 samples at 100 Hz", "--window-ms"),
        ({"window_ms": 1e6}, "a window of 1e+06 ms is 100000 samples at 100 Hz", "--window-ms"),
        ({"hop_ms": 1}, "a hop of 1 ms is less than a sample at 100 Hz", "--hop-ms"),
        ({"time_unit": "min"}, "the time unit 'min' is not known", "s, ms, us"),
        ({"trees": 0}, "the number of trees is 0, not within 1 to 1000", "another value"),
        ({"name": "random"}, "the model cannot be named 'random'", "random_model"),
        ({"name": "my model"}, "'my model' is not a Python identifier", "--name saw"),
        ({"name": "class"}, "'class' is not a Python identifier", "--name saw"),
        ({"name": "x" * 33}, "the model's name has 33 characters", "shorter"),
        ({"version": 'a"b'}, "the version 'a\"b' is not possible", "1.0.0"),
    ],
)
def test_impossible_settings_are_said(
    tmp_path: Path, change: dict[str, object], message: str, option: str
) -> None:
    folder = folder_of(tmp_path, TWO)
    with pytest.raises(DataError) as caught:
        pipeline.run(replace(SETTINGS, data=folder, **change))
    assert message in caught.value.message
    assert option in caught.value.hint


def test_samples_too_large_for_float32_features_are_said(tmp_path: Path) -> None:
    huge = series().replace("\n100,3,", "\n100,1e30,")
    files = TWO | {"run/2.csv": huge, "walk/2.csv": series()}
    message, hint = refused(folder_of(tmp_path, files))
    assert message == "the feature ax.std of a window of recording run/2 overflows"
    assert hint == "the samples are too large for float32: use another unit"
