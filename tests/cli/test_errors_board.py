"""Boards that are missing, silent, busy, too small, or hold something else."""

import csv
import hashlib
import json
import os
import pty
import shutil
import time
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import samples
from outcomes import Refused, Wedau
from serial.tools import list_ports

from wedau import cli
from wedau.build.simboard import SimFirmware
from wedau.device.link import Board
from wedau.paths import cache_dir
from wedau.sim import boards

_SOON_S = 15.0


@pytest.fixture(scope="module")
def built(trained: Path, sim_firmware: SimFirmware) -> Path:
    """The small model, built."""
    assert cli.run(["build", str(trained), "--quiet"]) == 0
    return trained


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory, sim_firmware: SimFirmware) -> Path:
    """A model of random labels, which needs many nodes, built."""
    folder = tmp_path_factory.mktemp("big")
    rng = np.random.default_rng(1)
    rows = [[*(f"{v:.2f}" for v in rng.normal(size=4)), "ab"[rng.integers(2)]] for _ in range(400)]
    samples.write(folder / "noise.csv", [*"wxyz", "label"], rows)
    size = ["--trees", "40", "--depth", "12", "--leaves", "120"]
    assert cli.run(["train", str(folder / "noise.csv"), "-o", str(folder / "big"), *size]) == 0
    assert cli.run(["build", str(folder / "big"), "--quiet"]) == 0
    return folder / "big"


@pytest.fixture(scope="module")
def port(sim_firmware: SimFirmware) -> Iterator[str]:
    """The port of a board."""
    with boards.board(sim_firmware.elf, sim_firmware.plugin) as board:
        yield board.port


@pytest.fixture
def saw(built: Path, place: Path) -> str:
    """The model in the place, with data."""
    shutil.copytree(built, place / "saw")
    samples.table(place / "data.csv")
    return "saw"


@pytest.fixture
def empty(port: str) -> str:
    """The port of a board without modules."""
    with Board(port) as board:
        for name in modules_on(board):
            board.run(f"import os; os.remove('/lib/{name}')")
    return port


def modules_on(board: Board) -> list[str]:
    return list(board.list("/lib")) if "lib/" in board.list("/") else []


