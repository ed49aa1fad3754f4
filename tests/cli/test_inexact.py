"""A module that would decide otherwise than scikit-learn is never made."""

import shutil
from pathlib import Path

import pytest
from emlearn.convert import convert
from outcomes import Refused

from wedau.convert import trees


@pytest.fixture
def model(trained: Path, place: Path) -> str:
    shutil.copytree(trained, place / "saw")
    return "saw"


def emlearn_alone(estimator: object, name: str) -> str:
    """What emlearn makes of thresholds by itself: x < t for scikit-learn's x <= t."""
    return str(convert(estimator, method="inline", dtype="int16_t").save(name=name))


@pytest.mark.usefixtures("sim_firmware")
@pytest.mark.parametrize("arch", ["xtensawin", "x64"])
def test_an_inexact_conversion_is_refused_and_names_the_input(
    refused: Refused, model: str, arch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trees, "forest_c", emlearn_alone)
    said = refused("build", model, "--arch", arch)
    assert "inputs are decided otherwise on the board, the first is" in said.error
    assert "boundary input" in said.error or "held-out row" in said.error
    assert "instead of" in said.error
    assert said.error.endswith("no module was made")
