"""Choose and call the compiler for a native module's architecture."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wedau.build import clang
from wedau.build.targets import Target, target
from wedau.errors import BuildError

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

    def from_libgcc(self, names: Sequence[str], out: Path) -> Path:
        """Link what a GCC's own library has of some functions, and of what they call, to an object.

        Raises:
            BuildError: the compiler has no such library for this architecture.
        """
        wanted = [f"-Wl,-u,{name}" for name in names]
        command = [*self.command, *self.flags, "-nostdlib", "-r", *wanted, "-lgcc", "-o", str(out)]
        run(command, cwd=out.parent, what=f"linking {out.name}")
        return out


def for_arch(arch: str) -> Compiler:
    """Return the compiler for an architecture; for xtensawin that is ESP-IDF's gcc, or clang.

    ``WEDAU_XTENSA_GCC`` names the gcc to use; empty, it means clang even where there is a gcc.

    Raises:
        UsageError: the architecture is unknown.
        BuildError: there is no compiler for it.
    """
    wanted = target(arch)
    if not wanted.gcc:
        return _xtensa()
    gcc = shutil.which(wanted.gcc)
    if not gcc:
        raise BuildError(
            f"no {wanted.gcc} was found, which {arch} modules need",
            f"install it; on Debian: sudo apt-get install {wanted.package}",
        )
    if arch == "x64":
        return Compiler(f"gcc {_gcc_version(gcc)}", (gcc,), _x64_flags(gcc, wanted))
    flags = (*wanted.flags, *_headers(gcc))
    return Compiler(f"{wanted.gcc} {_gcc_version(gcc)}", (gcc,), flags)


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


def _x64_flags(gcc: str, wanted: Target) -> tuple[str, ...]:
    machine = run([gcc, "-dumpmachine"], cwd=Path.cwd(), what="asking gcc for its machine").strip()
    if not machine.startswith("x86_64"):
        raise BuildError(
            f"this machine's gcc compiles for {machine}, not for x64", "build for xtensawin instead"
        )
    return wanted.flags


def _headers(gcc: str) -> tuple[str, ...]:
    """Return where a C library's headers are: the compiler's own, or those for xtensawin.

    Picolibc's are the same for all architectures in what modules use of them.
    """
    own = subprocess.run(
        [gcc, "-E", "-include", "string.h", "-x", "c", os.devnull],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    return () if own.returncode == 0 else ("-isystem", str(clang.headers()))


def _gcc_version(gcc: str) -> str:
    return run([gcc, "-dumpfullversion"], cwd=Path.cwd(), what="asking gcc for its version").strip()
