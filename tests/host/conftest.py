"""Data that the tests of the host's packages share."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from wedau.paths import cache_dir

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
