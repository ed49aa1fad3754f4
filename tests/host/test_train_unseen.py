"""New data are read as the training data were, with or without labels."""

import csv
from pathlib import Path

import numpy as np
import pytest

from wedau.errors import DataError
from wedau.train import pipeline, unseen, windows
from wedau.train.model import Card
from wedau.train.settings import TrainSettings

HEAD = ["recording", "person", "t", "ax", "ay"]
LABELS = ("still", "shaking")


def rows(recording: int, n: int = 120) -> list[list[object]]:
    """Samples of 100 Hz: recordings of odd number shake."""
    rng = np.random.default_rng(recording)
    t = np.arange(n)
    ax = (recording % 2) * np.sin(t / 3) + rng.normal(scale=0.1, size=n)
    ay = rng.normal(size=n)
    person = f"p{recording // 2}"
    return [[f"r{recording}", person, 10 * i, ax[i], ay[i], LABELS[recording % 2]] for i in t]


def write(path: Path, given: list[list[object]], columns: list[str]) -> Path:
    """Write the named columns of the rows."""
    at = [[*HEAD, "label"].index(c) for c in columns]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *([row[i] for i in at] for row in given)])
    return path


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Card:
    """A model of one table with a recording, a group and a time column."""
    given = [row for number in range(8) for row in rows(number)]
    path = write(tmp_path_factory.mktemp("data") / "all.csv", given, [*HEAD, "label"])
    settings = TrainSettings(
        data=path, recording="recording", group="person", time="t", window_ms=400, trees=5
    )
    return pipeline.run(settings).card


def test_unseen_recordings_need_no_label(card: Card, tmp_path: Path) -> None:
    labelled = unseen.read(write(tmp_path / "a.csv", rows(9), [*HEAD, "label"]), card)
    bare = unseen.read(write(tmp_path / "b.csv", rows(9), HEAD), card)
    assert labelled.truth == ("shaking",) * 5
    assert bare.truth is None
    assert np.array_equal(bare.features, labelled.features)
    assert np.array_equal(bare.grid, labelled.grid)
    assert bare.names == labelled.names
    assert bare.names[1] == "r9 at sample 20"


def test_one_file_of_sensor_values_is_one_recording(card: Card, tmp_path: Path) -> None:
    whole = unseen.read(write(tmp_path / "a.csv", rows(9), HEAD), card)
    bare = unseen.read(write(tmp_path / "new.csv", rows(9), ["t", "ax", "ay"]), card)
    assert bare.truth is None
    assert bare.names[0] == "new at sample 0"
    assert np.array_equal(bare.grid, whole.grid)


def test_a_folder_of_new_recordings_needs_no_label(card: Card, tmp_path: Path) -> None:
    for number in (10, 11):
        day = tmp_path / f"2026-01-{number}"
        day.mkdir()
        write(day / "run.csv", rows(number), ["t", "ax", "ay"])
    found = unseen.read(tmp_path, card)
    assert len(found.grid) == 10
    assert found.truth is None  # the folders' names are days, not classes
    assert found.names[0] == "2026-01-10/run at sample 0"


def test_the_names_of_subfolders_count_where_they_are_classes(card: Card, tmp_path: Path) -> None:
    (tmp_path / "shaking").mkdir()
    write(tmp_path / "shaking" / "run.csv", rows(11), ["t", "ax", "ay"])
    assert unseen.read(tmp_path, card).truth == ("shaking",) * 5


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (["t", "ax"], "has the channels ax, the model was trained on ax, ay"),
        (["t", "ay", "ax"], "has the channels ay, ax, the model was trained on ax, ay"),
        (["ax", "ay"], "there is no time column 't'"),
    ],
)
def test_other_columns_are_refused(
    card: Card, tmp_path: Path, columns: list[str], message: str
) -> None:
    with pytest.raises(DataError) as caught:
        unseen.read(write(tmp_path / "new.csv", rows(9), columns), card)
    assert message in caught.value.message
    assert caught.value.hint


def test_another_rate_is_refused(card: Card, tmp_path: Path) -> None:
    path = write(tmp_path / "new.csv", rows(9)[::2], HEAD)
    with pytest.raises(DataError) as caught:
        unseen.read(path, card)
    assert "was sampled at 50 Hz, the training data at 100" in caught.value.message


def test_recordings_that_are_too_short_are_refused(card: Card, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        unseen.read(write(tmp_path / "new.csv", rows(9, 39), HEAD), card)
    assert "every recording is shorter than a window, 40 samples" in caught.value.message


def test_unseen_rows_need_no_label(tmp_path: Path) -> None:
    given = [row for number in range(4) for row in rows(number, 30)]
    path = write(tmp_path / "train.csv", given, ["ax", "ay", "label"])
    card = pipeline.run(TrainSettings(data=path, trees=3)).card
    bare = unseen.read(write(tmp_path / "new.csv", rows(9), ["ay", "t", "ax"]), card)
    labelled = unseen.read(write(tmp_path / "l.csv", rows(9), ["ax", "ay", "label"]), card)
    assert bare.truth is None
    assert labelled.truth == ("shaking",) * 120
    assert np.array_equal(bare.grid, labelled.grid)
    assert bare.names[0] == "row 2"
    with pytest.raises(DataError, match="there is no feature column 'ay'"):
        unseen.read(write(tmp_path / "less.csv", rows(9), ["t", "ax"]), card)


def test_the_training_data_are_recognised(card: Card, tmp_path: Path) -> None:
    given = [row for number in range(8) for row in rows(number)]
    again = unseen.read(write(tmp_path / "again.csv", given, [*HEAD, "label"]), card)
    assert again.trained_on
    assert not unseen.read(write(tmp_path / "a.csv", given[:-1], [*HEAD, "label"]), card).trained_on
    assert not unseen.read(write(tmp_path / "b.csv", given, HEAD), card).trained_on


def test_a_training_table_is_recognised(tmp_path: Path) -> None:
    lines = [f"{i % 7},{i % 2},{'on' if i % 2 else 'off'},m{i % 4}" for i in range(40)]
    table = tmp_path / "table.csv"
    table.write_text("\n".join(["a,b,label,machine", *lines]) + "\n", encoding="utf-8")
    trained = pipeline.run(TrainSettings(data=table, group="machine", trees=3)).card
    assert unseen.read(table, trained).trained_on
    table.write_text("\n".join(["a,b,label,machine", *lines[:-1]]) + "\n", encoding="utf-8")
    assert not unseen.read(table, trained).trained_on


def test_windows_are_cut_at_their_starts() -> None:
    samples = np.arange(20, dtype=np.float32).reshape(10, 2)
    got = windows.cut(samples, np.array([0, 3]), 3)
    assert got.dtype == np.float32
    assert got.tolist() == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]
    assert windows.cut(samples, np.array([], np.int64), 3).shape == (0, 6)
