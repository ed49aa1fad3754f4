"""Read CSV and Parquet files of people, and say exactly what is wrong with them."""

import csv
import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wedau import files
from wedau.errors import DataError
from wedau.train.names import nearest

SUFFIXES = (".csv", ".parquet")
MAX_LABELS = 100
_LARGEST_BYTES = 1 << 30
_SAVE_AS_CSV = "open it in the spreadsheet and save it as 'CSV UTF-8'"
_ZIP, _OLE, _PARQUET = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"PAR1"


@dataclass(frozen=True)
class Table:
    """A file's columns, as they were read, with the row numbers that a spreadsheet shows.

    Attributes:
        path: the file.
        frame: its columns; text columns hold str, missing cells are NA.
    """

    path: Path
    frame: pd.DataFrame

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in the file's order."""
        return list(self.frame.columns)

    def require(self, column: str, what: str, option: str) -> None:
        """Raise DataError, listing the columns there are, unless `column` is one of them."""
        if column in self.columns:
            return
        near = nearest(column, self.columns)
        raise DataError(
            f"{self.path}: there is no {what} column {column!r}; the columns are "
            + ", ".join(self.columns),
            f"did you mean {option} {near}?" if near else f"name it with {option} COLUMN",
        )

    def numbers(self, column: str) -> NDArray[np.float64]:
        """Return a column as float64, shape (n_rows,).

        Raises:
            DataError: a cell is empty, text, not finite, or too large for float32.
        """
        cells = self.frame[column]
        if not pd.api.types.is_numeric_dtype(cells):
            cells = self._parse(cells)
        values = cells.to_numpy(np.float64, na_value=np.nan)
        with np.errstate(over="ignore"):
            bad = np.flatnonzero(~np.isfinite(values.astype(np.float32)))
        if len(bad):
            self._reject(column, int(bad[0]))
        return values

    def texts(self, column: str, what: str) -> list[str]:
        """Return a column as text without surrounding blanks.

        Raises:
            DataError: a cell is empty.
        """
        cells = self.frame[column]
        empty = np.flatnonzero(cells.isna())
        if len(empty):
            self._reject(column, int(empty[0]), f"the {what} is empty")
        return [_text(v) for v in cells.tolist()]

    def _parse(self, cells: "pd.Series[str]") -> "pd.Series[float]":
        texts = cells.astype("string").str.strip()
        dots = pd.to_numeric(texts, errors="coerce")
        commas = pd.to_numeric(texts.str.replace(",", ".", regex=False), errors="coerce")
        return commas if commas.notna().sum() > dots.notna().sum() else dots

    def _reject(self, column: str, index: int, problem: str = "") -> None:
        cell = self.frame[column].iloc[index]
        hint = "fill in the cell, delete the row, or leave the column out with --ignore"
        if not problem:
            if pd.isna(cell):
                problem = "the cell is empty or NaN"
            elif isinstance(cell, (int, float, np.number)):
                problem = f"{cell} is not a finite number of float32"
            else:
                problem = f"{str(cell)!r} is not a number"
        raise DataError(f"{self.path}: row {index + 2}, column {column}: {problem}", hint)


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def read(path: Path, text_columns: Sequence[str] = ()) -> Table:
    """Read a CSV or Parquet file.

    Commas, semicolons and tabs separate; with the latter two a comma may be the decimal point. A
    byte order mark is skipped.

    Args:
        path: the file.
        text_columns: names of columns that are not numbers, even if they look so.

    Raises:
        DataError: the file is missing, empty, too large, of another kind, or its columns' names
            are not usable.
    """
    content = _bytes(path)
    if content.startswith(_PARQUET):
        frame = _read_parquet(path, content)
    else:
        frame = _read_csv(path, content, text_columns)
    if not len(frame):
        raise DataError(f"{path}: there are no rows below the header", "give a file with data")
    return Table(path, frame)


def _bytes(path: Path) -> bytes:
    try:
        content = files.read(
            path, _LARGEST_BYTES, DataError, "keep fewer rows, or give a folder of smaller files"
        )
    except OSError as error:
        raise DataError(
            f"cannot read {path}: {error.strerror}", "check the name and the folder you are in"
        ) from error
    if not content.strip():
        raise DataError(f"{path} is empty", "give a file with a header and data")
    return content


def _read_parquet(path: Path, content: bytes) -> pd.DataFrame:
    try:
        frame = pd.read_parquet(io.BytesIO(content)).reset_index(drop=True)
    except Exception as error:  # pyarrow raises many kinds for a damaged file
        what = str(error).splitlines()[0]
        raise DataError(f"{path} is not a Parquet file: {what}", "write it again") from error
    _check_names(path, [str(c) for c in frame.columns])
    return frame


