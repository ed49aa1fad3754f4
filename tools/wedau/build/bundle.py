"""Everything of Wedau that a stock MicroPython lacks, as files; their folder is a package for mip.

mip is MicroPython's package manager. What it installs from is a `package.json` that lists the files
beside it: https://docs.micropython.org/en/latest/reference/packages.html
"""

import json
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from wedau import __version__
from wedau.build import compat, package, runtime
from wedau.errors import DataError

LIST = "package.json"


def build(
    arch: str,
    micropython: Path,
    *,
    with_compat: bool = False,
    say: Callable[[str], None] = lambda message: None,
) -> dict[str, bytes]:
    """Compile the native modules and the package `wedau`.

    Args:
        arch: one of wedau.build.targets.TARGETS.
        micropython: MicroPython's source, 1.25 or newer.
        with_compat: the modules of wedau.build.compat as well.
        say: called with the compiler's warnings.

    Returns:
        Content by path below the board's folder for libraries; what imports another, after it.

    Raises:
        BuildError, UsageError: as for wedau.build.natmod.build().
    """
    files = {}
    with tempfile.TemporaryDirectory(prefix="wedau-bundle-") as folder:
        for name in runtime.modules():
            made = runtime.build(
                name, arch=arch, micropython=micropython, out=Path(folder), say=say
            )
            files[made.path.name] = made.path.read_bytes()
    files |= package.build(package.modules())
    return files | compat.build(arch, micropython, say=say) if with_compat else files


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files and, last, the list that makes the folder a package for mip.

    Args:
        folder: is made if it is not there; other files in it stay.
        files: as build() gives them.

    Raises:
        DataError: it cannot be written.
    """
    document = {"urls": [[name, name] for name in files], "deps": [], "version": __version__}
    text = json.dumps(document, indent=1) + "\n"
    try:
        for name, data in {**files, LIST: text.encode("ascii")}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            beside = path.with_name(f".{path.name}.{os.getpid()}")
            beside.write_bytes(data)
            beside.replace(path)
    except OSError as error:
        raise DataError(
            f"{folder} cannot be written: {error.strerror}", "give another folder"
        ) from None


def read(folder: Path) -> dict[str, bytes]:
    """Return the files that a folder's list names, in its order.

    Raises:
        DataError: there is no such list, or a file of it is missing.
    """
    again = "give the folder that 'wedau build-engine FOLDER' made"
    try:
        document = json.loads((folder / LIST).read_bytes())
        names = [_beside(name, url) for name, url in document["urls"]]
    except OSError:
        raise DataError(f"{folder} holds no {LIST}", again) from None
    except (ValueError, TypeError, KeyError, RecursionError):
        raise DataError(f"{folder / LIST} is not what Wedau writes", again) from None
    try:
        return {name: (folder / name).read_bytes() for name in names}
    except OSError as error:
        raise DataError(f"{error.filename} cannot be read: {error.strerror}", again) from None


def _beside(name: Any, url: Any) -> str:
    """Return a file's name, the same in the folder and on the board, and within both."""
    parts = PurePosixPath(name).parts
    if name != url or "/".join(parts) != name or ".." in parts or name.startswith("/"):
        raise ValueError
    return str(name)
