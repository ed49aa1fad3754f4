"""Get Monocypher's two files at the pinned version: the arithmetic of modules/core/sign."""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from wedau.errors import BuildError
from wedau.paths import cache_dir

VARIABLE = "WEDAU_MONOCYPHER"
_TIMEOUT_S = 20
_PIP_TIMEOUT_S = 300
_NEEDED = "eddsa_reduce|eddsa_check_equation"
# Every other function, as the files write the beginning of a definition and of a declaration.
_UNUSED = re.compile(rf"^(?=(?:void|int|u\w+)\s+crypto_(?!(?:{_NEEDED})\b))", re.MULTILINE)


def folder(*, say: Callable[[str], None] = lambda message: None) -> Path:
    """Return the folder with monocypher.c and monocypher.h, as upstream has them.

    The first of these that works is used: the folder that ``WEDAU_MONOCYPHER`` names, the cache,
    upstream's repository, the source distribution of pymonocypher.

    Args:
        say: called with a sentence for people when the files are downloaded.

    Raises:
        BuildError: the folder named holds other files, or they cannot be reached.
    """
    pins = _pins()
    named = os.environ.get(VARIABLE)
    if named:
        return _given(Path(named).expanduser().resolve(), pins)
    store: Path = cache_dir("monocypher") / pins["version"]
    if not _holds(store, pins["files"]):
        _download(pins, store, say)
    return store


def internal(target: Path, *, say: Callable[[str], None] = lambda message: None) -> None:
    """Write the files into a folder, with all functions internal that no module of ours calls.

    MicroPython's linker for native modules keeps all that is not; the firmware's drops it itself.

    Raises:
        BuildError: as for folder().
    """
    for path in folder(say=say).glob("monocypher.[ch]"):
        text = path.read_text(encoding="utf-8")
        (target / path.name).write_text(_UNUSED.sub("static ", text), encoding="utf-8")


def _pins() -> dict[str, Any]:
    with Path(__file__).with_name("pins.toml").open("rb") as file:
        pins: dict[str, Any] = tomllib.load(file)["monocypher"]
    return pins


def _given(named: Path, pins: Mapping[str, Any]) -> Path:
    if not _holds(named, pins["files"]):
        raise BuildError(
            f"{named} does not hold Monocypher {pins['version']} as it is in its repository",
            f"unset {VARIABLE}: Wedau then gets its own",
        )
    return named


def _holds(place: Path, files: Mapping[str, str]) -> bool:
    try:
        return all(_sha256((place / name).read_bytes()) == files[name] for name in files)
    except OSError:
        return False


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _download(pins: Mapping[str, Any], store: Path, say: Callable[[str], None]) -> None:
    say(f"Getting Monocypher {pins['version']}.")
    reasons = []
    for origin, get in (("its repository", _from_upstream), (pins["package"], _from_package)):
        try:
            _store(get(pins), pins["files"], store)
            return
        except (BuildError, OSError) as error:
            reason = error.message if isinstance(error, BuildError) else str(error)
            reasons.append(f"{origin}: {reason}")
    raise BuildError(
        f"Monocypher {pins['version']} could not be got ({'; '.join(reasons)})",
        f"download its src folder yourself and name it: {VARIABLE}=/path/to/monocypher/src",
    )


def _store(got: Mapping[str, bytes], files: Mapping[str, str], store: Path) -> None:
    """Check the files, then move each to its place in the cache whole."""
    for name, data in got.items():
        if _sha256(data) != files[name]:
            raise BuildError(f"{name} is not the pinned one", "check the pins")
    store.mkdir(parents=True, exist_ok=True)
    for name, data in got.items():
        beside = store / f".{name}.{os.getpid()}"
        beside.write_bytes(data)
        beside.replace(store / name)


def _from_upstream(pins: Mapping[str, Any]) -> dict[str, bytes]:
    got = {}
    for name in pins["files"]:
        with urllib.request.urlopen(f"{pins['address']}/{name}", timeout=_TIMEOUT_S) as answer:
            got[name] = answer.read()
    return got


def _from_package(pins: Mapping[str, Any]) -> dict[str, bytes]:
    """Take the files out of what pip unpacks; whether pip can then build it is of no interest."""
    with tempfile.TemporaryDirectory(prefix="wedau-monocypher-") as temporary:
        work = Path(temporary)
        said = _pip_download(f"{pins['package']} --hash=sha256:{pins['package_sha256']}\n", work)
        got = {}
        for name in pins["files"]:
            found = next(work.rglob(name), None)
            if found is None:
                raise BuildError(said or f"pip got no {name}", "check the network")
            version = f"Monocypher version {pins['version']}".encode()
            got[name] = found.read_bytes().replace(version, b"Monocypher version __git__", 1)
        return got


def _pip_download(requirement: str, work: Path) -> str:
    """Let pip download and unpack a source distribution below work; return its last error."""
    wanted = work / "requirements.txt"
    wanted.write_text(requirement, encoding="ascii")
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-clean", "--no-deps"]
    command += ["--no-build-isolation", "--no-binary", ":all:", "--require-hashes"]
    command += ["-r", str(wanted), "-d", str(work)]
    try:
        result = subprocess.run(
            command,
            env=os.environ | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(work)),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=_PIP_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"pip did not finish in {_PIP_TIMEOUT_S} s"
    errors = re.findall(r"^ERROR: (.*)$", result.stderr, re.MULTILINE)
    return errors[-1] if errors else ""