@pytest.fixture
def own_cache(sim_firmware: SimFirmware, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache with the firmware, but no boards, and no port with a board either."""
    for part in ("micropython", "simboard"):
        (tmp_path / part).symlink_to(cache_dir(part))
    monkeypatch.setenv("WEDAU_CACHE", str(tmp_path))
    monkeypatch.setattr(list_ports, "comports", list)


@pytest.mark.parametrize("command", [["push", "saw"], ["predict", "saw", "data.csv"], ["repl"]])
class TestEveryCommand:
    """What push, predict and repl have in common."""

    def test_no_board_at_the_port(self, refused: Refused, saw: str, command: list[str]) -> None:
        said = refused(*command, "--port", "/dev/nonexistent", code=3)
        assert said.error == "there is no port /dev/nonexistent"
        assert "wedau sim start" in said.hint

    def test_no_board_at_all(
        self, refused: Refused, saw: str, command: list[str], own_cache: None
    ) -> None:
        said = refused(*command, code=3)
        assert said.error == "no board found at any port"
        assert "wedau sim start" in said.hint

    def test_the_port_is_busy(
        self, refused: Refused, saw: str, command: list[str], port: str
    ) -> None:
        with Board(port):
            said = refused(*command, "--port", port)
        assert said.error.startswith(f"{port} is in use by ")
        assert f"(process {os.getpid()})" in said.error
        assert "Thonny" in said.hint

    def test_it_is_no_serial_port(self, refused: Refused, saw: str, command: list[str]) -> None:
        said = refused(*command, "--port", "data.csv", code=3)
        assert said.error == "data.csv is not a serial port"


@pytest.mark.parametrize("command", [["push", "saw"], ["predict", "saw", "data.csv"]])
def test_a_board_that_does_not_answer(refused: Refused, saw: str, command: list[str]) -> None:
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    port = os.ttyname(theirs)
    start = time.monotonic()
    said = refused(*command, "--port", port, code=3)
    os.close(ours)
    os.close(theirs)
    assert time.monotonic() - start < _SOON_S
    assert said.error == f"nothing answers at {port}"
    assert "RESET" in said.hint


def test_several_boards_are_listed(
    refused: Refused, saw: str, sim_firmware: SimFirmware, own_cache: None
) -> None:
    names = ("left", "right")
    started = [boards.start(name, sim_firmware.elf, sim_firmware.plugin) for name in names]
    try:
        said = refused("push", saw, code=2)
        assert said.error.startswith("there are 2 boards: ")
        for board in started:
            assert f"{board.port} (simulated: {board.name})" in said.error
        assert "--port" in said.hint
        said = refused("sim", "stop", code=2)
        assert said.error == "several boards are running: left, right"
        assert "--all" in said.hint
        said = refused("sim", "start", "left")
        assert said.error == (
            f"a simulated board called left is already running at {started[0].port}"
        )
    finally:
        for board in started:
            boards.stop(board.name)


def test_boards_of_others_are_left_alone(
    refused: Refused, wedau: Wedau, saw: str, sim_firmware: SimFirmware, own_cache: None
) -> None:
    """Those that a build or a test in another window runs for itself."""
    with boards.board(sim_firmware.elf, sim_firmware.plugin) as board:
        assert refused("push", saw, code=3).error == "no board found at any port"
        assert refused("sim", "stop").error == "no simulated board is running"
        assert wedau("sim", "stop", "--all").code == 0
        assert json.loads(wedau("sim", "list", "--json").out) == []
        assert board.crashed is None


@pytest.mark.parametrize(
    ("option", "value", "what"),
    [("--heap", "5", "a heap of 5 bytes"), ("--flash", "100000", "a flash of 100000 bytes")],
)
def test_a_size_that_no_board_has(
    refused: Refused, sim_firmware: SimFirmware, option: str, value: str, what: str
) -> None:
    said = refused("sim", "start", "odd", option, value)
    assert said.error == f"{what} is not possible"
    assert "a multiple of" in said.hint


def test_a_name_that_no_board_can_have(refused: Refused, sim_firmware: SimFirmware) -> None:
    said = refused("sim", "start", "../up")
    assert said.error == "'../up' cannot be the name of a board"
    assert refused("sim", "stop", "nobody").error == "no simulated board called nobody is running"


def put(module: Path, data: bytes) -> None:
    """Put another file in the place of a built module, as if it had been built."""
    module.write_bytes(data)
    note = module.with_name("modules.json")
    known = json.loads(note.read_text())
    known["files"][module.name] = hashlib.sha256(data).hexdigest()
    note.write_text(json.dumps(known))


def test_push_refuses_a_module_of_another_architecture(
    refused: Refused, wedau: Wedau, saw: str, place: Path, empty: str
) -> None:
    assert wedau("build", saw, "--arch", "x64").code == 0
    put(place / saw / "xtensawin" / "saw.mpy", (place / saw / "x64" / "saw.mpy").read_bytes())
    said = refused("push", saw, "--port", empty)
    assert said.error == f"saw.mpy is for x64, the board at {empty} is xtensawin"
    assert said.hint == "build it again with '--arch xtensawin'"
    with Board(empty) as board:
        assert modules_on(board) == []


def test_push_refuses_a_module_of_another_version(
    refused: Refused, saw: str, place: Path, empty: str
) -> None:
    module = place / saw / "xtensawin" / "saw.mpy"
    data = bytearray(module.read_bytes())
    data[1] = 5
    put(module, bytes(data))
    said = refused("push", saw, "--port", empty)
    assert said.error == f"saw.mpy has .mpy version 5.3, the board at {empty} takes 6.3"
    assert "build it again" in said.hint


def test_push_refuses_what_was_built_of_an_older_training(
    refused: Refused, wedau: Wedau, saw: str, place: Path, empty: str
) -> None:
    old = (place / saw / "xtensawin").rename(place / "old")
    assert wedau("train", "data.csv", "-o", saw, "--seed", "1").code == 0
    said = refused("push", saw, "--port", empty)
    assert said.error == "saw has no complete module for xtensawin"
    assert said.hint == "run: wedau build saw --arch xtensawin"
    old.rename(place / saw / "xtensawin")
    said = refused("push", saw, "--port", empty)
    assert said.error == "saw was trained again after its module was built"
    assert said.hint == "run: wedau build saw --arch xtensawin"


def test_push_refuses_a_module_that_was_changed(
    refused: Refused, saw: str, place: Path, empty: str
) -> None:
    module = place / saw / "xtensawin" / "saw.mpy"
    module.write_bytes(module.read_bytes()[:-1])
    said = refused("push", saw, "--port", empty)
    assert said.error == "saw/xtensawin/saw.mpy was changed after it was built"
    assert said.hint == "run: wedau build saw --arch xtensawin"


def test_push_refuses_a_model_too_big_for_the_heap(
    refused: Refused, big: Path, sim_firmware: SimFirmware
) -> None:
    needs = json.loads((big / "xtensawin" / "modules.json").read_text())["build"]["heap_bytes"]
    with boards.board(sim_firmware.elf, sim_firmware.plugin, heap_bytes=32 * 1024) as small:
        said = refused("push", big, "--port", small.port)
        with Board(small.port) as board:
            total = board.info.heap_total_bytes
            assert modules_on(board) == []
    assert said.error.startswith(f"big.mpy needs {needs} bytes of heap, the board at {small.port}")
    assert f"free of {total}" in said.error
    assert "PSRAM" in said.hint


def test_push_refuses_a_model_too_big_for_the_flash(
    refused: Refused, big: Path, sim_firmware: SimFirmware
) -> None:
    with boards.board(sim_firmware.elf, sim_firmware.plugin, flash_bytes=64 * 1024) as small:
        with Board(small.port) as board:
            board.run("open('/full.bin', 'wb').write(bytes(36000))")
        said = refused("push", big, "--port", small.port)
        with Board(small.port) as board:
            free = board.info.flash_free_bytes
            assert modules_on(board) == []
    size = (big / "xtensawin" / "big.mpy").stat().st_size
    words = said.error.split()
    assert said.error.startswith("big.mpy needs ")
    assert size <= int(words[2]) <= size + 3 * 4096
    assert said.error.endswith(f"the board at {small.port} has {free} free")
    assert "remove files" in said.hint


def test_predict_wants_the_model_on_the_board(refused: Refused, saw: str, empty: str) -> None:
    said = refused("predict", saw, "data.csv", "--port", empty)
    assert said.error == f"saw.mpy is not on the board at {empty}"
    assert said.hint == f"put it there: wedau push saw --port {empty}"


def test_predict_wants_the_very_model_of_the_folder(
    refused: Refused, wedau: Wedau, saw: str, place: Path, empty: str
) -> None:
    assert wedau("push", saw, "--port", empty).code == 0
    settings = ("--trees", "5", "--seed", "1")  # same data, same name, same version
    assert wedau("train", "data.csv", "-o", saw, *settings).code == 0
    assert wedau("build", saw).code == 0
    said = refused("predict", saw, "data.csv", "--port", empty, code=4)
    assert said.error == f"saw.mpy on the board at {empty} is not the one that saw holds"
    assert said.hint == f"put it there: wedau push saw --port {empty}"
    assert wedau("push", saw, "--port", empty).code == 0
    assert wedau("predict", saw, "data.csv", "--port", empty).code == 0


def test_predict_names_a_column_that_is_missing(
    refused: Refused, saw: str, place: Path, empty: str
) -> None:
    rows = [[1, 2], [3, 4]]
    samples.write(place / "new.csv", ["current", "Noise"], rows)
    said = refused("predict", saw, "new.csv", "--port", empty)
    assert "new.csv: there is no feature column 'noise'" in said.error


@pytest.mark.parametrize("output", [".", "no/such/folder.csv"])
def test_predict_checks_first_where_it_shall_write(refused: Refused, saw: str, output: str) -> None:
    said = refused("predict", saw, "data.csv", "--port", "/dev/nonexistent", "-o", output)
    assert said.error.startswith(f"{output} cannot be written")


@pytest.fixture
def without_labels(place: Path) -> Path:
    """The data as a board would record them."""
    with (place / "data.csv").open(encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    return samples.write(place / "new.csv", head[:-1], [row[:-1] for row in rows])


def test_predict_takes_data_without_labels(
    wedau: Wedau, saw: str, place: Path, empty: str, without_labels: Path
) -> None:
    assert wedau("push", saw, "--port", empty).code == 0
    document: Callable[..., dict[str, object]] = lambda *args: json.loads(wedau(*args).out)  # noqa: E731
    known = document("predict", saw, "data.csv", "--port", empty, "--json")
    new = document("predict", saw, "new.csv", "--port", empty, "--json", "-o", "classes.csv")
    assert known["differences"] == new["differences"] == 0
    assert known["accuracy"] >= 0.9
    assert new["accuracy"] is None
    assert new["predicted"] == known["predicted"]
    with (place / "classes.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["row", "predicted"]
    assert [row[1] for row in rows[1:]] == new["predicted"]
    assert sorted(p.name for p in place.iterdir()) == ["classes.csv", "data.csv", "new.csv", "saw"]
