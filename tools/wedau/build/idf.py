"""ESP-IDF on this machine: where it is, which version, what its build environment is."""

import json
import os
import platform
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wedau.errors import BuildError

_EXPORT_TIMEOUT_S = 300
_USUAL = ("esp/esp-idf", "esp-idf", "esp/v*/esp-idf", "esp/esp-idf-v*", ".espressif/v*/esp-idf")
_USUAL_OF_SYSTEM = ("/opt/esp/idf", "/opt/esp-idf")
# What a build may take from the environment; all else could change it unseen.
_KEPT = re.compile(
    r"PATH|HOME|USER|LOGNAME|LANG|LC_\w+|TMPDIR|TERM|XDG_\w+|SSL_CERT_\w+|REQUESTS_CA_BUNDLE"
    r"|(?i:(http|https|no|all)_proxy)|GIT_CONFIG\w*|GIT_SSH\w*|SSH_AUTH_SOCK"
    r"|IDF_TOOLS_PATH|IDF_PYTHON_CHECK_CONSTRAINTS|IDF_CCACHE_ENABLE|CCACHE_\w+|IDF_COMPONENT_\w+"
)


@dataclass(frozen=True)
class Idf:
    """An ESP-IDF on this machine.

    Attributes:
        path: its folder.
        version: as "5.5.2".
        python: the Python that its installer made for it; None where that is to be looked for.
        tools: where its installer put compilers (IDF_TOOLS_PATH); None for the usual place.
    """

    path: Path
    version: str
    python: Path | None = None
    tools: Path | None = None


def pins() -> dict[str, Any]:
    """Return what pins.toml says of ESP-IDF: version, image, repository, pairs."""
    with Path(__file__).with_name("pins.toml").open("rb") as file:
        found: dict[str, Any] = tomllib.load(file)["esp_idf"]
    return found


def version_of(folder: Path) -> str | None:
    """Return the version of the ESP-IDF in a folder, or None if it is none."""
    try:
        text = (folder / "tools/cmake/version.cmake").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    found = dict(re.findall(r"set\(IDF_VERSION_(MAJOR|MINOR|PATCH)\s+(\d+)\)", text))
    parts = [found.get(name) for name in ("MAJOR", "MINOR", "PATCH")]
    return ".".join(part for part in parts if part) if all(parts) else None


def given(folder: Path) -> Idf:
    """Return the ESP-IDF in a folder that a person named.

    Raises:
        BuildError: there is none.
    """
    path = folder.expanduser().resolve()
    version = version_of(path)
    if version is None:
        raise BuildError(
            f"{path} does not hold ESP-IDF",
            "name the folder that holds tools/cmake/version.cmake, or unset IDF_PATH",
        )
    known = (each for each in _of_installer() if each.path.resolve() == path)
    return next(known, Idf(path, version))


def installed() -> list[Idf]:
    """Return what Espressif's installers and people have put at the usual places."""
    found: dict[Path, Idf] = {}
    for each in [*_of_installer(), *_at_usual_places()]:
        found.setdefault(each.path.resolve(), each)
    return list(found.values())


