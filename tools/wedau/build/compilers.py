"""Choose and call the compiler for a native module's architecture."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wedau.build import clang
from wedau.errors import BuildError, UsageError

_TIMEOUT_S = 600
# Leaves of decision trees end alike: sharing those ends, from one instruction on, saves 2.5 %.
_TAIL_MERGE = ("-mllvm", "-tail-merge-size=1")


@dataclass(frozen=True)
class Compiler:
    """A compiler for one architecture: what people call it, its command, and its own flags."""

    name: str
    command: tuple[str, ...]
    flags: tuple[str, ...]

    def compile(self, source: Path, target: Path, options: Sequence[str], *, cwd: Path) -> str:
        """Compile one C source to an object file.

        Returns:
            What the compiler said: warnings, or nothing.

        Raises:
            BuildError: the source does not compile, or the compiler cannot be run.
        """
        command = [*self.command, *self.flags, *options, "-c", str(source), "-o", str(target)]
        said = run(command, cwd=cwd, what=f"compiling {source.name}")
        return said.strip()


def for_arch(arch: str) -> Compiler:
    """Return the compiler for "xtensawin" (ESP-IDF's gcc if there is one, else clang) or "x64".

    ``WEDAU_XTENSA_GCC`` names the gcc to use; empty, it means clang even where there is a gcc.

    Raises:
        UsageError: the architecture is another one.
        BuildError: there is no compiler for it.
    """
    if arch == "xtensawin":
        return _xtensa()
    if arch == "x64":
        return _x64()
    raise UsageError(f"unknown architecture {arch}", "use xtensawin (ESP32-S3) or x64")


def run(command: Sequence[str], *, cwd: Path, what: str) -> str:
    """Run a tool in a folder and return what it printed.

    Its temporary files lie there too: when we are interrupted it is killed and cannot remove them.

    Raises:
        BuildError: it is missing, fails or does not end; the message has its first error.
    """
    try:
        result = subprocess.run(
            command,
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            env=os.environ | {"TMPDIR": str(cwd), "PYTHONDONTWRITEBYTECODE": "1"},
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(
            f"{what} failed: {error}", "run 'wedau doctor' to check the tools"
        ) from None
    if result.returncode:
        raise BuildError(f"{what} failed: {_first_error(result.stdout)}", _hint(result.stdout))
    return result.stdout


def _first_error(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for mark in ("LinkError:", "error:", "Error:", "Error"):
        for line in lines:
            if mark in line:
                return line.removeprefix("error: ").removeprefix("LinkError: ")
    return lines[-1] if lines else "it said nothing"


def _hint(output: str) -> str:
    hints = [line for line in output.splitlines() if line.startswith("hint: ")]
    return hints[0].removeprefix("hint: ") if hints else "correct the source and build again"


def _xtensa() -> Compiler:
    gcc = os.environ.get("WEDAU_XTENSA_GCC")
    if gcc is None:
        gcc = shutil.which("xtensa-esp32s3-elf-gcc") or shutil.which("xtensa-esp-elf-gcc")
    if gcc:
        return _xtensa_gcc(gcc)
    found = clang.find()
    clang.headers()
    return Compiler(
        f"clang {clang.version(found)}",
        (sys.executable, "-m", "wedau.build.xtcc", "--literals=file"),
        ("-Wno-unknown-attributes", *_TAIL_MERGE),
    )


def _xtensa_gcc(gcc: str) -> Compiler:
    if not shutil.which(gcc):
        raise BuildError(
            f"WEDAU_XTENSA_GCC names {gcc}, which is not there", "correct or unset WEDAU_XTENSA_GCC"
        )
    core = () if "esp32s3" in Path(gcc).name else ("-mdynconfig=xtensa_esp32s3.so",)
    return Compiler(f"{Path(gcc).name} {_gcc_version(gcc)}", (gcc, *core), ("-fpic", "-fno-common"))


def _x64() -> Compiler:
    gcc = shutil.which("gcc")
    if not gcc:
        raise BuildError("no gcc was found, which x64 modules need", "run 'wedau doctor'")
    machine = run([gcc, "-dumpmachine"], cwd=Path.cwd(), what="asking gcc for its machine").strip()
    if not machine.startswith("x86_64"):
        raise BuildError(
            f"this machine's gcc compiles for {machine}, not for x64", "build for xtensawin instead"
        )
    flags = ("-fpic", "-fno-common", "-fno-stack-protector", "-fcf-protection=none")
    return Compiler(f"gcc {_gcc_version(gcc)}", (gcc,), (*flags, "-U_FORTIFY_SOURCE"))


def _gcc_version(gcc: str) -> str:
    return run([gcc, "-dumpfullversion"], cwd=Path.cwd(), what="asking gcc for its version").strip()
