"""Ctrl-C and SIGTERM in the middle of a command: nothing half done stays, no board runs on."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from outcomes import contents, refusal

from wedau.paths import cache_dir

pytestmark = pytest.mark.usefixtures("sim_firmware")

COMMAND = [sys.executable, "-m", "wedau"]
_PATIENCE_S = 120.0


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache and a folder for temporary files, with nothing in them but the firmware."""
    for part in ("micropython", "simboard"):
        (tmp_path / "cache").mkdir(exist_ok=True)
        (tmp_path / "cache" / part).symlink_to(cache_dir(part))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("WEDAU_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    return tmp_path


def interrupt(args: list[str], place: Path, own: Path, sign: signal.Signals) -> tuple[int, str]:
    """Run a command; interrupt it as soon as it has a board and its port open."""
    process = subprocess.Popen(
        [*COMMAND, *args],
        cwd=place,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + _PATIENCE_S
    while not list((own / "cache").glob("sim/boards/*/state.json")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)
    time.sleep(0.3)
    process.send_signal(sign)
    out, err = process.communicate(timeout=60)
    assert out == ""
    return process.returncode, err


def bridges(own: Path) -> list[str]:
    """The processes of boards that run in this cache."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes()
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if os.fsencode(own / "cache") in environment and "pytest" not in command:
            found.append(command)
    return found


@pytest.mark.parametrize(("sign", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("command", [["build", "saw"], ["demo", "demo"]])
def test_an_interrupted_command_leaves_nothing(
    trained: Path, place: Path, own: Path, command: list[str], sign: signal.Signals, code: int
) -> None:
    shutil.copytree(trained, place / "saw", ignore=shutil.ignore_patterns("*.html", "x*"))
    before = contents(place)
    returned, err = interrupt(command, place, own, sign)
    assert returned == code
    assert "Traceback" not in err
    if sign == signal.SIGINT:
        assert refusal(err).error == "interrupted"
    assert contents(place) == before
    assert contents(own / "tmp") == {}
    assert list((own / "cache").glob("sim/boards/*")) == []
    assert bridges(own) == []
