"""Calls of the real mpremote."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

Mpremote = Callable[..., str]


def call_mpremote(port: str, *args: str, cwd: Path | None = None, code: int = 0) -> str:
    """Run mpremote against a port, check its exit code and return what it prints."""
    command = [sys.executable, "-m", "mpremote", "connect", port, *args]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=cwd, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout.replace("\r\n", "\n")
