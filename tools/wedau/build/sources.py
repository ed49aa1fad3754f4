"""Get MicroPython's source at a pinned version, from wherever this machine can reach it."""

import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wedau.build import debian
from wedau.errors import BuildError
from wedau.paths import cache_dir

MINIMUM_VERSION = (1, 25)
_LOOKUP_TIMEOUT_S = 30
_CLONE_TIMEOUT_S = 600


@dataclass(frozen=True)
class Source:
    """MicroPython's source: where it lies, which version it is, and where it came from."""

    path: Path
    version: str
    origin: str


def micropython(
    given: Path | None = None, *, say: Callable[[str], None] = lambda message: None
) -> Source:
    """Return MicroPython's source; the pinned one is downloaded where there is none yet.

    The first of these that works is used: the folder given, the folder that ``WEDAU_MICROPYTHON``
    names, the cache, upstream's git repository at the pinned tag, Debian's source packages.

    Args:
        given: a folder with MicroPython's source.
        say: called with a sentence for people at each longer step, and for each source that fails.

    Raises:
        BuildError: the folder given is not MicroPython 1.25 or newer, or no source can be reached.
    """
    folder = given or os.environ.get("WEDAU_MICROPYTHON")
    if folder:
        return _given(Path(folder).expanduser().resolve())
    pins = _pins()
    store = cache_dir("micropython")
    cached = _cached(pins, store)
    return cached or _download(pins, store, say)


def available() -> Source | None:
    """Return the source that micropython() would use without downloading, or None.

    Raises:
        BuildError: ``WEDAU_MICROPYTHON`` names a folder without MicroPython 1.25 or newer.
    """
    folder = os.environ.get("WEDAU_MICROPYTHON")
    if folder:
        return _given(Path(folder).expanduser().resolve())
    return _cached(_pins(), cache_dir("micropython"))


def upstream(
    given: Path | None = None, *, say: Callable[[str], None] = lambda message: None
) -> Source:
    """Return a source that firmware for a chip can be built from: with upstream's submodules.

    Args:
        given: a folder with MicroPython's source; nothing is written into it.
        say: called with a sentence for people at each longer step.

    Raises:
        BuildError: the folder given is not MicroPython 1.25 or newer or lacks a part, or upstream's
            repository cannot be reached.
    """
    source = upstream_at_hand(given)
    if source is None:
        source = _download(_pins() | {"debian": []}, cache_dir("micropython"), say)
    lacking = missing_parts(source.path)
    if lacking and not _is_given(given):
        say(f"Getting {', '.join(lacking)} of MicroPython.")
        parts = ["submodule", "update", "--init", "--depth", "1", "--", *lacking]
        _git(["-C", str(source.path), *parts], _CLONE_TIMEOUT_S)
        lacking = missing_parts(source.path)
    if lacking:
        pin = _pins()["upstream"]
        raise BuildError(
            f"{source.path} lacks {', '.join(lacking)}, which firmware is built from"
            " (Debian's source packages leave them out)",
            "name no folder: Wedau then gets its own; or get them: "
            f"git clone -b {pin['tag']} {pin['repository']} && cd micropython && "
            f"git submodule update --init {' '.join(lacking)}",
        )
    return source


def upstream_at_hand(given: Path | None = None) -> Source | None:
    """Return the source that upstream() would use without downloading, complete or not, or None.

    Raises:
        BuildError: the folder given is not MicroPython 1.25 or newer.
    """
    folder = _is_given(given)
    if folder:
        return _given(Path(folder).expanduser().resolve())
    return _cached(_pins() | {"debian": []}, cache_dir("micropython"))


def upstream_pin() -> dict[str, Any]:
    """Return repository, tag, version, commit and submodules of the pinned source of upstream."""
    pin: dict[str, Any] = _pins()["upstream"]
    return pin


def missing_parts(folder: Path) -> list[str]:
    """Return the submodules that firmware for a chip needs and that are empty in a source."""
    parts: list[str] = _pins()["upstream"]["submodules"]
    return [part for part in parts if not any((folder / part).glob("*"))]


def _is_given(given: Path | None) -> Path | str | None:
    return given or os.environ.get("WEDAU_MICROPYTHON")


def version_of(folder: Path) -> str | None:
    """Return the version of the MicroPython source in a folder, or None if it is no such source."""
    try:
        text = (folder / "py" / "mpconfig.h").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    parts = [
        re.search(rf"^#define MICROPY_VERSION_{name} +(\d+)", text, re.MULTILINE)
        for name in ("MAJOR", "MINOR", "MICRO")
    ]
    return ".".join(part[1] for part in parts if part) if all(parts) else None


def epoch(folder: Path) -> str:
    """Return the time that a firmware says it was built at, for the same bytes every time.

    That of ``SOURCE_DATE_EPOCH`` where it is set, else of the source: its commit's, or its file's.

    Args:
        folder: MicroPython's source.

    Returns:
        Seconds since 1970.
    """
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    if given.isdigit():
        return given
    if (folder / ".git").exists() and shutil.which("git"):
        try:
            return _git(["-C", str(folder), "log", "-1", "--format=%ct"], _LOOKUP_TIMEOUT_S).strip()
        except BuildError:  # git does not take it for a repository
            pass
    return str(int((folder / "py/mpconfig.h").stat().st_mtime))


