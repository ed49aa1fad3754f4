"""Find clang with the Xtensa target, and say how it is called for the ESP32-S3."""

import functools
import os
import re
import shutil
import subprocess
from pathlib import Path

from wedau.errors import BuildError
from wedau.paths import resource

MINIMUM_VERSION = 22
_HINT = "run 'wedau doctor': it says how to install clang 22 or newer on this system"

# The ESP32-S3's core, but for mul32high, which QEMU's CPU has not: what was tested is what ships.
# fmt: off
FEATURES = [
    "density", "fp", "loop", "mac16", "windowed", "bool",
    "sext", "nsa", "mul16", "mul32", "div32", "clamps",
    "minmax", "s32c1i", "threadptr", "coprocessor", "miscsr",
]
# fmt: on

# Instructions that only hand-written assembly uses.
ASSEMBLER_FEATURES = [
    *FEATURES,
    *["exception", "debug", "interrupt", "highpriinterrupts", "timers3", "prid", "rvector"],
]

# Without these the code is wrong or cannot be linked: docs/explanation/compiler.md says why.
FORCED = ["-fno-pic", "-fno-common", "-fomit-frame-pointer", "-fno-jump-tables"]


@functools.cache
def find() -> str:
    """Return the clang to use: ``WEDAU_CLANG``, else the newest ``clang-NN``, else ``clang``.

    Raises:
        BuildError: there is none, or it is older than clang 22.
    """
    given = os.environ.get("WEDAU_CLANG")
    if given:
        return _checked(given, "WEDAU_CLANG names")
    numbered = _newest_numbered()
    if numbered:
        return numbered
    if shutil.which("clang"):
        return _checked("clang", "the only clang here is")
    raise BuildError(
        f"no clang {MINIMUM_VERSION} or newer, which compiles for the ESP32-S3, was found", _HINT
    )


def version(clang: str) -> str:
    """Return the compiler's version, such as ``22.1.8``.

    Raises:
        BuildError: it cannot be run or does not say its version.
    """
    try:
        answer = subprocess.run(
            [clang, "--version"], capture_output=True, text=True, timeout=60, check=False
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise BuildError(f"the compiler {clang} cannot be run: {error}", _HINT) from None
    found = re.search(r"clang version (\d+\.\d+\.\d+)", answer)
    if not found:
        raise BuildError(f"{clang} is not clang", _HINT)
    return found[1]


def compile_flags() -> list[str]:
    """Return the flags that make clang compile for the ESP32-S3, with the headers it may use."""
    flags = ["--target=xtensa-esp-elf", "-fno-crash-diagnostics", "-nostdlibinc"]
    flags += ["-isystem", str(resource("firmware", "xtensa", "include"))]
    flags += ["-isystem", str(headers())]
    for feature in FEATURES:
        flags += ["-Xclang", "-target-feature", "-Xclang", f"+{feature}"]
    return flags


def headers() -> Path:
    """Return the folder of the C library's headers: ``WEDAU_XTENSA_HEADERS`` or picolibc's.

    Raises:
        BuildError: picolibc for xtensa-lx106-elf is not installed.
    """
    folder = Path(os.environ.get("WEDAU_XTENSA_HEADERS", "/usr/lib/xtensa-lx106-elf/include"))
    if not (folder / "picolibc.h").is_file():
        raise BuildError(
            f"the C library's headers (picolibc for xtensa-lx106-elf) are not in {folder}",
            "run 'wedau doctor' for how to install them, or set WEDAU_XTENSA_HEADERS",
        )
    return folder


def _newest_numbered() -> str | None:
    best: tuple[int, str] | None = None
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        try:
            names = [path.name for path in Path(folder or ".").iterdir()]
        except OSError:
            continue
        for name in names:
            number = re.fullmatch(r"clang-(\d+)", name)
            if number and (not best or int(number[1]) > best[0]):
                best = int(number[1]), str(Path(folder or ".", name))
    return best[1] if best and best[0] >= MINIMUM_VERSION else None


def _checked(clang: str, what: str) -> str:
    found = version(clang)
    if int(found.split(".")[0]) < MINIMUM_VERSION:
        raise BuildError(
            f"{what} clang {found}; the ESP32-S3 needs clang {MINIMUM_VERSION} or newer", _HINT
        )
    return clang
