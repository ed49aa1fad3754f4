"""Fixtures that are expensive to make and shared by the whole suite."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from wedau.paths import cache_dir

if TYPE_CHECKING:
    from wedau.build.simboard import SimFirmware


AEON = "aeon==1.6.0"
AEON_WHEEL = "aeon-1.6.0-py3-none-any.whl"
AEON_SHA256 = "d05227086706f80111ac5fee8de4d5d3115bb3bcfd1c786c8629393055816409"


@pytest.fixture(scope="session")
def aeon_wheel() -> Path:
    """aeon's wheel, for the data in it; its 600 MB of dependencies are not installed."""
    folder = cache_dir("tests")
    wheel = folder / AEON_WHEEL
    if not wheel.is_file():
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", AEON]
        subprocess.run([*command, "--only-binary", ":all:", "-d", str(folder)], check=True)
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() == AEON_SHA256
    return wheel


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


@pytest.fixture(scope="session")
def whole_firmware(micropython: Path) -> SimFirmware:
    """The simulated board's firmware with all C modules built in, as a real board has it."""
    from wedau.build import simboard

    return simboard.build(micropython, modules=())


@pytest.fixture(scope="session")
def stock_firmware(micropython: Path) -> SimFirmware:
    """The same simulated board with nothing of ours in its firmware."""
    from wedau.build import simboard

    return simboard.build(micropython, stock=True)
