"""Releases: a folder of firmwares and packages, with an index that its publisher signed."""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from wedau.device import firmware, release_index, release_keys, release_source
from wedau.device.release_index import INDEX, MANIFEST, SIGNATURE, File, Index, IndexFormatError
from wedau.device.release_source import Source
from wedau.errors import ReleaseError
from wedau.files import check_tree

OnProgress = Callable[[int, int], None]

_GET_AGAIN = "do not use it: get the release again from its publisher"


@dataclass(frozen=True)
class Release:
    """A release whose index is signed by a key that is trusted.

    Attributes:
        index: what it holds.
        digest: SHA-256 of the index, in hexadecimal.
        signed_by: fingerprint of the key.
        source: where the files lie; they are not checked yet.
    """

    index: Index
    digest: str
    signed_by: str
    source: Source


def is_release(place: str) -> bool:
    """Whether a place is to be read as a release: an address, or a folder with an index."""
    return release_source.is_address(place) or Path(place, INDEX).is_file()


def find(place: str, keys: Iterable[Ed25519PublicKey]) -> Release:
    """Read the index of a release; its signature is checked before anything in it is read.

    Nothing keeps an older release out: whoever publishes decides what lies at the place.

    Args:
        place: a folder, or an http or https address.
        keys: public keys that are trusted.

    Raises:
        ReleaseError: it cannot be read, is not signed by one of the keys, or is damaged.
        UsageError: the address is no http or https address.
    """
    source = release_source.at(place)
    data = _read(source, INDEX, release_index.LARGEST_INDEX)
    signature = _read(source, SIGNATURE, release_keys.SIGNATURE_BYTES)
    signed_by = release_keys.verify(data, signature, keys)
    if signed_by is None:
        raise ReleaseError(
            f"{source.name(INDEX)} is not signed by a key that is trusted",
            "do not use it, unless it is another publisher's: then give that key with --key",
        )
    try:
        index = release_index.parse(data)
    except IndexFormatError as problem:
        raise ReleaseError(
            f"{source.name(INDEX)} is signed, but cannot be used: {problem}",
            "update Wedau, or tell the publisher",
        ) from None
    return Release(index, hashlib.sha256(data).hexdigest(), signed_by, source)


def fetch(release: Release, board: str, cache: Path, on_progress: OnProgress | None = None) -> Path:
    """Copy a board's firmware into the cache; a file gets its name there once it is verified.

    Args:
        release: from find().
        board: the board's name.
        cache: an existing folder; what is there already is verified again and used.
        on_progress: called with the bytes that are there and those of all.

    Returns:
        The folder, for wedau.device.firmware.load().

    Raises:
        ReleaseError: the board is not in the release; a file is missing, damaged or breaks off.
    """
    files = release.index.of_board(board)
    progress = _Progress(files, on_progress)
    folder = cache / release.digest[:32]
    for file in files:
        target = folder / file.path
        if _is_whole(target, file):
            progress.add(file.size)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        _save(release.source, file, target, progress.add)
    return folder / board


def check(release: Release, on_progress: OnProgress | None = None) -> None:
    """Verify every file of a release; nothing is kept.

    Raises:
        ReleaseError: a file is missing, damaged or breaks off.
    """
    progress = _Progress(release.index.files, on_progress)
    for file in release.index.files:
        for chunk in _verified(release.source, file):
            progress.add(len(chunk))


def sign(folder: Path, version: str, key: Ed25519PrivateKey) -> Index:
    """Write the index of all that lies in a folder, and its signature.

    Args:
        folder: a subfolder with manifest.json is a board's firmware; all else is listed, too.
        version: of the release.
        key: private; nothing of it is written.

    Raises:
        ReleaseError: a name or a size is none that a release may have.
        DataError: a firmware is damaged or not that of its folder's name.
    """
    try:
        index = _listed(folder, version)
        data = release_index.render(index)
    except IndexFormatError as problem:
        raise ReleaseError(
            f"{folder} cannot be released: {problem}", "rename or remove it"
        ) from None
    except OSError as error:
        raise ReleaseError(
            f"{folder} cannot be read: {error.strerror}", "give the folder of the release"
        ) from None
    _replace(folder / INDEX, data)
    _replace(folder / SIGNATURE, key.sign(data))
    return index


def _listed(folder: Path, version: str) -> Index:
    check_tree(folder, ReleaseError)
    boards = sorted(path.parent.name for path in folder.glob(f"*/{MANIFEST}"))
    for board in boards:
        firmware.load(folder / board, board)
    every = sorted(folder.rglob("*"))
    paths = [path for path in every if path.is_symlink() or not path.is_dir()]
    found = [_described(path, path.relative_to(folder).as_posix()) for path in paths]
    files = [file for file in found if file.path not in (INDEX, SIGNATURE)]
    if not files:
        raise IndexFormatError("it holds no files")
    return Index(version, tuple(boards), tuple(sorted(files, key=lambda file: file.path)))


def _described(path: Path, name: str) -> File:
    if path.is_symlink():
        raise IndexFormatError(f"{name} is a link")
    if not path.is_file():
        raise IndexFormatError(f"{name} is not a file")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return File(name, path.stat().st_size, digest)


def _replace(path: Path, data: bytes) -> None:
    with _new(path) as temporary:
        temporary.write_bytes(data)


def _save(source: Source, file: File, target: Path, on_bytes: Callable[[int], None]) -> None:
    with _new(target) as temporary, temporary.open("wb") as out:
        for chunk in _verified(source, file):
            out.write(chunk)
            on_bytes(len(chunk))


@contextlib.contextmanager
def _new(path: Path) -> Iterator[Path]:
    """Give a file beside it to write to; it takes the path's name only if all went well."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _read(source: Source, path: str, limit_bytes: int) -> bytes:
    """Read a small file whose size and hash nobody has told yet."""
    data = bytearray()
    with contextlib.closing(source.chunks(path)) as chunks:
        for chunk in chunks:
            data += chunk
            if len(data) > limit_bytes:
                raise ReleaseError(
                    f"{source.name(path)} is too large: more than {limit_bytes} bytes", _GET_AGAIN
                )
    return bytes(data)


def _verified(source: Source, file: File) -> Iterator[bytes]:
    """Yield a file's bytes; at the end, or where it gets too long, an error if it is not the one.

    Raises:
        ReleaseError: size or hash is not that of the index.
    """
    name = source.name(file.path)
    digest, size = hashlib.sha256(), 0
    with contextlib.closing(source.chunks(file.path)) as chunks:
        for chunk in chunks:
            size += len(chunk)
            if size > file.size:
                raise ReleaseError(
                    f"{name} has more than the {file.size} bytes of the index", _GET_AGAIN
                )
            digest.update(chunk)
            yield chunk
    if size < file.size:
        raise ReleaseError(f"{name} ends after {size} of {file.size} bytes", _GET_AGAIN)
    if digest.hexdigest() != file.sha256:
        raise ReleaseError(f"{name} is damaged: its hash is not that of the index", _GET_AGAIN)


def _is_whole(path: Path, file: File) -> bool:
    try:
        with path.open("rb") as content:
            same = hashlib.file_digest(content, "sha256").hexdigest() == file.sha256
    except OSError:
        return False
    return same and path.stat().st_size == file.size


class _Progress:
    def __init__(self, files: Iterable[File], on_progress: OnProgress | None) -> None:
        self._total = sum(file.size for file in files)
        self._done = 0
        self._on_progress = on_progress

    def add(self, count: int) -> None:
        self._done += count
        if self._on_progress:
            self._on_progress(self._done, self._total)
