"""Files that people name: one that has no end, or that never begins, is refused and not read."""

import stat
from pathlib import Path

from wedau.errors import WedauError

_PIECE_BYTES = 1 << 20


def check(path: Path, kind: type[WedauError]) -> None:
    """Raise unless the path is a file or a folder: pipes and devices keep a reader for ever.

    Args:
        path: links are followed.
        kind: of the error.

    Raises:
        WedauError: of that kind: it is a pipe, a socket or a device.
        OSError: it is not there, or cannot be looked at.
    """
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise kind(
            f"{path} is not a file", "it is a pipe or a device: save its content, give that file"
        )


def read(path: Path, limit_bytes: int, kind: type[WedauError], hint: str) -> bytes:
    """Read a file of at most so many bytes.

    Args:
        path: links are followed.
        limit_bytes: the most that such a file can have.
        kind: of the errors.
        hint: what to do about a file that is larger.

    Raises:
        WedauError: of that kind: it is not a file, or is larger.
        OSError: it is not there, is a folder, or cannot be read.
    """
    check(path, kind)
    if path.stat().st_size <= limit_bytes:
        data = _beginning(path, limit_bytes + 1)
        if len(data) <= limit_bytes:
            return data
    raise kind(f"{path} is larger than {limit_bytes} bytes, the most it can be", hint)


def check_tree(folder: Path, kind: type[WedauError]) -> None:
    """Raise unless all folders in a folder can be listed: glob() passes over what it may not read.

    Args:
        folder: may be missing.
        kind: of the error.

    Raises:
        WedauError: of that kind: one of them cannot be read.
    """
    try:
        for path in (folder, *(p for p in folder.rglob("*") if p.is_dir())):
            next(path.iterdir(), None)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise kind(
            f"cannot read the folder {error.filename or folder}: {error.strerror}",
            "check its permissions",
        ) from error


def _beginning(path: Path, most_bytes: int) -> bytes:
    """Return a file's first bytes; memory is taken for what is there, not for the most."""
    pieces = []
    with path.open("rb") as file:
        while most_bytes and (piece := file.read(min(most_bytes, _PIECE_BYTES))):
            pieces.append(piece)
            most_bytes -= len(piece)
    return b"".join(pieces)
