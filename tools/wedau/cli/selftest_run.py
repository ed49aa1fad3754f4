"""Run the device suite on a board or on MicroPython for unix, and judge what it answers."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from wedau import __version__
from wedau.cli import known_boards, selftest_cases, selftest_modules
from wedau.cli.selftest_check import Answer, Check
from wedau.cli.selftest_judge import Judge
from wedau.cli.selftest_places import Place
from wedau.convert import mpy
from wedau.device import scripts
from wedau.errors import UsageError
from wedau.report.selftest import SelfTest, Tested


def run(
    place: Place,
    *,
    only: Sequence[str] = (),
    long: bool = False,
    board_name: str | None = None,
    timeout_s: float,
    micropython: Path | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> SelfTest:
    """Run the suite.

    Args:
        place: open.
        only: names of checks; none for all.
        long: also what takes long and what sends the board to sleep.
        board_name: of the board's definition; None: what its firmware says.
        timeout_s: for each script.
        micropython: its source, to make modules that the board lacks; None for the pinned one.
        on_progress: called with the number of checks done and of all.

    Raises:
        UsageError: there is no check of that name, or no board.
        DeviceError: the board broke off before the first check.
    """
    about = _about(place, timeout_s)
    board_name = board_name or known_boards.by_machine(about["machine"])
    psram_bytes = known_boards.psram_bytes(board_name) if board_name else None
    chosen = _chosen(psram_bytes, only, long)
    _, arch = mpy.features(about["mpy"] >> 8 & 0xFF)
    wanted = {name for check in chosen for name in check.modules}
    supplies = selftest_modules.gather(wanted, arch, place.board, micropython)
    if supplies.files:
        place.put(supplies.files)
    judge = Judge(place, timeout_s, supplies.missing)
    checked = []
    for number, check in enumerate(chosen):
        on_progress(number, len(chosen))
        checked.append(judge.check(check))
    return SelfTest(_tested(place, about, arch, supplies.told()), checked)


def _about(place: Place, timeout_s: float) -> dict[str, Any]:
    text = scripts.program("about", {"folder": place.folder})
    return scripts.answer(place.run(text, timeout_s))


def _tested(place: Place, about: Answer, arch: str, modules: Mapping[str, str]) -> Tested:
    fields = ("machine", "micropython", "frequency_hz", "heap_bytes", "flash_bytes", "psram_bytes")
    said = {name: about[name] for name in fields}
    return Tested(port=place.port, wedau=__version__, arch=arch, modules=modules, **said)


def _chosen(psram_bytes: int | None, only: Sequence[str], long: bool) -> list[Check]:
    every = selftest_cases.checks(psram_bytes, long=long)
    names = [check.name for check in every]
    unknown = sorted(set(only) - set(names))
    if unknown:
        raise UsageError(
            f"there is no check called {unknown[0]}", f"the checks are: {', '.join(names)}"
        )
    if only:
        return [check for check in every if check.name in only]
    return [check for check in every if long or not check.only_long]
