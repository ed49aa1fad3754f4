"""`wedau push FILE.swu`: verified, stored and tried by the node, or refused with a reason."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from wedau import cli
from wedau.cli import ota_node, ota_samples, pushing_release
from wedau.cli.ota_node import Node, Repository
from wedau.device.link import Board
from wedau.ota import cpio, publishing
from wedau.ota.fields import node as fields
from wedau.ota.payloads import Payload
from wedau.sim import boards

GOOD = ota_node.MAIN.format(name="saw", row=ota_samples.ROW, good=20)


@contextmanager
def on_cable(node: Node) -> Iterator[str]:
    """Switch a node on; gives its port."""
    elf, plugin = node.firmware.elf, node.firmware.plugin
    with boards.board(elf, plugin, flash=node.flash) as board:
        yield board.port


def swu(repository: Repository, tmp_path: Path, ending: str = ".wdt", feed: str = "stable") -> Path:
    """Publish, and return a copy of the .swu file of the target of a feed whose path ends so."""
    boards_by_arch = {"xtensawin": ["SIM"]}
    web = tmp_path / f"web-of-{repository.folder.name}"
    done = publishing.publish(repository.folder, web, boards_by_arch, datetime.now(UTC))
    of_feed = {path: name for path, name in done.swu.items() if path.startswith(f"{feed}/")}
    (name,) = (name for path, name in of_feed.items() if path.endswith(ending))
    kept = tmp_path / f"{len(list(tmp_path.iterdir()))}.swu"
    kept.write_bytes((web / "swu" / name).read_bytes())
    return kept


def push(port: str, path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Run the command; returns its exit code, what it printed and what it told."""
    code = cli.run(["push", str(path), "--port", port])
    said = capsys.readouterr()
    return code, said.out, said.err


def files(port: str) -> dict[str, int]:
    """Return what is in the folder of updates of a board."""
    with Board(port) as board:
        return board.list("/ota")