def _of_installer() -> Iterator[Idf]:
    """Read the list that Espressif's installation manager (eim) keeps."""
    root = Path("C:/Espressif") if sys.platform == "win32" else Path.home() / ".espressif"
    try:
        text = (root / "tools/eim_idf.json").read_text(encoding="utf-8-sig")
        entries = json.loads(text)["idfInstalled"]
        for entry in entries:
            path = Path(entry["path"])
            version = version_of(path)
            if version:
                yield Idf(path, version, Path(entry["python"]), Path(entry["idfToolsPath"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return


def _at_usual_places() -> Iterator[Idf]:
    folders = [path for usual in _USUAL for path in sorted(Path.home().glob(usual), reverse=True)]
    for path in [*folders, *map(Path, _USUAL_OF_SYSTEM)]:
        version = version_of(path)
        if version:
            yield Idf(path, version)


def check_pair(micropython: str, idf: str) -> str:
    """Return why a pair of versions is supported.

    Args:
        micropython: as "1.28.0".
        idf: as "5.5.2".

    Raises:
        BuildError: it is not; says why.
    """
    for pair in pins()["pair"]:
        if _starts(micropython, pair["micropython"]) and idf in pair["idf"]:
            return str(pair["why"])
    reasons = (each["why"] for each in pins()["refused"] if _fits(each, micropython, idf))
    raise BuildError(
        f"MicroPython {micropython} with ESP-IDF {idf} is not supported: "
        + next(reasons, "nobody has tried this pair"),
        f"use MicroPython {_newest()} with ESP-IDF {pins()['version']}",
    )


def is_supported(micropython: str, idf: str) -> bool:
    """Say whether check_pair() would accept a pair."""
    try:
        check_pair(micropython, idf)
    except BuildError:
        return False
    return True


def _newest() -> str:
    return str(pins()["pair"][0]["micropython"])


def _starts(version: str, prefix: str) -> bool:
    return version == prefix or version.startswith(prefix + ".")


def _fits(rule: dict[str, str], micropython: str, idf: str) -> bool:
    tests = [_number(micropython) < _number(rule.get("micropython_below", "999"))]
    tests.append(_number(idf) < _number(rule.get("idf_below", "999")))
    tests.append(_number(idf) >= _number(rule.get("idf_from", "0")))
    return all(tests)


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def ways_to_get() -> str:
    """Return the two shortest ways to get ESP-IDF, in this system's words."""
    version, image, repository = (pins()[key] for key in ("version", "image", "repository"))
    eim = f"eim install -i v{version}"
    system = platform.system()
    if system == "Darwin":
        return (
            f"install Docker Desktop and start it: {image} is then used; "
            f"or: brew install cmake ninja && brew tap espressif/eim && brew install eim && {eim}"
        )
    if system == "Windows":
        return (
            f"install Docker Desktop (winget install Docker.DockerDesktop): {image} is then used; "
            f"or use WSL: there, {_by_git(repository, version)}"
        )
    return (
        f"install Docker (sudo apt-get install docker.io): {image} is then used; "
        f"or: {_by_git(repository, version)}"
    )


def _by_git(repository: str, version: str) -> str:
    return (
        f"git clone -b v{version} --recursive --depth 1 --shallow-submodules {repository} "
        "~/esp/esp-idf && ~/esp/esp-idf/install.sh esp32s3"
    )


def kept_environment() -> dict[str, str]:
    """Return what a build takes from this process's environment."""
    return {name: value for name, value in os.environ.items() if _KEPT.fullmatch(name)}


def export_command(idf: Idf) -> list[str]:
    """Return the command that prints the environment of an ESP-IDF, a variable a line."""
    tool = idf.path / "tools/idf_tools.py"
    return [str(_python(idf)), str(tool), "export", "--format", "key-value"]


def environment(idf: Idf) -> dict[str, str]:
    """Return the environment that ESP-IDF's tools run in.

    Raises:
        BuildError: its tools are not installed, or do not belong to it.
    """
    base = kept_environment() | {"IDF_PATH": str(idf.path)}
    if idf.tools:
        base["IDF_TOOLS_PATH"] = str(idf.tools)
    python = _python(idf)
    if python.is_absolute():
        base["IDF_PYTHON_ENV_PATH"] = str(python.parent.parent)
    try:
        done = subprocess.run(
            export_command(idf),
            env=base,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_EXPORT_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _not_installed(idf, str(error)) from None
    if done.returncode:
        raise _not_installed(idf, done.stderr)
    return base | _parse(done.stdout, base.get("PATH", ""))


def _parse(text: str, path: str) -> dict[str, str]:
    found = dict(re.findall(r"^([A-Z_][A-Z0-9_]*)=(.*)$", text, re.MULTILINE))
    if "PATH" in found:
        found["PATH"] = re.sub(r"\$PATH|\$\{PATH\}|%PATH%", lambda match: path, found["PATH"])
    return found


def _not_installed(idf: Idf, said: str) -> BuildError:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    reason = next((line for line in lines if line.startswith("ERROR:")), "; ".join(lines[-1:]))
    return BuildError(
        f"the tools of ESP-IDF in {idf.path} are not ready: {reason or 'no reason was given'}",
        f"install them: {idf.path}/install.sh esp32s3",
    )


def _python(idf: Idf) -> Path:
    """Return the Python that ESP-IDF's installer made for it, else the system's."""
    if idf.python:
        return idf.python
    own = os.environ.get("IDF_PYTHON_ENV_PATH")
    if own and os.environ.get("IDF_PATH") == str(idf.path):
        return Path(own) / "bin/python"
    tools = Path(os.environ.get("IDF_TOOLS_PATH") or Path.home() / ".espressif")
    minor = ".".join(idf.version.split(".")[:2])
    made = sorted(tools.expanduser().glob(f"python_env/idf{minor}_py*_env/bin/python"))
    return made[-1] if made else Path("python3")
