"""Other ways from a model to a board beside ours, as `wedau bench alternatives` measures them."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

import costs
from wedau.cli import run
from wedau.cli.measuring_alternatives import FIRMWARE, NAMES, Row

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs/generate"))

import alternatives_table  # noqa: E402
import figures  # noqa: E402
import pages  # noqa: E402

pytestmark = pytest.mark.usefixtures("sim_firmware")

OURS, LOADABLE, M2CGEN = "wedau, module", "emlearn, loadable", "m2cgen, Python"
KEYS = ["name", "data", "trees", "instructions_mean", "heap_bytes", "flash_bytes"]
KEYS += ["load_instructions", "differences", "note"]
HOWTO = pages.ROOT / "docs" / "howto" / "compare.md"


def measured(capsys: pytest.CaptureFixture[str], *options: str) -> list[dict[str, Any]]:
    assert run(["bench", "alternatives", *options, "--json"]) == 0
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert all(list(row) == KEYS for row in rows)
    return rows


def test_our_module_takes_a_third_of_emlearns_loop_and_a_fiftieth_of_python(
    capsys: pytest.CaptureFixture[str],
):
    """The reference forest; the page of the documents has all, made by the command."""
    options = [word for name in (OURS, LOADABLE, M2CGEN) for word in ("--name", name)]
    options += ["--data", "digits", "--model", "trees-20"]
    rows = measured(capsys, *options)
    ours, loadable, python = (row["instructions_mean"] for row in rows)
    assert ours <= loadable / 3
    assert ours <= python / 50
    assert [row["differences"] for row in rows] == [0, 0, 0]
    assert measured(capsys, *options) == rows


def test_the_page_has_what_the_command_measures(capsys: pytest.CaptureFixture[str]):
    """A small model is measured again; all others stand in the same document of the command.

    What Python takes, and loading, shifts a little with the names in the firmware.
    """
    kept = alternatives_table.load(pages.ALTERNATIVES.with_suffix(".json"))
    assert len(kept) == 3 * 4 * len(NAMES)
    shown = pages.ALTERNATIVES.read_text(encoding="utf-8")
    exact = figures.versions() in shown
    assert _without_versions(alternatives_table.text(kept)) == _without_versions(shown), (
        "generate the alternatives again"
    )
    names = [name for name in NAMES if name != FIRMWARE and "everywhereml" not in name]
    options = [word for name in names for word in ("--name", name)]
    for row in measured(capsys, "--data", "wine", "--model", "trees-10", *options):
        (was,) = [k for k in kept if (k.name, k.data, k.trees) == (row["name"], "wine", 10)]
        if exact:
            assert row["load_instructions"] == pytest.approx(was.load_instructions, rel=costs.ROOM)
            assert Row(**{**row, "load_instructions": was.load_instructions}) == was
        assert row["differences"] == was.differences


def test_the_page_shows_what_was_promised():
    """For all forests: a third of emlearn's loadable form, a fiftieth of m2cgen's Python."""
    kept = alternatives_table.load(pages.ALTERNATIVES.with_suffix(".json"))
    cost = {(row.name, row.data, row.trees): row.instructions_mean for row in kept}
    forests = {(data, trees) for _, data, trees in cost if trees}
    assert len(forests) == 9
    for forest in forests:
        ours = cost[OURS, *forest]
        assert ours <= cost[LOADABLE, *forest] / 3
        assert ours <= cost[M2CGEN, *forest] / 50
    assert {row.differences for row in kept if row.name.startswith("wedau")} == {0, None}


def _without_versions(text: str) -> str:
    assert "repeat exactly: " in text
    return re.sub(r"repeat exactly: .*", "", text)


def test_an_implementation_from_a_folder_is_measured_beside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """The how-to's example, with a native module of ours for a `.mpy` from elsewhere."""
    adapter, board = re.findall(r"`(?:adapter|board).py`:\n\n```\w+\n(.*?)```", _howto(), re.S)[:2]
    (tmp_path / "adapter.py").write_text(adapter, encoding="utf-8")
    (tmp_path / "board.py").write_text(board, encoding="utf-8")
    (tmp_path / "note.mpy").write_bytes(b"M\x06\x00\x1f")
    options = ["--outside", str(tmp_path), "--data", "wine", "--name", "by hand, viper"]
    options += ["--model", "trees-10", "--model", "mlp"]
    hand, same, *perceptrons = measured(capsys, *options)
    assert (hand["name"], same["name"]) == ("by hand, viper", "always the same")
    assert same["differences"] > hand["differences"] == 0
    assert same["instructions_mean"] < hand["instructions_mean"]
    assert same["flash_bytes"] > 4
    assert [row["instructions_mean"] for row in perceptrons] == [None, None]
    assert all("perceptron" in row["note"] for row in perceptrons)


def _howto() -> str:
    return HOWTO.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("adapter", "said"),
    [
        (None, "has no adapter.py"),
        ("1 / 0", "ZeroDivisionError"),
        ("ROW = 'd'", "unknown ROW 'd'"),
    ],
)
def test_a_folder_without_an_adapter_is_refused(
    tmp_path: Path, adapter: str | None, said: str, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "board.py").touch()
    if adapter:
        (tmp_path / "adapter.py").write_text(adapter, encoding="utf-8")
    assert run(["bench", "alternatives", "--outside", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


def test_an_unknown_alternative_is_refused(capsys: pytest.CaptureFixture[str]):
    for wrong in (["--name", "tflite"], ["--data", "iris"], ["--model", "trees-7"]):
        assert run(["bench", "alternatives", *wrong]) == 2
        assert f"there is no '{wrong[1]}'" in capsys.readouterr().err