def _read_csv(path: Path, content: bytes, text_columns: Sequence[str]) -> pd.DataFrame:
    text = _decode(path, content)
    delimiter = _delimiter(text)
    header, first = _first_rows(path, text, delimiter)
    _check_names(path, header)
    if first and len(first) != len(header):
        raise _uneven(path, 2, len(header), len(first))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", pd.errors.DtypeWarning)
            frame = pd.read_csv(
                io.StringIO(text),
                sep=delimiter,
                dtype={c: "string" for c in text_columns if c in header},
                index_col=False,
                keep_default_na=False,
                na_values=[""],
                skip_blank_lines=False,
                skipinitialspace=True,
                low_memory=False,
            )
    except pd.errors.ParserError as error:
        raise _parser_error(path, str(error)) from error
    return _without_blank_end(path, frame)


def _without_blank_end(path: Path, frame: pd.DataFrame) -> pd.DataFrame:
    filled = np.flatnonzero(frame.notna().any(axis=1))
    if not len(filled):
        return frame.iloc[:0]
    blank = np.flatnonzero(filled != np.arange(len(filled)))
    if len(blank):
        raise DataError(f"{path}: row {blank[0] + 2} is empty", "delete the row")
    return frame.iloc[: len(filled)]


def _decode(path: Path, content: bytes) -> str:
    if content.startswith((_ZIP, _OLE)):
        raise DataError(f"{path} is an Excel or other office file, not a CSV", _SAVE_AS_CSV)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"{path} is UTF-16 text, not UTF-8", _SAVE_AS_CSV)
    if b"\0" in content:
        raise DataError(f"{path} is not a CSV: it holds binary data", "give a CSV or Parquet file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        raise DataError(f"{path}: row {row}: the text is not UTF-8", _SAVE_AS_CSV) from error


def _delimiter(text: str) -> str:
    header = text.split("\n", 1)[0]
    return max(",;\t", key=header.count)


def _first_rows(path: Path, text: str, delimiter: str) -> tuple[list[str], list[str]]:
    try:
        rows = csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True)
        header, first = next(rows, []), next(rows, [])
    except csv.Error as error:
        raise DataError(f"{path} is not a CSV: {error}", "give a CSV or Parquet file") from error
    if len(header) < 2:
        raise DataError(
            f"{path} is not a CSV: its first row holds no comma, semicolon or tab",
            "give a file whose first row names the columns, separated by commas",
        )
    return header, first


def _check_names(path: Path, names: Sequence[str]) -> None:
    seen = set()
    for number, name in enumerate(names, 1):
        if not name.strip():
            problem = f"column {number} has no name"
        elif name in seen:
            problem = f"two columns are named {name!r}"
        elif not (name.isascii() and name.isprintable()):
            problem = f"the column name {name!r} has characters outside ASCII"
        elif _is_number(name):
            problem = f"the column name {name!r} is a number; the first row must name the columns"
        else:
            seen.add(name)
            continue
        raise DataError(
            f"{path}: row 1: {problem}", "give each column its own name, in plain letters"
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _uneven(path: Path, row: int, expected: int, found: int) -> DataError:
    return DataError(
        f"{path}: row {row} has {found} cells, the header {expected}",
        "give every row as many cells; with decimal commas, separate by semicolons",
    )


def _parser_error(path: Path, text: str) -> DataError:
    numbers = [int(w) for w in text.replace(",", " ").split() if w.isdigit()]
    if "Expected" in text and len(numbers) == 3:
        expected, row, found = numbers
        return _uneven(path, row, expected, found)
    return DataError(f"{path} is not a CSV: {text.splitlines()[0]}", "check its quotes and commas")


def check_labels(path: Path, column: str, labels: Sequence[str]) -> None:
    """Raise DataError unless these can be class names: at least two, not measured values."""
    names = sorted(set(labels))
    if len(names) == 1:
        raise DataError(
            f"{path}: the label column {column!r} holds one class only: {names[0]!r}",
            "add data of a second class; a classifier tells classes apart",
        )
    measured = all(_is_number(n) for n in names) and any("." in n or "," in n for n in names)
    if len(names) > MAX_LABELS or (measured and len(names) > 2):
        raise DataError(
            f"{path}: the label column {column!r} has {len(names)} different values, such as "
            f"{names[0]} and {names[1]}: it looks like a measurement",
            f"name a column of classes with --label, at most {MAX_LABELS} of them",
        )
    for name in names:
        if not name.isprintable() or len(name.encode()) > 64:
            raise DataError(
                f"{path}: the label {name!r} is too long or not printable",
                "use labels of at most 64 bytes in one line",
            )
