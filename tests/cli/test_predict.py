"""New recordings without labels: the board computes their features and decides."""

import csv
import json
import shutil
from pathlib import Path

import pytest
import samples
from outcomes import Refused, Wedau

from wedau.build.simboard import SimFirmware
from wedau.sim import boards

WINDOWS = ("--window-ms", "1000", "--hop-ms", "500", "--trees", "10")


def test_recordings_without_labels_are_decided_on_the_board(
    wedau: Wedau, refused: Refused, place: Path, sim_firmware: SimFirmware
) -> None:
    samples.recordings(place / "data")
    samples.recordings(place / "new", labelled=False)
    train = wedau("train", "data", "-o", "saw", "--time", "t_ms", "--label", "label", *WINDOWS)
    assert train.code == 0, train.err
    assert wedau("build", "saw").code == 0
    with boards.board(sim_firmware.elf, sim_firmware.plugin) as board:
        at = ("--port", board.port)
        assert wedau("push", "saw", *at).code == 0
        known = json.loads(wedau("predict", "saw", "data", *at, "--json").out)
        done = wedau("predict", "saw", "new", *at, "--json", "-o", "classes.csv")
        lone = wedau("predict", "saw", "new/r4.csv", *at)
        shutil.rmtree(place / "saw" / "xtensawin")
        assert "no complete module" in refused("predict", "saw", "new", *at).error
    new = json.loads(done.out)
    assert known["differences"] == new["differences"] == 0
    assert known["accuracy"] == pytest.approx(1.0, abs=0.1)
    assert new["accuracy"] is None
    assert new["rows"] == 6 * 7
    assert new["predicted"] == known["predicted"]
    assert sum(new["counts"].values()) == new["rows"]
    with (place / "classes.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[:2] == [["row", "predicted"], ["r0 at sample 0", new["predicted"][0]]]
    assert lone.code == 0
    assert "0 differences" in lone.out
    assert "Accuracy" not in lone.out


def test_numbers_and_alarms_are_decided_on_the_board(
    wedau: Wedau, place: Path, sim_firmware: SimFirmware
) -> None:
    samples.table(place / "table.csv")
    number = ("--label", "tilt", "--ignore", "label", "--model", "gradient-boosting-regressor")
    assert wedau("train", "table.csv", "-o", "tilt", *number, "--trees", "3").code == 0
    normal = ("--model", "isolation-forest", "--trees", "5", "--normal", "idle")
    assert wedau("train", "table.csv", "-o", "odd", *normal).code == 0
    assert wedau("build", "tilt").code == wedau("build", "odd").code == 0
    with boards.board(sim_firmware.elf, sim_firmware.plugin) as board:
        at = ("--port", board.port)
        for name in ("tilt", "odd"):
            assert wedau("push", name, *at).code == 0
        values = json.loads(wedau("predict", "tilt", "table.csv", *at, "--json", "-o", "v.csv").out)
        alarms = json.loads(wedau("predict", "odd", "table.csv", *at, "--json").out)
        said = wedau("predict", "tilt", "table.csv", *at).out
    assert values["differences"] == alarms["differences"] == 0
    assert values["trained_on"] and alarms["trained_on"]
    with (place / "v.csv").open(encoding="utf-8") as file:
        first = list(csv.reader(file))[1]
    assert first[0] == "row 2"
    assert float(first[1]) == values["predicted"][0]
    true = [float(row["tilt"]) for row in csv.DictReader((place / "table.csv").open())]
    error = sum(abs(a - b) for a, b in zip(true, values["predicted"], strict=True)) / len(true)
    assert values["mean_absolute_error"] == pytest.approx(error)
    assert error < 1.5
    assert "Mean absolute error" in said and "Values" in said
    assert alarms["counts"]["normal"] + alarms["counts"]["anomaly"] == 60
    assert alarms["accuracy"] > 0.5
