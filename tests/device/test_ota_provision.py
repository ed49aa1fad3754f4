"""Trust and settings get onto a board, and another repository's trust is not overwritten."""

import json
from pathlib import Path

import pytest

from wedau import cli
from wedau.device.link import Board

REPOSITORIES = ("ours", "theirs")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two repositories."""
    monkeypatch.chdir(tmp_path)
    for name in REPOSITORIES:
        url = f"https://example.com/{name}"
        assert cli.run(["ota", "init", name, "--no-passphrase", "--url", url]) == 0
    return tmp_path


def settings(board: Board) -> dict[str, object]:
    found: dict[str, object] = json.loads(board.read_file("/ota/settings.json"))
    return found


def test_provision_puts_trust_and_settings_onto_the_board_once(
    empty_port: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def provision(folder: str, *more: str) -> int:
        return cli.run(["ota", "provision", folder, "--port", empty_port, *more])

    assert provision("ours", "--id", "saw-1", "--token", "secret") == 0
    assert "secret" not in capsys.readouterr().out
    with Board(empty_port) as board:
        assert board.read_file("/ota/root.json") == Path("ours/metadata/1.root.json").read_bytes()
        assert settings(board)["id"] == "saw-1"
        board.run("import os\nos.mkdir('/ota/meta')\nopen('/ota/meta/root.json', 'w').close()")
    assert provision("theirs", "--id", "x") == 1
    assert "trusts another repository" in capsys.readouterr().err
    assert provision("ours", "--feed", "beta") == 0
    with Board(empty_port) as board:
        kept = settings(board)
        assert board.list("/ota/meta") == {"root.json": 0}
    assert (kept["id"], kept["token"], kept["feed"]) == ("saw-1", "secret", "beta")
    assert kept["url"] == "https://example.com/ours"
    assert provision("theirs", "--id", "x", "--replace") == 0
    with Board(empty_port) as board:
        assert board.read_file("/ota/root.json") == Path("theirs/metadata/1.root.json").read_bytes()
        assert settings(board)["token"] == ""
        assert board.list("/ota/meta") == {}


def test_setting_that_cannot_be_leaves_the_board_alone(
    empty_port: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for more in (["--carrier", "pigeon"], ["--id", "Säge"], ["--feed", "../x"]):
        args = ["ota", "provision", "ours", "--port", empty_port, "--id", "a", *more]
        assert cli.run(args) == 1
        assert "cannot be" in capsys.readouterr().err
    with Board(empty_port) as board:
        assert board.list("/") == {}
