"""Data that cannot be trained on: each gets a line that says what and where."""

import io
import zipfile
from pathlib import Path

import pytest
import samples
from outcomes import Refused, Wedau, contents, refusal

TRAIN = ("-o", "saw")


def test_a_missing_file_is_named(refused: Refused) -> None:
    said = refused("train", "no/data.csv", *TRAIN)
    assert said.error == "cannot read no/data.csv: No such file or directory"
    assert "folder you are in" in said.hint


def excel() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "error", "hint"),
    [
        ("empty.csv", b"", "empty.csv is empty", "header"),
        ("blank.csv", b"\n \n", "blank.csv is empty", "header"),
        ("head.csv", b"a,b,label\n", "head.csv: there are no rows below the header", "data"),
        ("noise.csv", bytes(range(256)), "noise.csv is not a CSV: it holds binary data", "Parquet"),
        ("book.xlsx", excel(), "book.xlsx is an Excel or other office file", "CSV UTF-8"),
        ("wide.csv", "a,label\n1,x\n".encode("utf-16"), "wide.csv is UTF-16 text", "CSV UTF-8"),
        ("latin.csv", "a,label\n1,läuft\n".encode("latin1"), "row 2: the text is not", "UTF-8"),
        ("prose.csv", b"Dear diary\ntoday\n", "prose.csv is not a CSV", "commas"),
        ("uneven.csv", b"a,b,label\n1,2,x\n1,2,3,x\n", "row 3 has 4 cells, the header 3", "cells"),
        ("twice.csv", b"a,a,label\n1,2,x\n", "row 1: two columns are named 'a'", "own name"),
        ("bad.parquet", b"PAR1junk", "bad.parquet is not a Parquet file", "again"),
    ],
)
def test_a_file_of_another_kind_is_refused(
    refused: Refused, place: Path, name: str, content: bytes, error: str, hint: str
) -> None:
    (place / name).write_bytes(content)
    said = refused("train", name, *TRAIN)
    assert error in said.error
    assert name in said.error
    assert hint in said.hint


def test_a_missing_label_column_is_named_with_those_there_are(
    refused: Refused, place: Path
) -> None:
    samples.table(place / "data.csv")
    said = refused("train", "data.csv", *TRAIN, "--label", "lable")
    assert said.error == (
        "data.csv: there is no label column 'lable'; the columns are current, noise, tilt, label"
    )
    assert said.hint == "did you mean --label label?"


@pytest.mark.parametrize(
    ("option", "given", "near"),
    [("--group", "Person", "person"), ("--recording", "rec0rding", "recording")],
)
def test_an_unknown_column_is_named_with_a_near_one(
    refused: Refused, place: Path, option: str, given: str, near: str
) -> None:
    rows = [[i, i % 2, i // 10, "ab"[i % 2]] for i in range(40)]
    samples.write(place / "data.csv", ["ax", "person", "recording", "label"], rows)
    said = refused("train", "data.csv", *TRAIN, option, given)
    assert f"data.csv: there is no {option[2:]} column '{given}'" in said.error
    assert said.hint == f"did you mean {option} {near}?"


def test_an_unknown_time_column_is_named_with_a_near_one(refused: Refused, place: Path) -> None:
    samples.recordings(place / "data")
    said = refused("train", "data", *TRAIN, "--time", "t_sm")
    assert "there is no time column 't_sm'; the columns are t_ms, ax, ay, label" in said.error
    assert said.hint == "did you mean --time t_ms?"


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("high", "'high' is not a number"),
        ("", "the cell is empty or NaN"),
        ("NaN", ""),
        ("inf", "inf is not a finite number"),
        ("1e39", "1e+39 is not a finite number of float32"),
    ],
)
def test_a_cell_that_is_no_number_is_named_by_row_and_column(
    refused: Refused, place: Path, cell: str, problem: str
) -> None:
    samples.edit(samples.table(place / "data.csv"), 7, "noise", cell)
    said = refused("train", "data.csv", *TRAIN)
    assert said.error.startswith("data.csv: row 7, column noise: ")
    assert problem in said.error
    assert "--ignore" in said.hint


def test_an_empty_label_is_named_by_row(refused: Refused, place: Path) -> None:
    samples.edit(samples.table(place / "data.csv"), 9, "label", "")
    said = refused("train", "data.csv", *TRAIN)
    assert said.error == "data.csv: row 9, column label: the label is empty"


