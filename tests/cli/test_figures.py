"""The figures that the project promises, as the commands print them."""

import json
from pathlib import Path
from typing import Any

import pytest

import costs
from wedau.cli import run
from wedau.train import datasets, pipeline
from wedau.train.settings import TrainSettings

pytestmark = pytest.mark.usefixtures("sim_firmware")


def printed(args: list[str], capsys: pytest.CaptureFixture[str]) -> Any:
    assert run(args) == 0
    return json.loads(capsys.readouterr().out)


def test_digits_stay_within_their_budget(capsys: pytest.CaptureFixture[str]):
    figures = printed(["bench", "digits", "--json"], capsys)
    assert figures["differences"] == 0
    assert figures["held_out"] == 899
    assert figures["boundary_inputs"] > 4000
    assert figures["instructions_call"] <= 1150
    assert figures["instructions_import"] <= 2_000_000
    assert figures["heap_call_bytes"] == 0
    assert figures["module_bytes"] <= 1.1 * figures["emlearn_bytes"]
    assert figures["data_instructions_call"] <= 3_000
    assert figures["data_load_instructions"] <= 5_000_000
    assert figures["data_bytes"] < figures["data_heap_peak_bytes"] <= 20_000
    costs.check("digits", costs.digits(figures))
    again = printed(["bench", "digits", "--json"], capsys)
    assert again == figures


FAMILIES = ["random-forest", "hist-gradient-boosting-regressor", "logistic", "isolation-forest"]
KEYS = ["family", "data", "rows", "differences", "max_probability_error", "instructions_mean"]
KEYS += ["instructions_worst_bound", "instructions_worst_found", "flash_bytes", "ram_bytes"]


def test_families_are_equal_and_within_their_bounds(capsys: pytest.CaptureFixture[str]):
    """Some families on wine; the page of the documents, made by the command, has all of them."""
    wanted = [word for family in FAMILIES for word in ("--family", family)]
    rows = printed(["bench", "families", "--data", "wine", *wanted, "--json"], capsys)
    assert [row["family"] for row in rows] == FAMILIES
    for row in rows:
        assert list(row) == KEYS
        assert row["data"] == "wine"
        assert row["rows"] >= 89
        assert row["differences"] == 0
        assert row["max_probability_error"] <= 1e-5
        mean, found = row["instructions_mean"], row["instructions_worst_found"]
        assert mean <= found <= row["instructions_worst_bound"] <= 1.3 * found
        assert row["flash_bytes"] < row["ram_bytes"] < 1.1 * row["flash_bytes"]


def test_an_unknown_family_or_data_set_is_refused(capsys: pytest.CaptureFixture[str]):
    for wrong in (["--family", "svm"], ["--data", "iris"]):
        assert run(["bench", "families", *wrong]) == 2
        assert f"there is no {wrong[1]}" in capsys.readouterr().err


def test_demo_is_equal_on_the_board_and_right_about_unseen_people(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    figures = printed(["demo", str(tmp_path), "--json"], capsys)
    costs.check("demo", costs.demo(figures))
    assert figures["differences"] == 0
    assert figures["held_out"] == 1420
    assert figures["boundary_inputs"] > 20_000
    assert figures["accuracy_unseen"] >= 0.85
    assert figures["heap_call_bytes"] == 0
    found, bound = figures["instructions_worst_found"], figures["instructions_worst_bound"]
    assert figures["instructions_max"] <= found <= bound <= 1.2 * found
    assert figures["raw_windows"] > 200
    assert figures["features_equal"] == figures["raw_windows"] * 111
    report = Path(str(figures["report"]))
    assert report.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    saved = json.loads(report.with_suffix(".json").read_text(encoding="utf-8"))
    assert saved["accuracy_unseen"] == figures["accuracy_unseen"]
    assert saved["builds"][0]["module_bytes"] == figures["module_bytes"]


def test_the_same_pipeline_runs_on_basic_motions(
    tmp_path: Path, aeon_wheel: Path, capsys: pytest.CaptureFixture[str]
):
    folder = tmp_path / "motions"
    settings = TrainSettings(name="motions", window_ms=10_000)
    pipeline.run(settings, data=datasets.basic_motions(aeon_wheel)).save(folder)
    report = printed(["build", str(folder), "--json"], capsys)
    assert report["labels"] == ["Badminton", "Running", "Standing", "Walking"]
    assert report["differences"] == 0
    assert report["accuracy_unseen"] >= 0.9
    assert (folder / "xtensawin" / "motions.mpy").is_file()
    assert (folder / "xtensawin" / "wedau_features.mpy").is_file()


def test_x64_module_decides_as_the_host(
    tmp_path: Path, aeon_wheel: Path, capsys: pytest.CaptureFixture[str]
):
    folder = tmp_path / "motions"
    settings = TrainSettings(name="motions", window_ms=10_000, trees=10)
    pipeline.run(settings, data=datasets.basic_motions(aeon_wheel)).save(folder)
    report = printed(["build", str(folder), "--arch", "x64", "--json"], capsys)
    assert report["differences"] == 0
    assert report["builds"][0]["board"] == "MicroPython for unix (x64)"
    assert (folder / "x64" / "motions.mpy").is_file()
