"""The fuzzers of the node's parsers: short runs, the same each time, and defects they find."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

FUZZERS = Path(__file__).parent / "fuzz"
TARGETS = ["cpio", "metadata", "trust", "journal", "http", "swu", "ddi"]


def fuzz(folder: Path, *arguments: str, code: int = 0) -> list[dict[str, Any]]:
    """Run the command and return what it says of each target."""
    command = [sys.executable, FUZZERS, "--json", "--folder", folder, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["targets"]
    return found


def test_parsers_survive_a_fuzzer(tmp_path: Path) -> None:
    rows = fuzz(tmp_path, "--executions", "1000")
    assert [row["target"] for row in rows] == TARGETS
    for row in rows:
        assert (row["executions"], row["found"]) == (1000, [])
        assert row["inputs_on_micropython"] >= 10


def test_fuzzers_find_a_planted_defect_in_each_parser(tmp_path: Path) -> None:
    for row in fuzz(tmp_path, "--planted", "--executions", "20000", code=1):
        assert row["findings"] and row["executions"] < 20000, row
        crash = Path(row["found"][1])
        assert crash.is_file() and crash.name.startswith("crash-")
        assert row["found"][2] == f"on MicroPython: {crash}"


def test_fuzzer_that_finds_something_says_what_and_where(tmp_path: Path) -> None:
    command = [sys.executable, FUZZERS, "--folder", tmp_path, "--planted", "cpio"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    first, reason, path, *_ = done.stdout.splitlines()
    assert first.split()[0] == "cpio" and first.endswith("1 findings")
    assert reason == "  IndexError: index out of range" and Path(path.strip()).is_file()
