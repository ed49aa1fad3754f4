"""Nothing costs more than when somebody last looked, unless golden/costs.json says so.

The figures of the reference forest and of the demo are compared where they are measured, in
test_figures.py.
"""

from pathlib import Path

import pytest

import costs
from wedau.build.simboard import SimFirmware

BEFORE = {"module_bytes": 5000, "heap_call_bytes": 0, "instructions_call": 1000.5}


def test_modules_cost_no_more_than_they_did(sim_firmware: SimFirmware, micropython: Path) -> None:
    costs.check("modules", costs.modules(sim_firmware, micropython))


@pytest.mark.parametrize("name", ["module_bytes", "instructions_call"])
def test_costs_that_grow_by_three_percent_are_found(name: str) -> None:
    (line,) = costs.compare(BEFORE, BEFORE | {name: BEFORE[name] * 1.03})
    assert line.startswith(f"{name}: ")
    assert costs.compare(BEFORE, BEFORE | {name: BEFORE[name] * 1.019}) == []
    assert costs.compare(BEFORE, BEFORE | {name: BEFORE[name] * 0.5}) == []


def test_costs_that_were_none_stay_none() -> None:
    assert costs.compare(BEFORE, BEFORE | {"heap_call_bytes": 16})


def test_costs_that_are_new_or_gone_are_found() -> None:
    assert costs.compare(BEFORE, BEFORE | {"other": 1}) == ["other: new"]
    gone = {name: value for name, value in BEFORE.items() if name != "module_bytes"}
    assert costs.compare(BEFORE, gone) == ["module_bytes: not measured any more"]
