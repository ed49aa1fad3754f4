"""The commands that people run a fleet with, as people run them, on a real server and a board."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from wedau import cli
from wedau.build.simboard import SimFirmware
from wedau.cli import fleet_load, ota_samples
from wedau.cli.ota_node import TABLE, Repository
from wedau.device.link import Board
from wedau.sim import boards

pytestmark = pytest.mark.timeout(300)


@contextmanager
def serving(folder: Path, *more: str) -> Iterator["subprocess.Popen[str]"]:
    """Run `wedau ota serve` as a person does."""
    process = subprocess.Popen(
        [sys.executable, "-m", "wedau", "ota", "serve", str(folder), "--port", "0", *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        yield process
    finally:
        process.terminate()  # it ends goosebit then; killed, it could not
        process.wait(60)


def children(process: "subprocess.Popen[str]") -> list[int]:
    text = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return [int(each) for each in text.split()]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_server_tells_its_address_and_ends_with_nothing_left(
    sign: signal.Signals, tmp_path: Path
) -> None:
    made = Repository.make(tmp_path / "releases")
    with serving(made.folder) as process:
        assert process.stdout is not None
        shown = dict(process.stdout.readline().split(maxsplit=1) for _ in range(3))
        assert shown["user"].strip() == "admin" and "admin.json" in shown["password"]
        with urllib.request.urlopen(shown["url"].strip()) as page:
            assert b"<title>Login" in page.read()
        (server,) = children(process)
        process.send_signal(sign)
        out, err = process.communicate(timeout=60)
    assert out == "" and "Traceback" not in err
    if sign == signal.SIGINT:
        assert process.returncode == 0 and err.splitlines()[-1] == "the fleet server ends"
    assert not is_alive(server)


def test_release_goes_through_the_fleet_by_commands(
    tmp_path: Path,
    whole_firmware: SimFirmware,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def run(*args: object) -> str:
        capsys.readouterr()
        assert cli.run(["ota", *(str(arg) for arg in args)]) == 0
        return capsys.readouterr().out

    made = Repository.make(tmp_path / "releases")
    firmware = whole_firmware
    sim = boards.board(firmware.elf, firmware.plugin, partitions=TABLE)
    with serving(made.folder, "--json") as process, sim as board:
        assert process.stdout is not None
        url = json.loads("".join(iter(process.stdout.readline, "}\n")) + "}")["url"]
        assert run("status", made.folder) == ""
        assert run("publish", made.folder, "--to", "fleet") == "0 files new, 0 as before\n"
        made.release(ota_samples.small_model("old"))
        said = run("publish", made.folder, url, "--to", "fleet")
        assert said.splitlines()[-1] == "1 files new, 0 as before"
        given = ("--port", board.port, "--board", "SIM")
        said = run("provision", made.folder, "--fleet", url, "--id", "saw-3", *given)
        assert said.startswith(f"the node saw-3 at {board.port} trusts {made.folder} now\n")
        assert "never seen" in run("status", made.folder)
        poll(board.port)
        said = run("status", "--fleet", url, made.folder)
        assert "saw-3  stable, 0.0.1+model.saw.1, finished, seen" in said
        assert "1 succeeded, 0 failed" in said
        (node,) = json.loads(run("status", made.folder, "--json"))["nodes"]
        assert node["said"]["state"] == "confirmed"


def poll(port: str) -> None:
    """Let a board poll, restart, confirm what it got, and tell."""
    with Board(port) as board:
        board.run("import wedau.ota\nwedau.ota.check(restart=lambda: None)", timeout_s=60)
    with Board(port) as board:
        again = "import wedau.ota\nwedau.ota.boot()\nwedau.ota.confirm()\nprint(wedau.ota.check())"
        assert board.run(again, timeout_s=60).strip() == "None"


def test_load_of_a_fleet_server_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["bench", "fleet", "--nodes", "12", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures == vars(fleet_load.Figures(**figures))
    assert (figures["nodes"], figures["polls"], figures["errors"]) == (12, 12, 0)
    assert 0 < figures["p50_ms"] <= figures["p99_ms"]
    assert figures["polls_per_s"] > 0
