"""Files that appear whole or not at all, and one writer at a time."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from wedau import files
from wedau.errors import OtaError

LOCK = ".lock"
_NEW = ".new-"


def write(path: Path, data: bytes, *, secret: bool = False) -> None:
    """Write a file beside its place, to the disk, and rename it; its folders are made.

    Args:
        path: an old file there is replaced in one step.
        data: the content.
        secret: for the owner's eyes only.

    Raises:
        OtaError: it cannot be written; what was there is still there.
    """
    beside = path.with_name(f"{_NEW}{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(beside, flags, 0o600 if secret else 0o644), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise OtaError(
            f"{path} cannot be written: {error.strerror}",
            "check the permissions and the free space; what was there before is still valid",
        ) from None


def read(path: Path, limit_bytes: int, hint: str) -> bytes:
    """Read a file of at most so many bytes.

    Raises:
        OtaError: it is not there, not a file, cannot be read, or is larger.
    """
    try:
        return files.read(path, limit_bytes, OtaError, hint)
    except OSError as error:
        raise OtaError(f"{path} cannot be read: {error.strerror}", hint) from None


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold a folder for one writer; the system lets go of it even if the process is killed.

    Raises:
        OtaError: somebody else holds it, or it cannot be written.
    """
    try:
        file = (folder / LOCK).open("ab")
    except OSError as error:
        raise OtaError(
            f"{folder} cannot be written: {error.strerror}", "check the path and its permissions"
        ) from None
    with file:
        if not _take(file):
            raise OtaError(
                f"another command is changing {folder}", "wait until it has ended, then try again"
            )
        yield


def _take(file: IO[bytes]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
