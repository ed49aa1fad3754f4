"""Stock MicroPython: the runtime pushed or installed by mip; modules proven on somebody's board."""

import functools
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from outcomes import Refused, Wedau

from wedau import cli
from wedau.build import bundle, runtime
from wedau.build.simboard import SimFirmware
from wedau.build.targets import TARGETS
from wedau.cli import installing
from wedau.convert import mpy
from wedau.device import replay
from wedau.device.link import Board
from wedau.errors import DataError, DeviceError
from wedau.sim import boards, unix

NATIVE = {f"{name}.mpy" for name in runtime.modules()}
USE = "import wedau, wedau_trees\nprint(wedau.Pipeline, wedau.Baseline(3, path='/b').needed)"
USED = "<class 'Pipeline'> 200"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, micropython: Path) -> Path:
    """What 'wedau build-engine' makes for the ESP32-S3."""
    folder = tmp_path_factory.mktemp("engine") / "xtensawin"
    assert cli.run(["build-engine", str(folder), "--micropython", str(micropython)]) == 0
    return folder


@pytest.fixture
def stock_port(stock_firmware: SimFirmware) -> Iterator[str]:
    """The port of a new simulated board with stock MicroPython."""
    with boards.board(stock_firmware.elf, stock_firmware.plugin) as board:
        yield board.port


@pytest.fixture
def web(engine: Path) -> Iterator[str]:
    """The address of a web server with the engine's folder."""
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(engine.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def used(port: str) -> str:
    """What the runtime says when a board uses it."""
    with Board(port) as board:
        board.soft_reset()
        return board.run(USE).strip().replace("\r", "")


def decided_as_trained(wedau: Wedau, model: Path, port: str) -> bool:
    """Push a model as a data file and compare what the board decides with the host."""
    assert wedau("build", model, "--format", "data", "--quiet").code == 0
    assert wedau("push", model, "--format", "data", "--port", port).code == 0
    said = wedau("predict", model, model.parent / "data.csv", "--port", port, "--json")
    return bool(said.code == 0 and json.loads(said.out)["differences"] == 0)


def test_stock_micropython_gets_the_runtime(wedau: Wedau, stock_port: str, trained: Path) -> None:
    with Board(stock_port) as board, pytest.raises(DeviceError, match="no module named 'wedau'"):
        board.run("import wedau")
    said = wedau("push", "--runtime", "--port", stock_port)
    assert (said.code, said.out) == (0, f"the runtime is on {stock_port} in /lib\n")
    assert used(stock_port) == USED
    assert decided_as_trained(wedau, trained, stock_port)
    again = wedau("push", "--runtime", "--port", stock_port)
    assert again.out == f"the runtime is on {stock_port} in /lib (was there already)\n"


def test_runtime_comes_from_a_folder_without_a_compiler(
    wedau: Wedau, stock_port: str, engine: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    said = wedau("push", "--runtime", "--from", engine, "--port", stock_port, "--json")
    document = json.loads(said.out)
    assert set(document["names"]) > NATIVE
    assert document["names"][-1] == "wedau/__init__.mpy"
    assert (document["arch"], document["in_firmware"], document["unchanged"]) == (
        "xtensawin",
        [],
        [],
    )
    assert used(stock_port) == USED


def test_what_the_firmware_has_is_not_sent(
    wedau: Wedau, engine: Path, sim_firmware: SimFirmware, whole_firmware: SimFirmware
) -> None:
    with boards.board(sim_firmware.elf, sim_firmware.plugin) as board:
        said = wedau("push", "--runtime", "--from", engine, "--port", board.port, "--json")
        document = json.loads(said.out)
        assert document["in_firmware"] == ["wedau"]
        assert set(document["names"]) == NATIVE
        assert used(board.port) == USED
    with boards.board(whole_firmware.elf, whole_firmware.plugin) as board:
        said = wedau("push", "--runtime", "--from", engine, "--port", board.port)
        names = "wedau_features, wedau_trees, wedau_baseline, wedau_ed25519, wedau_delta, wedau"
        assert (said.code, said.out) == (0, f"in the firmware: {names}\n")


@pytest.mark.parametrize("source", ["folder", "web server"])
def test_mpremote_installs_the_package(
    source: str, engine: Path, web: str, stock_port: str, wedau: Wedau, trained: Path
) -> None:
    where = engine / "package.json" if source == "folder" else f"{web}/{engine.name}/"
    command = [sys.executable, "-m", "mpremote", "connect", stock_port, "mip", "install", where]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    assert used(stock_port) == USED
    assert decided_as_trained(wedau, trained, stock_port)


def test_mip_of_micropython_installs_the_package_for_unix(
    micropython: Path, tmp_path: Path, trained: Path, wedau: Wedau
) -> None:
    """MicroPython's own mip, from a web server; then a data file on that engine."""
    served, board = tmp_path / "served", tmp_path / "board"
    board.mkdir()
    said = wedau("build-engine", served, "--arch", "x64")
    assert said.out.splitlines()[-1] == str(served / "package.json")
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(served))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        unix.run(f"import mip\nmip.install({address!r}, target='lib')", board)
        server.shutdown()
    assert wedau("build", trained, "--format", "data", "--quiet").code == 0
    (board / "saw.wdt").write_bytes((trained / "data" / "saw.wdt").read_bytes())
    answer = unix.run(
        "import sys\nsys.path.append('lib')\n" + USE + "\nfrom array import array\n"
        "model = wedau_trees.load('saw.wdt')\n"
        "print([model.predict(array('f', row)) for row in ((0, 0, 0), (3, -3, 3), (6, -6, 6))])",
        board,
    )
    assert answer.splitlines() == [USED, "[1, 0, 2]"]


@pytest.mark.parametrize("arch", sorted(set(TARGETS) - {"xtensawin", "x64"}))
def test_runtime_is_built_for_other_architectures(
    arch: str, micropython: Path, tmp_path: Path
) -> None:
    bundle.write(tmp_path, bundle.build(arch, micropython))
    files = bundle.read(tmp_path)
    assert set(files) > {*NATIVE, "wedau/pipeline.mpy"}
    assert {mpy.inspect_bytes(files[name]).arch for name in NATIVE} == {arch}


def test_a_folder_that_is_no_package_is_refused(
    refused: Refused, stock_port: str, engine: Path, tmp_path: Path
) -> None:
    said = refused("push", "--runtime", "--from", tmp_path, "--port", stock_port)
    assert said.error == f"{tmp_path} holds no package.json"
    assert "wedau build-engine" in said.hint
    for text in ("[]", '{"urls": [["../boot.py", "../boot.py"]]}', '{"urls": [["a", "http://b"]]}'):
        (tmp_path / "package.json").write_text(text)
        with pytest.raises(DataError, match="is not what Wedau writes"):
            bundle.read(tmp_path)
    document = json.loads((engine / "package.json").read_text())
    (tmp_path / "package.json").write_text(json.dumps(document))
    with pytest.raises(DataError, match=r"wedau_features\.mpy cannot be read"):
        bundle.read(tmp_path)


def test_a_runtime_for_another_architecture_is_refused(
    refused: Refused, stock_port: str, micropython: Path, tmp_path: Path
) -> None:
    bundle.write(tmp_path / "x64", bundle.build("x64", micropython))
    said = refused("push", "--runtime", "--from", tmp_path / "x64", "--port", stock_port)
    assert "is for x64, the board at" in said.error
    with Board(stock_port) as board:
        assert "lib" not in board.run("import os\nprint(os.listdir('/'))")


def test_boards_that_cannot_take_the_runtime_are_refused(stock_port: str) -> None:
    with Board(stock_port) as board:
        info = board.info
    assert installing.check(info) == "xtensawin"
    assert installing.check(replace(info, arch="armv7emdp")) == "armv7emsp"
    old = replace(info, version="1.22.2", mpy_sub_version=2)
    for other, said in (
        (old, "has MicroPython 1.22.2, Wedau needs 1.23 or newer"),
        (replace(info, mpy_version=7, mpy_sub_version=0), r"takes \.mpy version 7\.0"),
        (replace(info, arch="bytecode"), "takes no native modules"),
        (replace(info, arch="xtensa"), "is xtensa, which Wedau does not build for"),
    ):
        with pytest.raises(DeviceError, match=said):
            installing.check(other)


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("--from", "engine"),
        ("saw", "--from", "engine"),
        ("saw", "--runtime"),
        ("--runtime", "--engine", "engine"),
    ],
)
def test_options_that_do_not_go_together_are_refused(refused: Refused, args: tuple[str]) -> None:
    refused("push", *args, code=2)


