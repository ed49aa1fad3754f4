"""A part of MicroPython's own tests on the simulated board; 'make micropython-tests' runs all."""

from pathlib import Path

import pytest
import suite

from wedau.build.simboard import SimFirmware
from wedau.build.sources import version_of


@pytest.mark.timeout(600)
def test_micropython_subset_passes(micropython: Path, sim_firmware: SimFirmware) -> None:
    outcome = suite.run(micropython, sim_firmware, subset=True)
    assert outcome.unexpected(suite.accepted_failures(version_of(micropython) or "")) == []
    assert len(outcome.passed) > 200


def test_micropython_unlisted_failure_and_listed_pass_are_told() -> None:
    outcome = suite.Outcome({"native:a.py"}, {"native:b.py", "native:c.py"}, set(), set())
    assert outcome.unexpected({"native:a.py", "native:c.py"}) == [
        "native:b.py failed",
        "native:a.py passes; take it off accepted.toml",
    ]


def test_micropython_accepted_failures_have_a_reason() -> None:
    entries = suite.accepted_entries()
    assert entries and all(len(entry["reason"]) > 20 for entry in entries)
    assert suite.accepted_failures("1.25.0") > suite.accepted_failures("1.26.1")
