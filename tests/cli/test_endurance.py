"""Many predictions, loads and cut pushes; `wedau bench endurance` does far more of them."""

import json

import pytest

from wedau.cli import run
from wedau.cli.enduring import Endured
from wedau.errors import CheckError


@pytest.mark.usefixtures("sim_firmware")
def test_boards_endure_predictions_loads_and_cut_pushes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    counts = ["--predictions", "10000", "--loads", "200", "--pushes", "20"]
    assert run(["bench", "endurance", *counts, "--json"]) == 0
    endured = json.loads(capsys.readouterr().out)
    assert endured["predictions"] == 10_000
    assert endured["predictions_wrong"] == endured["predictions_heap_bytes"] == 0
    assert endured["loads"] == 200
    assert endured["loads_heap_growth_bytes"] == 0
    assert endured["pushes"] == endured["pushes_old"] + endured["pushes_new"] == 20
    assert endured["pushes_failed"] == 0


@pytest.mark.parametrize(
    "name",
    ["predictions_wrong", "predictions_heap_bytes", "loads_heap_growth_bytes", "pushes_failed"],
)
def test_endurance_fails_where_something_gives_way(name: str) -> None:
    good = dict.fromkeys(Endured.__dataclass_fields__, 0)
    Endured(**good).check()
    with pytest.raises(CheckError, match=name.replace("_", " ")):
        Endured(**good | {name: 1}).check()