def test_one_class_only_is_refused(refused: Refused, place: Path) -> None:
    rows = [[i, 2 * i, "idle"] for i in range(20)]
    samples.write(place / "data.csv", ["a", "b", "label"], rows)
    said = refused("train", "data.csv", *TRAIN)
    assert said.error == "data.csv: the label column 'label' holds one class only: 'idle'"
    assert "second class" in said.hint


def test_a_class_with_too_few_rows_is_named(refused: Refused, place: Path) -> None:
    rows = [[i, "idle" if i else "cutting"] for i in range(20)]
    samples.write(place / "data.csv", ["a", "label"], rows)
    said = refused("train", "data.csv", *TRAIN)
    assert said.error.startswith("data.csv: the class 'cutting' has 1 row; it needs 2 at least")
    assert "add rows" in said.hint


def test_a_label_column_of_measured_values_is_refused(refused: Refused, place: Path) -> None:
    samples.table(place / "data.csv")
    said = refused("train", "data.csv", *TRAIN, "--label", "tilt")
    assert "'tilt' has" in said.error
    assert "it looks like a measurement" in said.error


def test_a_recording_shorter_than_a_window_is_named(refused: Refused, place: Path) -> None:
    samples.recordings(place / "data")
    said = refused("train", "data", *TRAIN, "--time", "t_ms", "--window-ms", "5000")
    assert "the recording r0 has 200 samples, a window 250" in said.error
    assert "--window-ms" in said.hint


def test_unequal_sampling_is_named_by_file_and_row(refused: Refused, place: Path) -> None:
    samples.recordings(place / "data")
    path = place / "data" / "r3.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    del lines[50:60]
    path.write_text("".join(lines), encoding="utf-8")
    said = refused("train", "data", *TRAIN, "--time", "t_ms", "--window-ms", "1000")
    assert "r3.csv: unequal sampling at row 51: 220 ms after the row before, usually 20 ms" in (
        said.error
    )
    assert "resample" in said.hint


def test_recordings_without_a_rate_are_refused(refused: Refused, place: Path) -> None:
    samples.recordings(place / "data")
    said = refused("train", "data", *TRAIN, "--ignore", "t_ms")
    assert said.error == "nothing says how fast the recordings were sampled"
    assert "--time" in said.hint
    assert "--rate-hz" in said.hint


def test_a_rate_without_recordings_is_refused(refused: Refused, place: Path) -> None:
    samples.table(place / "data.csv")
    said = refused("train", "data.csv", *TRAIN, "--rate-hz", "50")
    assert "nothing says where a recording ends" in said.error
    assert "--recording" in said.hint


def test_a_folder_without_recordings_is_refused(refused: Refused, place: Path) -> None:
    (place / "data").mkdir()
    (place / "data" / "notes.txt").write_text("later")
    said = refused("train", "data", *TRAIN, "--time", "t_ms")
    assert said.error == "the folder data holds no CSV or Parquet files"


@pytest.mark.parametrize("unreadable", [".", "day2"])
def test_a_folder_that_may_not_be_read_is_named(
    wedau: Wedau, nobody: Path, unreadable: str
) -> None:
    samples.recordings(nobody / "data")
    (nobody / "data" / "day2").mkdir()
    closed = nobody / "data" / unreadable
    closed.chmod(0)
    outcome = wedau("train", nobody / "data", "-o", nobody / "saw", "--time", "t_ms")
    closed.chmod(0o755)
    assert outcome.code == 1
    said = refusal(outcome.err)
    assert said.error == f"cannot read the folder {closed}: Permission denied"
    assert "permissions" in said.hint


def test_a_file_that_may_not_be_read_is_named(wedau: Wedau, nobody: Path) -> None:
    path = samples.table(nobody / "data.csv")
    path.chmod(0)
    outcome = wedau("train", path, "-o", nobody / "saw")
    assert outcome.code == 1
    assert refusal(outcome.err).error == f"cannot read {path}: Permission denied"


