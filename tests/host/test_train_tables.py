"""Reading people's files: what is read right, and what each error says."""

from pathlib import Path

import pandas as pd
import pytest

from wedau.errors import DataError
from wedau.train import dataset, tables
from wedau.train.settings import TrainSettings

SETTINGS = TrainSettings(label="activity")


def write(folder: Path, content: str | bytes, name: str = "data.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refused(path: Path, settings: TrainSettings = SETTINGS) -> tuple[str, str]:
    """The message, without the folder's name, and the hint."""
    with pytest.raises(DataError) as caught:
        dataset.check_enough(dataset.from_table(path, settings))
    assert "\n" not in caught.value.message + caught.value.hint
    return caught.value.message.replace(str(path), path.name), caught.value.hint


GOOD = "a,b,activity\n1,2.5,walk\n3,4,run\n5,6,walk\n7,8,run\n"


def test_csv_is_read_with_names_labels_and_values(tmp_path: Path) -> None:
    data = dataset.from_table(write(tmp_path, GOOD), SETTINGS)
    assert data.features == ("a", "b")
    assert data.labels == ("run", "walk")
    assert data.y.tolist() == [1, 0, 1, 0]
    assert data.x.tolist() == [[1, 2.5], [3, 4], [5, 6], [7, 8]]
    assert data.recipe is None


@pytest.mark.parametrize(
    "content",
    [
        "\ufeff" + GOOD,
        GOOD.replace("\n", "\r\n"),
        GOOD.replace(",", ";"),
        GOOD.replace(",", ";").replace("2.5", "2,5"),
        GOOD.replace(",", "\t").replace("2.5", "2,5"),
        GOOD.replace(",", ", "),
        GOOD + "\n\n",
        GOOD.replace("walk", '"walk"'),
    ],
    ids=["bom", "crlf", "semicolon", "german", "tab", "blanks", "blank-end", "quoted"],
)
def test_csv_dialects_give_the_same_data(tmp_path: Path, content: str) -> None:
    good = dataset.from_table(write(tmp_path, GOOD, "good.csv"), SETTINGS)
    data = dataset.from_table(write(tmp_path, content), SETTINGS)
    assert data.card.sha256 == good.card.sha256


def test_parquet_gives_the_same_data_as_csv(tmp_path: Path) -> None:
    csv = dataset.from_table(write(tmp_path, GOOD), SETTINGS)
    pd.read_csv(tmp_path / "data.csv").to_parquet(tmp_path / "data.parquet")
    parquet = dataset.from_table(tmp_path / "data.parquet", SETTINGS)
    assert parquet.card.sha256 == csv.card.sha256


def test_dates_in_parquet_are_not_numbers(tmp_path: Path) -> None:
    frame = pd.DataFrame({"day": pd.to_datetime(["2026-01-02"] * 4), "activity": list("xyxy")})
    frame.to_parquet(tmp_path / "data.parquet")
    message, _ = refused(tmp_path / "data.parquet")
    assert message == "data.parquet: row 2, column day: '2026-01-02 00:00:00' is not a number"


def test_labels_that_are_numbers_stay_as_they_are_written(tmp_path: Path) -> None:
    data = dataset.from_table(write(tmp_path, "a,activity\n1,01\n2,1\n3,01\n4,1\n"), SETTINGS)
    assert data.labels == ("01", "1")


def test_ignored_columns_may_hold_anything(tmp_path: Path) -> None:
    path = write(tmp_path, "a,note,activity\n1,,x\n2,hm,y\n3,,x\n4,,y\n")
    settings = TrainSettings(label="activity", ignore=("note",))
    assert dataset.from_table(path, settings).features == ("a",)


@pytest.mark.parametrize(
    ("content", "message", "hint"),
    [
        ("", "data.csv is empty", "give a file with a header and data"),
        ("a,activity\n", "data.csv: there are no rows below the header", "with data"),
        (b"PK\x03\x04abc", "data.csv is an Excel or other office file", "save it as 'CSV UTF-8'"),
        (b"\x00\x01\x02,\n", "data.csv is not a CSV: it holds binary data", "give a CSV"),
        (b"\xff\xfea\x00", "data.csv is UTF-16 text, not UTF-8", "save it as 'CSV UTF-8'"),
        (b"a,activity\n1,M\xfcll\n", "data.csv: row 2: the text is not UTF-8", "CSV UTF-8"),
        ("hello\nworld\n", "data.csv is not a CSV: its first row holds no comma", "first row"),
        ("PAR1 nonsense", "data.csv is not a Parquet file: ", "write it again"),
        (
            "a,b,label_activity\n1,2,x\n",
            "data.csv: there is no label column 'activity'; the columns are a, b, label_activity",
            "did you mean --label label_activity?",
        ),
        ("a,b\n1,2\n", "there is no label column 'activity'; the columns are a, b", "--label COL"),
        ("a,a,activity\n1,2,x\n", "data.csv: row 1: two columns are named 'a'", "its own name"),
        ("a,,activity\n1,2,x\n", "data.csv: row 1: column 2 has no name", "its own name"),
        ("höhe,activity\n1,x\n", "row 1: the column name 'höhe' has characters outside ASCII", ""),
        ("1,2\n3,4\n", "row 1: the column name '1' is a number; the first row must name", ""),
        (
            "a,b,activity\n1,2,x\n3,oops,y\n",
            "data.csv: row 3, column b: 'oops' is not a number",
            "fill in the cell, delete the row, or leave the column out with --ignore",
        ),
        ("a,b,activity\n1,2,x\n3,,y\n", "row 3, column b: the cell is empty or NaN", "fill in"),
        ("a,activity\n1,x\n\n3,y\n", "data.csv: row 3 is empty", "delete"),
        ("a,activity\n1,x\nnan,y\n", "row 3, column a: 'nan' is not a number", "fill in"),
        ("a,activity\n1,x\ninf,y\n", "row 3, column a: inf is not a finite number", "fill in"),
        ("a,activity\n1,x\n1e39,y\n", "row 3, column a: 1e+39 is not a finite number", "fill"),
        ("a,activity\n1,x\n2,\n", "row 3, column activity: the label is empty", "fill in"),
        ("a,activity\n1,x\n2,y,3\n", "data.csv: row 3 has 3 cells, the header 2", "decimal commas"),
        ("a,activity\n1,5,x\n2,5,y\n", "data.csv: row 2 has 3 cells, the header 2", "semicolons"),
        ("a;activity\n1.000,5;x\n2;y\n", "row 2, column a: '1.000,5' is not a number", "fill in"),
        (
            "a,activity\n1,x\n2,x\n",
            "data.csv: the label column 'activity' holds one class only: 'x'",
            "add data of a second class",
        ),
        (
            "a,activity\n1,0.1\n2,0.2\n3,0.3\n",
            "data.csv: the label column 'activity' has 3 different values, such as 0.1 and 0.2: "
            "it looks like a measurement",
            "--label",
        ),
        (
            "a,activity\n" + "".join(f"1,{i}\n" for i in range(101)),
            "the label column 'activity' has 101 different values",
            "at most 100",
        ),
        (
            "a,activity\n1,x\n2,y\n3,x\n",
            "data.csv: the class 'y' has 1 row; it needs 2 at least",
            "add rows of this class",
        ),
        ("activity,\nx,1\n", "row 1: column 2 has no name", ""),
        ("a,activity\n1,%s\n2,y\n" % ("x" * 65), "is too long or not printable", "64 bytes"),
    ],
)
def test_what_is_wrong_is_said(
    tmp_path: Path, content: str | bytes, message: str, hint: str
) -> None:
    said = refused(write(tmp_path, content))
    assert message in said[0]
    assert hint in said[1]


def test_missing_file_is_said(tmp_path: Path) -> None:
    message, hint = refused(tmp_path / "data.csv")
    assert message == "cannot read data.csv: No such file or directory"
    assert "check the name" in hint


def test_table_of_labels_alone_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "activity,group\nx,1\ny,2\n")
    message, _ = refused(path, TrainSettings(label="activity", group="group"))
    assert message == "data.csv: there is no column besides the label's"


def test_class_of_one_group_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "a,who,activity\n1,u,x\n2,v,x\n3,u,y\n4,u,y\n")
    message, hint = refused(path, TrainSettings(label="activity", group="who"))
    assert message.startswith("data.csv: the class 'y' occurs in 1 group; it needs 2 at least")
    assert hint == "record it in a second group, or leave --group out"


def test_missing_group_column_is_refused(tmp_path: Path) -> None:
    message, hint = refused(write(tmp_path, GOOD), TrainSettings(label="activity", group="A "))
    assert "there is no group column 'A '; the columns are a, b, activity" in message
    assert hint.startswith("did you mean --group a?")


def test_rows_of_big_files_are_numbered_as_in_a_spreadsheet(tmp_path: Path) -> None:
    rows = ["1.5,x\n"] * 300_000
    rows[262_143] = "bad,y\n"
    path = write(tmp_path, "a,activity\n" + "".join(rows))
    with pytest.raises(DataError, match="row 262145, column a: 'bad' is not a number"):
        tables.read(path, ["activity"]).numbers("a")
