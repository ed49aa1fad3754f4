"""What was built in a model's folder, with a note of what it is of: FOLDER/ARCH/*.mpy, native
modules for an architecture; FOLDER/data/NAME.wdt and NAME.py, the data file for all of them."""

import contextlib
import hashlib
import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from wedau import files
from wedau.cli.options import Format
from wedau.errors import DataError
from wedau.report import Build, Report, render
from wedau.train.model import LARGEST_FILE

NOTE = "modules.json"
REPORTS = ("report.html", "report.json")
SEARCH = ("tuning.html", "tuning.json")
CARD = "model.json"
DATA = str(Format.DATA)


@dataclass(frozen=True)
class Built:
    """What was built of a model for one architecture, or as a data file.

    Attributes:
        files: content by file name, the model's module last.
        heap_bytes: heap that importing the model takes and keeps, as measured; of a data file that
            was not measured its size, which is the least; None: not known.
    """

    format: Format
    files: dict[str, bytes]
    heap_bytes: int | None

    @property
    def module(self) -> str:
        """Name of the file that `import` finds."""
        return list(self.files)[-1]


def save(folder: Path, report: Report, paths: Sequence[Path]) -> Path:
    """Put modules, the model's own last, and the report into the model's folder.

    Returns:
        The path of the model's module there.
    """
    build = report.builds[0]
    note = {
        "model_sha256": _sha256((folder / CARD).read_bytes()),
        "build": asdict(build),
        "files": {path.name: _sha256(path.read_bytes()) for path in paths},
    }
    with tempfile.TemporaryDirectory(prefix=".new-", dir=folder) as work:
        new = Path(work, build.arch)
        new.mkdir()
        for path in paths:
            shutil.copyfile(path, new / path.name)
        (new / NOTE).write_text(json.dumps(note, indent=1) + "\n", encoding="ascii")
        whole = replace(report, builds=[build, *_other_builds(folder, build.arch)])
        for name, text in zip(REPORTS, (render(whole), whole.to_json()), strict=True):
            Path(work, name).write_text(text, encoding="utf-8")
            Path(work, name).replace(folder / name)
        if (folder / build.arch).exists():
            (folder / build.arch).rename(Path(work, "old"))
        new.rename(folder / build.arch)
    return folder / build.arch / paths[-1].name


def _other_builds(folder: Path, arch: str) -> list[Build]:
    """Return what the notes in the folder say of this model's modules for other architectures."""
    model_sha256 = _sha256((folder / CARD).read_bytes())
    builds = []
    for path in sorted(folder.glob(f"*/{NOTE}")):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            note = json.loads(path.read_text(encoding="ascii"))
            if note["model_sha256"] == model_sha256 and path.parent.name != arch:
                builds.append(Build(**note["build"]))
    return builds


def is_built(folder: Path, arch: str) -> bool:
    """Return whether something was built for an architecture, or as DATA; load() checks it."""
    return (folder / arch / NOTE).is_file()


def choose(folder: Path, arch: str, format: Format | None = None) -> Built:
    """Read what was built in a format; if none is given the native module, else the data file.

    Raises:
        DataError: as for load().
    """
    if format is None and is_built(folder, DATA) and not is_built(folder, arch):
        format = Format.DATA
    return load(folder, DATA if format is Format.DATA else arch)


def load(folder: Path, arch: str) -> Built:
    """Read what was built for an architecture, or as DATA, and check that it is of this model.

    Raises:
        DataError: nothing was built for it, the model was trained anew since, or a file changed.
    """
    is_data = arch == DATA
    again = f"run: wedau build {folder} {'--format' if is_data else '--arch'} {arch}"
    try:
        note: dict[str, Any] = json.loads(_read(folder / arch / NOTE))
        hashes = dict(note["files"])
        data = {name: _read(folder / arch / name) for name in hashes}
        model_sha256 = note["model_sha256"]
        heap_bytes = note["build"]["heap_bytes"]
        if heap_bytes is not None and type(heap_bytes) is not int:
            raise TypeError
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        what = "data file" if is_data else f"module for {arch}"
        raise DataError(f"{folder} has no complete {what}", again) from None
    if model_sha256 != _sha256((folder / CARD).read_bytes()):
        what = "data file" if is_data else "module"
        raise DataError(f"{folder} was trained again after its {what} was built", again)
    for name, content in data.items():
        if hashes[name] != _sha256(content):
            raise DataError(f"{folder / arch / name} was changed after it was built", again)
    if is_data and heap_bytes is None:
        heap_bytes = sum(map(len, data.values()))
    return Built(Format.DATA if is_data else Format.NATIVE, data, heap_bytes)


def _read(path: Path) -> bytes:
    """Read a file of a model; a pipe in its place is a DataError."""
    return files.read(path, LARGEST_FILE, DataError, "build it again")


def forget(folder: Path) -> None:
    """Remove what other commands made of an earlier model from a folder that is trained anew."""
    for name in (*REPORTS, *SEARCH):
        (folder / name).unlink(missing_ok=True)
    for note in folder.glob(f"*/{NOTE}"):
        shutil.rmtree(note.parent)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