def test_an_output_that_may_not_be_written_is_named(wedau: Wedau, nobody: Path) -> None:
    data = samples.table(nobody / "data.csv")
    (nobody / "closed").mkdir()
    (nobody / "closed").chmod(0o555)
    outcome = wedau("train", data, "-o", nobody / "closed" / "saw", "--trees", "3")
    assert outcome.code == 1
    said = refusal(outcome.err)
    assert said.error == f"cannot write the model folder {nobody}/closed/saw: Permission denied"
    assert "may write" in said.hint
    assert sorted(contents(nobody)) == ["closed", "data.csv"]


def test_recordings_of_other_columns_are_named(refused: Refused, place: Path) -> None:
    samples.recordings(place / "data")
    rows = [[*row, "idle"] for row in samples.recording(0)]
    samples.write(place / "data" / "r9.csv", ["t_ms", "ax", "az", "label"], rows)
    said = refused("train", "data", *TRAIN, "--time", "t_ms", "--window-ms", "1000")
    assert "r9.csv: the columns are not those of the first file" in said.error
    assert "lacks ay and has az besides" in said.error


def test_an_output_folder_that_holds_other_things_is_kept(refused: Refused, place: Path) -> None:
    samples.table(place / "data.csv")
    (place / "saw").mkdir()
    (place / "saw" / "thesis.txt").write_text("ten years of work")
    said = refused("train", "data.csv", *TRAIN)
    assert said.error == "the folder saw holds other files and no model"
    assert "-o" in said.hint


def test_an_output_that_is_a_file_is_kept(refused: Refused, place: Path) -> None:
    samples.table(place / "data.csv")
    (place / "saw").write_text("a file")
    said = refused("train", "data.csv", *TRAIN)
    assert said.error == "saw is a file"


def test_the_demo_keeps_other_things(refused: Refused, place: Path) -> None:
    """Said before the work, not after it."""
    (place / "mine" / "exercises").mkdir(parents=True)
    (place / "mine" / "exercises" / "thesis.txt").write_text("ten years of work")
    said = refused("demo", "mine")
    assert said.error == "the folder mine/exercises holds other files and no model"


def test_an_output_folder_that_cannot_be_made_is_named(refused: Refused, place: Path) -> None:
    samples.table(place / "data.csv")
    (place / "way").write_text("a file in the way")
    for command in (["train", "data.csv", "-o", "way/exercises"], ["demo", "way"]):
        said = refused(*command)
        assert said.error == (
            f"cannot write the model folder way/exercises: {place}/way: it is a file"
        )
        assert "may write" in said.hint


def test_a_full_disk_leaves_the_old_model(
    refused: Refused, wedau: Wedau, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples.table(place / "data.csv")
    assert wedau("train", "data.csv", *TRAIN).code == 0

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    said = refused("train", "data.csv", *TRAIN, "--seed", "1")
    assert said.error == "cannot write the model folder saw: No space left on device"


def test_training_again_replaces_the_model_and_removes_what_was_built_of_it(
    wedau: Wedau, place: Path
) -> None:
    samples.table(place / "data.csv")
    assert wedau("train", "data.csv", *TRAIN).code == 0
    (place / "saw" / "xtensawin").mkdir()
    (place / "saw" / "xtensawin" / "modules.json").write_text("{}")
    (place / "saw" / "report.html").write_text("old")
    assert wedau("train", "data.csv", *TRAIN, "--seed", "1").code == 0
    assert sorted(contents(place / "saw")) == ["held_out.csv", "model.json", "trees.json"]


@pytest.mark.parametrize("name", ["model.json", "trees.json", "held_out.csv"])
def test_a_damaged_model_folder_is_refused(
    refused: Refused, wedau: Wedau, place: Path, name: str
) -> None:
    samples.table(place / "data.csv")
    assert wedau("train", "data.csv", *TRAIN).code == 0
    path = place / "saw" / name
    path.write_bytes(path.read_bytes()[:-40])
    for command in (["build", "saw"], ["push", "saw"], ["predict", "saw", "data.csv"]):
        said = refused(*command)
        assert name in said.error
        assert "wedau train" in said.hint
    path.unlink()
    said = refused("build", "saw")
    assert said.error == f"saw is not a model folder: no {name} in it"


def test_stderr_of_a_failure_is_two_lines_only(wedau: Wedau) -> None:
    outcome = wedau("build", "nowhere")
    assert len(outcome.err.splitlines()) == 2
    assert refusal(outcome.err).error == "nowhere is not a model folder: no model.json in it"