def test_a_module_is_proven_on_the_board_at_a_port(
    wedau: Wedau, trained: Path, stock_port: str
) -> None:
    said = wedau("build", trained, "--port", stock_port, "--json")
    build = json.loads(said.out)["builds"][0]
    assert build["board"].startswith(
        "Wedau simulated board with simulated ESP32-S3, MicroPython 1."
    )
    assert build["arch"] == "xtensawin"
    with Board(stock_port) as board:
        board.run("import saw")


def test_a_module_that_the_board_decides_otherwise_is_taken_off_it(
    refused: Refused, trained: Path, stock_port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path: path.read_bytes() for path in trained.rglob("*") if path.is_file()}
    honest = replay.classes
    monkeypatch.setattr(replay, "classes", lambda *args, **named: 1 - honest(*args, **named))
    said = refused("build", trained, "--port", stock_port)
    assert "are decided otherwise on the board" in said.error
    with Board(stock_port) as board:
        assert board.list("/lib") == {}
    assert before == {path: path.read_bytes() for path in trained.rglob("*") if path.is_file()}


def test_a_module_that_no_board_can_try_is_refused(
    refused: Refused, trained: Path, stock_port: str
) -> None:
    said = refused("build", trained, "--arch", "armv7m")
    assert said.error.startswith("there is no simulated armv7m board")
    assert "--arch armv7m --port PORT; or build" in said.hint
    said = refused("build", trained, "--arch", "armv7m", "--port", stock_port)
    assert said.error == f"the board at {stock_port} is xtensawin, not armv7m"
    said = refused("build", trained, "--format", "data", "--port", stock_port, code=2)
    assert "wedau predict" in said.hint
