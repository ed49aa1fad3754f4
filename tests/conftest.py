"""Fixtures that are expensive to make and shared by the whole suite."""

from pathlib import Path

import pytest

from wedau.build import simboard, sources


@pytest.fixture(scope="session")
def micropython() -> Path:
    """The pinned MicroPython source."""
    return sources.micropython().path


@pytest.fixture(scope="session")
def sim_firmware(micropython: Path) -> simboard.SimFirmware:
    """The simulated board's firmware and its instruction counter."""
    return simboard.build(micropython)
