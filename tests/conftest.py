"""Fixtures that are expensive to make and shared by the whole suite."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from wedau.build.simboard import SimFirmware


@pytest.fixture(scope="session")
def micropython() -> Path:
    """The pinned MicroPython source."""
    from wedau.build import sources

    return sources.micropython().path


@pytest.fixture(scope="session")
def sim_firmware(micropython: Path) -> SimFirmware:
    """The simulated board's firmware and its instruction counter."""
    from wedau.build import simboard

    return simboard.build(micropython)