def test_pushed_release_is_stored_tried_and_confirmed_by_the_program(
    place: tuple[Repository, Node], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repository, node = place
    old = swu(repository, tmp_path)
    repository.release(ota_samples.small_model("new"))
    new = swu(repository, tmp_path)
    with on_cable(node) as port:
        before = files(port)
        assert push(port, old, capsys)[:2] == (0, f"saw old is on {port} and confirmed already\n")
        said = f"saw new is verified, stored and on trial on {port}\n"
        assert push(port, new, capsys)[:2] == (0, said)
        assert set(files(port)) == set(before)
        code, _, told = push(port, new, capsys)
        assert code == 1 and "(pending)" in told and "hint: " in told
    assert "answer new" in (ended := node.run(GOOD)).output
    assert "'state': 'confirmed'" in ended.output and "'tries': 1" in ended.output
    with on_cable(node) as port:
        code, out, told = push(port, old, capsys)
        assert (code, out) == (4, "") and "refuses saw old (rollback)" in told
        assert cli.run(["push", str(new), "--port", port, "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert (found["state"], found["kind"], found["port"]) == ("confirmed", "model", port)
        assert set(files(port)) == set(before)


def test_release_that_a_node_cannot_take_is_refused_with_one_line(
    place: tuple[Repository, Node], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repository, node = place
    other = Repository.make(tmp_path / "other")
    new = ota_samples.small_model("new")
    other.release(new)
    wrong_key = swu(other, tmp_path)
    repository.release(replace(new, place={**new.place, "arch": "armv7m", "mpy": [6, 3]}))
    arch = swu(repository, tmp_path, ".mpy")
    repository.release(new, feed="beta")
    feed = swu(repository, tmp_path, feed="beta")
    bad = ota_samples.small_model("bad")
    bad.place["golden"][3] ^= 1
    repository.release(bad)
    golden = swu(repository, tmp_path)
    changed = tmp_path / "changed.swu"
    data = bytearray(golden.read_bytes())
    data[-700] ^= 1  # in the payload
    changed.write_bytes(data)
    short = tmp_path / "short.swu"
    short.write_bytes(golden.read_bytes()[:-3000])
    expected = {
        wrong_key: (4, "(signature)"),
        arch: (4, "(architecture)"),
        feed: (4, "(missing)"),
        changed: (4, "(hash)"),
        short: (1, "no signed release"),
        golden: (4, "(selftest)"),
    }
    with on_cable(node) as port:
        before = files(port)
        for path, (code, word) in expected.items():
            found, out, told = push(port, path, capsys)
            assert (found, out) == (code, "") and word in told, told
            lines = [line for line in told.splitlines() if line.startswith(("error:", "hint:"))]
            assert len(lines) == 2 and "Traceback" not in told
            assert set(files(port)) == set(before)
    assert "answer old" in node.run(GOOD).output


def test_pushed_application_and_firmware_come_to_their_trial(
    place: tuple[Repository, Node], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repository, node = place
    files_of_it = [("tool.py", b"print('tool 1')\n")]
    repository.release(Payload(fields.APP, "tool", "1", cpio.pack(files_of_it), {}))
    repository.release(ota_samples.small_firmware("new"))
    app = swu(repository, tmp_path, ".cpio")
    firmware = swu(repository, tmp_path, ".bin")
    with on_cable(node) as port:
        code, out, _ = push(port, app, capsys)
        assert (code, out) == (0, f"tool 1 is verified, stored and on trial on {port}\n")
    confirm = "import wedau.ota\nwedau.ota.boot()\nimport tool\nwedau.ota.confirm()\n"
    assert "tool 1" in node.run(confirm).output
    with on_cable(node) as port:
        code, out, told = push(port, firmware, capsys)
        assert code == 0 and "the firmware SIM new is verified and stored" in out
        assert "restart the board" in told
        code, _, told = push(port, firmware, capsys)
        assert code == 1 and "(pending)" in told
    ended = node.run(GOOD)
    assert ended.app == "ota_1" and "firmware new" in ended.output


def test_board_that_was_never_provisioned_takes_no_release(
    place: tuple[Repository, Node], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repository, node = place
    path = swu(repository, tmp_path)
    elf, plugin = node.firmware.elf, node.firmware.plugin
    with boards.board(elf, plugin) as board:
        code, _, told = push(board.port, path, capsys)
    assert code == 1 and "never provisioned" in told


@pytest.mark.parametrize("error", [None, KeyboardInterrupt])
def test_push_that_is_given_up_leaves_no_file(
    error: type[BaseException] | None,
    place: tuple[Repository, Node],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    repository, node = place
    repository.release(ota_samples.small_model("new"))
    path = swu(repository, tmp_path)
    wait = Board.output

    def output(self: Board, timeout_s: float) -> bytes:
        if timeout_s < pushing_release._ASK_S:
            return wait(self, timeout_s)
        if error:
            raise error
        return wait(self, 0.01)

    with on_cable(node) as port:
        before = files(port)
        monkeypatch.setattr(Board, "output", output)
        code, out, told = push(port, path, capsys)
        assert (code, out) == (130 if error else 1, ""), told
        monkeypatch.undo()
        assert set(files(port)) >= set(before) and "push.swu" not in files(port)
        assert push(port, path, capsys)[0] == 0
    assert "answer new" in node.run(GOOD).output


@pytest.mark.parametrize(
    "damage", [lambda data: b"", lambda data: data[:300], lambda data: b"x" + data[1:]]
)
def test_file_that_is_no_release_is_told_before_anything_is_sent(
    damage: Callable[[bytes], bytes],
    place: tuple[Repository, Node],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    repository, node = place
    path = swu(repository, tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    with on_cable(node) as port:
        code, out, told = push(port, path, capsys)
    assert (code, out) == (1, "") and "no signed release" in told


def test_release_takes_no_options_of_models(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.swu").touch()
    assert cli.run(["push", str(tmp_path / "a.swu"), "--format", "data"]) == 2
    assert "takes neither" in capsys.readouterr().err
