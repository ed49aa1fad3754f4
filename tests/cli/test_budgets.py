"""Budgets of `wedau build`: what a model may take, and what happens when it takes more."""

import json
from pathlib import Path

import pytest
from outcomes import Refused, Wedau

BUDGETS = {
    "--budget-instructions": ("instructions_worst_bound", "instructions"),
    "--budget-flash": ("flash_bytes", "bytes of flash"),
    "--budget-ram": ("ram_bytes", "bytes of RAM"),
}


@pytest.fixture
def model(trained: Path, place: Path) -> Path:
    """The trained model's files and nothing that was built of it."""
    folder = place / "saw"
    folder.mkdir()
    for path in trained.iterdir():
        if path.is_file() and not path.name.startswith("report."):
            (folder / path.name).write_bytes(path.read_bytes())
    return folder


def test_budgets_that_are_kept_change_nothing_and_broken_ones_leave_nothing(
    model: Path, wedau: Wedau, refused: Refused
) -> None:
    for option in BUDGETS:
        refusal = refused("build", model, option, 7, code=4)
        assert BUDGETS[option][1] in refusal.error
        assert "more than the budget of 7;" in refusal.error
        assert "budget" in refusal.hint
    refusal = refused("build", model, *(word for o in BUDGETS for word in (o, 7)), code=4)
    assert all(unit in refusal.error for _, unit in BUDGETS.values())
    outcome = wedau("build", model, "--json")
    build = json.loads(outcome.out)["builds"][0]
    exact = [word for option, (key, _) in BUDGETS.items() for word in (option, build[key])]
    assert wedau("build", model, *exact).code == 0
    assert build["flash_bytes"] == (model / "xtensawin" / "saw.mpy").stat().st_size
    assert build["ram_bytes"] == (
        build["heap_bytes"] + build["call_heap_bytes"] + build["stack_bytes"]
    )
    found, bound = build["instructions_worst_found"], build["instructions_worst_bound"]
    assert build["instructions_max"] <= found <= bound < build["instructions_worst_bound_floats"]
    assert build["static_ram_bytes"] == 0 and build["unbounded"] is None


def test_data_files_keep_budgets_of_flash_and_measured_ram(model: Path, refused: Refused) -> None:
    data = ("build", model, "--format", "data")
    assert "more than the budget" in refused(*data, "--budget-flash", 7, code=4).error
    unknown = refused(*data, "--budget-instructions", 10_000_000, code=4)
    assert "a data file is no code" in unknown.error and "--format data" in unknown.hint
    unknown = refused(*data, "--budget-ram", 10_000_000, code=4)
    assert "not measured" in unknown.error and "--on-board" in unknown.hint
    over = refused(*data, "--on-board", "--budget-ram", 7, code=4)
    assert "bytes of RAM" in over.error


def test_x64_modules_have_no_bound(model: Path, refused: Refused) -> None:
    refusal = refused("build", model, "--arch", "x64", "--budget-instructions", 10_000, code=4)
    assert "xtensawin" in refusal.error and "xtensawin" in refusal.hint
