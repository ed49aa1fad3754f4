"""wedau push with a module: the baseline, onto firmware that has the package and that lacks it."""

from pathlib import Path

import pytest

from wedau import cli
from wedau.build import package, runtime
from wedau.cli import pushing
from wedau.device import push
from wedau.device.link import Board
from wedau.errors import DataError


@pytest.fixture
def module(micropython: Path, tmp_path: Path) -> Path:
    return runtime.build(
        runtime.BASELINE, arch="xtensawin", micropython=micropython, out=tmp_path
    ).path


def test_a_module_is_pushed_alone_if_the_firmware_has_the_package(
    module: Path, empty_port: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["push", str(module), "--port", empty_port]) == 0
    assert capsys.readouterr().out == f"wedau_baseline.mpy is on {empty_port} in /lib\n"
    with Board(empty_port) as board:
        assert board.list("/lib") == {"wedau_baseline.mpy": module.stat().st_size}
        board.run("import wedau\nwedau.Baseline(3)")


def test_the_package_comes_along_where_the_firmware_lacks_it(
    module: Path, empty_port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push, "find_module", lambda board, name: None)
    monkeypatch.setattr(push, "_check_shadows", lambda *_: None)  # this firmware has it in truth
    with Board(empty_port) as board:
        done = pushing.push_module(board, module, lambda sent, total: None)
        assert set(done.names) == {module.name, *package.build(["baseline"])}
        board.run("import sys\nsys.path.remove('.frozen')\nimport wedau")
        assert board.eval("wedau.__file__") == "/lib/wedau/__init__.mpy"
        board.run("wedau.Baseline(3)")


def test_a_module_that_is_not_there_is_told(empty_port: str, tmp_path: Path) -> None:
    with Board(empty_port) as board, pytest.raises(DataError, match="cannot be read"):
        pushing.push_module(board, tmp_path / "none.mpy", lambda sent, total: None)