def _pins() -> dict[str, Any]:
    with Path(__file__).with_name("pins.toml").open("rb") as file:
        pins: dict[str, Any] = tomllib.load(file)["micropython"]
    return pins


def _given(folder: Path) -> Source:
    version = version_of(folder)
    if version is None:
        raise BuildError(
            f"{folder} does not hold MicroPython's source",
            "name the folder that holds py/mpconfig.h, or unset WEDAU_MICROPYTHON",
        )
    if tuple(int(part) for part in version.split(".")) < MINIMUM_VERSION:
        raise BuildError(
            f"{folder} holds MicroPython {version}; Wedau needs 1.25 or newer",
            "name a newer source, or none: Wedau then gets its own",
        )
    return Source(folder, version, f"MicroPython {version} in {folder}")


def _cached(pins: dict[str, Any], store: Path) -> Source | None:
    for name, version, origin in _known(pins):
        if version_of(store / name) == version:
            return Source(store / name, version, origin)
    return None


def _known(pins: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return folder name in the cache, version and origin of each pin."""
    up = pins["upstream"]
    known = [(up["commit"], up["version"], f"MicroPython {up['version']} from {up['repository']}")]
    for pin in pins["debian"]:
        origin = f"MicroPython {pin['version']} from Debian's source package {pin['package']}"
        known.append((pin["sha256"], pin["version"], origin))
    return [(f"{version}-{check[:12]}", version, origin) for check, version, origin in known]


def _download(pins: dict[str, Any], store: Path, say: Callable[[str], None]) -> Source:
    getters: list[Callable[[Path], Path]] = [lambda work: _from_git(pins["upstream"], work)]
    for pin in pins["debian"]:
        getters.append(lambda work, pin=pin: _from_debian(pin, work))  # type: ignore[misc]
    reasons = []
    for (name, version, origin), get in zip(_known(pins), getters, strict=True):
        say(f"Getting {origin}.")
        with tempfile.TemporaryDirectory(dir=store, prefix="new-") as work:
            try:
                _store(get(Path(work)), version, store / name)
                return Source(store / name, version, origin)
            except (BuildError, OSError, tarfile.TarError) as error:
                reason = error.message if isinstance(error, BuildError) else str(error)
        say(f"That did not work: {reason}.")
        reasons.append(f"{origin}: {reason}")
    raise BuildError(
        "MicroPython's source could not be got (" + "; ".join(reasons) + ")",
        "download it yourself and name its folder: WEDAU_MICROPYTHON=/path/to/micropython",
    )


def _store(unpacked: Path, version: str, target: Path) -> None:
    """Move a complete source to its place in the cache."""
    if version_of(unpacked) != version:
        raise BuildError(f"it is version {version_of(unpacked)}, not {version}", "check the pins")
    try:
        unpacked.rename(target)
    except OSError:
        if version_of(target) == version:  # another process was faster
            return
        shutil.rmtree(target, ignore_errors=True)
        unpacked.rename(target)


def _from_git(pin: dict[str, str], work: Path) -> Path:
    if not shutil.which("git"):
        raise BuildError("git is not installed", "install git")
    address, tag, commit = pin["repository"], pin["tag"], pin["commit"]
    tags = _git(
        ["ls-remote", address, f"refs/tags/{tag}", f"refs/tags/{tag}^{{}}"], _LOOKUP_TIMEOUT_S
    )
    if commit not in tags.split():
        raise BuildError(f"the tag {tag} is not the pinned commit {commit}", "check the pins")
    target = work / "micropython"
    clone = ["clone", "-q", "--depth", "1", "--branch", tag, address, str(target)]
    _git(["-c", "advice.detachedHead=false", *clone], _CLONE_TIMEOUT_S)
    got = _git(["-C", str(target), "rev-parse", "HEAD"], _LOOKUP_TIMEOUT_S).strip()
    if got != commit:
        raise BuildError(f"the tag {tag} gave commit {got}, not {commit}", "check the pins")
    return target


def _git(arguments: list[str], timeout_s: float) -> str:
    environment = os.environ | {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    environment |= {"GIT_HTTP_LOW_SPEED_LIMIT": "1000", "GIT_HTTP_LOW_SPEED_TIME": "20"}
    try:
        result = subprocess.run(
            ["git", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BuildError(f"git did not finish in {timeout_s:.0f} s", "check the network") from None
    if result.returncode:
        fatal = re.search(r"^fatal: (.*?)\.?$", result.stderr, re.MULTILINE)
        said = fatal[1] if fatal else f"git failed with exit code {result.returncode}"
        raise BuildError(said, "check the network")
    return result.stdout


def _from_debian(pin: dict[str, str], work: Path) -> Path:
    tarball = debian.fetch_orig("micropython", pin["package"], pin["suite"], pin["sha256"], work)
    unpacked = work / "unpacked"
    _unpack(tarball, unpacked)
    inside = list(unpacked.iterdir())
    return inside[0] if len(inside) == 1 else unpacked


def _unpack(tarball: Path, target: Path) -> None:
    """Unpack a tarball whose hash was checked."""
    with tarfile.open(tarball) as archive:
        if hasattr(tarfile, "data_filter"):
            archive.extractall(target, filter="data")
        else:  # before Python 3.11.4
            archive.extractall(target)
