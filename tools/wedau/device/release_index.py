"""The index of a release: its files with their sizes and hashes; checked in full when parsed."""

import json
import re
from dataclasses import dataclass
from typing import Any

from wedau.errors import ReleaseError

INDEX = "index.json"
SIGNATURE = "index.json.sig"
INDEX_VERSION = 1
LARGEST_INDEX = 1 << 20
LARGEST_FILE = 64 << 20
MANIFEST = "manifest.json"

_MOST_FILES = 5000
_LONGEST_PATH = 200
_PART = r"[A-Za-z0-9_](?:[A-Za-z0-9_.+-]{0,98}[A-Za-z0-9_+-])?"
_PATH = re.compile(rf"{_PART}(?:/{_PART}){{0,5}}")
_BOARD = re.compile(r"[A-Za-z0-9_-]{1,64}")
_RELEASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,63}")
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class File:
    """A file of a release.

    Attributes:
        path: below the release's folder, ASCII, parts joined by "/"; leads nowhere else.
        size: in bytes.
        sha256: of its bytes, 64 small hexadecimal digits.
    """

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Index:
    """What a release holds.

    Attributes:
        release: its version.
        boards: names of the boards; the firmware of each is the folder of that name.
        files: all files, sorted by path.
    """

    release: str
    boards: tuple[str, ...]
    files: tuple[File, ...]

    def of_board(self, board: str) -> tuple[File, ...]:
        """Return the files of a board's firmware.

        Raises:
            ReleaseError: the release has none for that board.
        """
        if board not in self.boards:
            raise ReleaseError(
                f"release {self.release} has no firmware for {board}",
                f"it has: {', '.join(self.boards) or 'none at all'}",
            )
        return tuple(file for file in self.files if file.path.startswith(f"{board}/"))


class IndexFormatError(ValueError):
    """What is wrong with an index, in a few words."""


def is_path(path: str) -> bool:
    """Whether a path may be that of a file of a release."""
    own = path in (INDEX, SIGNATURE)
    return len(path) <= _LONGEST_PATH and bool(_PATH.fullmatch(path)) and not own


def render(index: Index) -> bytes:
    """Return the bytes of an index, as parse() reads them; the same for the same release.

    Raises:
        IndexFormatError: it is none that parse() takes.
    """
    document = {
        "index_version": INDEX_VERSION,
        "release": index.release,
        "boards": list(index.boards),
        "files": [vars(file) for file in index.files],
    }
    data = (json.dumps(document, indent=1) + "\n").encode("ascii")
    if parse(data) != index:
        raise IndexFormatError("its entries are not sorted")
    return data


def parse(data: bytes) -> Index:
    """Read an index and check all of it.

    Args:
        data: the file's bytes; at most LARGEST_INDEX are read.

    Raises:
        IndexFormatError: it is no index, or one of another version.
    """
    if len(data) > LARGEST_INDEX:
        raise IndexFormatError(f"it has more than {LARGEST_INDEX} bytes")
    try:
        content = json.loads(data.decode("ascii"))
    except (ValueError, RecursionError):
        raise IndexFormatError("it is not JSON in ASCII") from None
    version = _get(content, "index_version", int)
    if version != INDEX_VERSION:
        raise IndexFormatError(f"index_version is {version}, this Wedau reads {INDEX_VERSION}")
    files = _get(content, "files", list)
    if len(files) > _MOST_FILES:
        raise IndexFormatError(f"it names more than {_MOST_FILES} files")
    index = Index(
        release=_matching(_get(content, "release", str), _RELEASE, "release"),
        boards=tuple(_board(name) for name in _get(content, "boards", list)),
        files=tuple(sorted((_file(entry) for entry in files), key=lambda file: file.path)),
    )
    _check_together(index)
    return index


def _get(content: Any, key: str, kind: type) -> Any:
    value = content.get(key) if isinstance(content, dict) else None
    if not isinstance(value, kind) or isinstance(value, bool):
        raise IndexFormatError(f"{key} is missing or of the wrong kind")
    return value


def _matching(text: str, pattern: re.Pattern[str], what: str) -> str:
    if not pattern.fullmatch(text):
        raise IndexFormatError(f"{what} is {text[:60]!r}")
    return text


def _board(name: Any) -> str:
    if not isinstance(name, str):
        raise IndexFormatError("a board is no text")
    return _matching(name, _BOARD, "a board")


def _file(entry: Any) -> File:
    path = _get(entry, "path", str)
    size = _get(entry, "size", int)
    if not is_path(path):
        raise IndexFormatError(f"the path {path[:60]!r} is not one of a release")
    if not 0 <= size <= LARGEST_FILE:
        raise IndexFormatError(f"{path} would have {str(size)[:20]} bytes")
    return File(path, size, _matching(_get(entry, "sha256", str), _HASH, f"sha256 of {path}"))


def _check_together(index: Index) -> None:
    """Check what one entry alone does not show."""
    paths = [file.path.lower() for file in index.files]
    if len({*paths}) != len(paths):
        raise IndexFormatError("two files have the same path, at least where case does not count")
    folders = {path[:at] for path in paths for at, c in enumerate(path) if c == "/"}
    if folders & {*paths}:
        raise IndexFormatError(f"{min(folders & {*paths})} is both a file and a folder")
    if len({*index.boards}) != len(index.boards):
        raise IndexFormatError("a board is named twice")
    named = {file.path for file in index.files}
    for board in index.boards:
        if f"{board}/{MANIFEST}" not in named:
            raise IndexFormatError(f"{board} has no {MANIFEST}")
