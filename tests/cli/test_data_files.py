"""Models as data files: built without a compiler, pushed with the engine, decided on the board."""

import ast
import json
import shutil
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import samples
from outcomes import Refused, Wedau, contents

from wedau import cli
from wedau.build.simboard import SimFirmware
from wedau.cli import data_files, verify
from wedau.cli.proving import Case
from wedau.convert import data
from wedau.convert.module import ModuleInfo
from wedau.device import push
from wedau.device.link import Board
from wedau.errors import ConvertError
from wedau.models.trees import TreeArrays
from wedau.sim import boards
from wedau.train.model import TrainedModel

BUILD = ("build", "saw", "--format", "data")


@pytest.fixture(scope="module")
def built(
    trained: Path, sim_firmware: SimFirmware, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A model's folder with a data file and the native module."""
    folder = tmp_path_factory.mktemp("both") / "saw"
    shutil.copytree(trained, folder)
    for more in (["--format", "data"], ["--quiet"]):
        assert cli.run(["build", str(folder), *more]) == 0
    return folder


@pytest.fixture(scope="module")
def engine(sim_firmware: SimFirmware, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `wedau build-engine` makes."""
    folder = tmp_path_factory.mktemp("engine") / "for" / "boards"
    assert cli.run(["build-engine", str(folder)]) == 0
    return folder


@pytest.fixture
def saw(built: Path, place: Path) -> Path:
    """Both builds in the place, with data."""
    shutil.copytree(built, place / "saw")
    samples.table(place / "data.csv")
    return place / "saw"


@pytest.fixture(scope="module")
def started(sim_firmware: SimFirmware) -> Iterator[str]:
    with boards.board(sim_firmware.elf, sim_firmware.plugin) as board:
        yield board.port


@pytest.fixture
def port(started: str) -> str:
    """The port of a board without modules."""
    with Board(started) as board:
        for name in on(board):
            board.run(f"import os; os.remove('/lib/{name}')")
    return started


def on(board: Board) -> list[str]:
    return sorted(board.list("/lib")) if "lib/" in board.list("/") else []


def test_a_build_leaves_the_file_its_module_and_a_report(
    wedau: Wedau, trained: Path, place: Path
) -> None:
    shutil.copytree(trained, place / "saw")
    done = wedau(*BUILD)
    assert done.code == 0, done.err
    assert "Engine, on this laptop     0 differences in 12 held-out rows" in done.out
    assert done.out.splitlines()[-1] == "saw/data/saw.py"
    first = contents(place)
    assert {path for path in first if path.startswith("saw/data/")} == {
        *("saw/data/modules.json", "saw/data/saw.py", "saw/data/saw.wdt"),
    }
    report = json.loads(wedau(*BUILD, "--json").out)
    assert contents(place) == first
    (build,) = report["builds"]
    assert (build["arch"], build["board"], build["engine_bytes"]) == ("data", None, None)
    files = [place / "saw" / "data" / f"saw.{ending}" for ending in ("wdt", "py")]
    assert build["module_bytes"] == sum(path.stat().st_size for path in files)
    assert report["differences"] == 0
    read = data.read_data(files[0].read_bytes())
    assert read.info.labels == tuple(report["labels"])


def test_a_build_takes_no_tool_and_no_source(
    wedau: Wedau, trained: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(trained, place / "saw")
    (place / "nothing").mkdir()
    monkeypatch.setenv("PATH", str(place / "nothing"))
    monkeypatch.setenv("WEDAU_CACHE", str(place / "cache"))
    assert wedau(*BUILD).code == 0
    assert not (place / "cache").exists()


def test_a_build_on_the_board_says_what_it_costs(
    wedau: Wedau, trained: Path, place: Path, sim_firmware: SimFirmware
) -> None:
    shutil.copytree(trained, place / "saw")
    report = json.loads(wedau(*BUILD, "--on-board", "--json").out)
    (build,) = report["builds"]
    assert "qemu" in build["board"]
    assert report["differences"] == 0
    assert build["call_heap_bytes"] == 0
    assert 300 < build["instructions_mean"] < 1_000
    assert 4_000 < build["engine_bytes"] < 8_000
    assert build["heap_bytes"] > build["engine_bytes"]
    assert build["import_instructions"] < 5_000_000


def test_an_input_that_the_engine_decides_otherwise_is_named(
    refused: Refused, trained: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(trained, place / "saw")
    whole = data.to_data

    def beside(trees: list[TreeArrays], info: ModuleInfo) -> bytes:
        first, *others = trees
        wrong = replace(first, threshold=first.threshold - (first.left >= 0))
        return whole([wrong, *others], info)

    monkeypatch.setattr(data, "to_data", beside)
    said = refused(*BUILD)
    assert "inputs are decided otherwise by the engine, the first is boundary input" in said.error
    assert said.error.endswith("no data file was made")


def test_a_family_without_voting_trees_is_refused_by_name() -> None:
    model = SimpleNamespace(program=object(), card=SimpleNamespace(family="mlp"))
    with pytest.raises(ConvertError) as caught:
        data_files.voting(model)  # type: ignore[arg-type]
    assert caught.value.message.startswith("a model of the family mlp needs the native module")


def test_a_label_that_no_tree_gives_is_refused(trained: Path) -> None:
    model = TrainedModel.load(trained)
    card = replace(model.card, labels=(*model.card.labels, "unknown"))
    with pytest.raises(ConvertError) as caught:
        data_files.voting(replace(model, card=card))
    assert "with the label unknown, which no tree votes for, needs the" in caught.value.message


def test_push_says_how_to_get_the_engine(refused: Refused, saw: Path, port: str) -> None:
    said = refused("push", "saw", "--format", "data", "--port", port)
    assert said.error == (
        f"saw.py needs the module wedau_trees, which is not on the board at {port}"
    )
    assert "--engine FOLDER" in said.hint and "wedau build-engine" in said.hint
    said = refused("push", "saw", "--format", "data", "--port", port, "--engine", "saw")
    assert said.error == "saw does not hold wedau_trees.mpy"
    with Board(port) as board:
        assert on(board) == []


def test_push_puts_the_engine_there_once(
    wedau: Wedau, refused: Refused, saw: Path, port: str, engine: Path
) -> None:
    shutil.rmtree(saw / "xtensawin")  # somebody who has no compiler
    to = ("--port", port)
    first = json.loads(wedau("push", "saw", *to, "--engine", engine, "--json").out)
    assert first["names"] == ["wedau_trees.mpy", "saw.wdt", "saw.py"]
    again = json.loads(wedau("push", "saw", *to, "--json").out)
    assert again["names"] == again["unchanged"] == ["saw.wdt", "saw.py"]
    done = wedau("predict", "saw", "data.csv", *to, "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["differences"] == 0
    assert json.loads(done.out)["rows"] == 60
    with Board(port) as board:
        board.run("import os; os.remove('/lib/wedau_trees.mpy')")
    said = refused("predict", "saw", "data.csv", *to)
    assert said.error == f"there is no module 'wedau_trees' on the board at {port}"


def test_push_takes_the_native_module_unless_told_otherwise(
    wedau: Wedau, refused: Refused, saw: Path, port: str, engine: Path
) -> None:
    to = ("--port", port)
    as_data = ("--format", "data", "--engine", engine)
    both = {"saw.mpy", "saw.py", "saw.wdt", "wedau_trees.mpy"}
    for more, there, runs in (
        ((), {"saw.mpy"}, "/lib/saw.mpy"),
        (as_data, both, "/lib/saw.py"),
        ((), both - {"saw.py"}, "/lib/saw.mpy"),
        (as_data, both, "/lib/saw.py"),
    ):
        assert wedau("push", "saw", *to, *more).code == 0
        with Board(port) as board:
            assert set(on(board)) == there
            assert push.find_module(board, "saw") == runs
        done = wedau("predict", "saw", "data.csv", *to, "--json")
        assert json.loads(done.out)["differences"] == 0
    (saw / "data" / "saw.py").write_text("print('a program of mine')")
    said = refused("predict", "saw", "data.csv", *to)
    assert said.error == "saw/data/saw.py was changed after it was built"


def test_push_leaves_a_program_of_the_users_own_alone(
    refused: Refused, wedau: Wedau, saw: Path, port: str
) -> None:
    assert wedau("push", "saw", "--port", port).code == 0
    with Board(port) as board:
        board.run("open('/lib/saw.py', 'w').write('# mine')")
    said = refused("push", "saw", "--port", port)
    assert "/lib/saw.py comes first" in said.error
    shutil.rmtree(saw / "data")
    said = refused("predict", "saw", "data.csv", "--port", port, code=4)
    assert said.error == f"'import saw' on the board at {port} finds /lib/saw.py, not saw.mpy"


def test_a_data_file_of_an_older_training_is_refused(
    refused: Refused, wedau: Wedau, saw: Path, place: Path, port: str, engine: Path
) -> None:
    to = ("--format", "data", "--port", port, "--engine", engine)
    assert wedau("push", "saw", *to).code == 0
    old = (saw / "data").rename(place / "old")
    assert wedau("train", "data.csv", "-o", "saw", "--trees", "5", "--seed", "1").code == 0
    said = refused("push", "saw", *to)
    assert said.error == "saw has no complete data file"
    assert said.hint == "run: wedau build saw --format data"
    shutil.copytree(old, saw / "data")
    said = refused("push", "saw", *to)
    assert said.error == "saw was trained again after its data file was built"
    assert wedau(*BUILD).code == 0
    said = refused("predict", "saw", "data.csv", "--port", port, code=4)
    assert said.error == f"saw.wdt on the board at {port} is not the one that saw holds"
    wdt = saw / "data" / "saw.wdt"
    wdt.write_bytes(wdt.read_bytes()[:-1])
    said = refused("push", "saw", *to)
    assert said.error == "saw/data/saw.wdt was changed after it was built"


SAME = """
import gc, micropython
from array import array
import saw
rows = array('h', {rows})
def of(x):
    out = array('f', [0, 0, 0])
    micropython.heap_lock()
    try:
        same = saw.predict_proba(x, out) is out
        label = saw.predict(x)
    finally:
        micropython.heap_unlock()
    return same, label, list(out)
answers = [of(rows[i:i + 3]) for i in range(0, len(rows), 3)]
answers += [of(array('f', [i / 2, -i, i])) for i in range(4)]
raised = []
for x in (rows, [1, 2, 3], array('f', [float('nan')] * 3), None):
    try:
        saw.predict(x)
    except Exception as error:
        raised.append((type(error).__name__, str(error)))
try:
    saw.nothing
except AttributeError:
    raised.append('AttributeError')
from saw import info
print((answers, raised, saw.labels, sorted(saw.info.items()), info == saw.info))
"""


def test_the_interface_is_that_of_the_native_module(
    wedau: Wedau, saw: Path, port: str, engine: Path
) -> None:
    rows = TrainedModel.load(saw).held_out.x.ravel().tolist()
    said = []
    for more in ((), ("--format", "data", "--engine", engine)):
        assert wedau("push", "saw", "--port", port, *more).code == 0
        with Board(port) as board:
            said.append(ast.literal_eval(board.run(SAME.format(rows=rows))))
    assert said[0] == said[1]
    assert said[0][-1] is True


IMPORT = """
import sys
def verdict(content):
    with open('/lib/saw.wdt', 'wb') as file:
        file.write(content)
    sys.modules.pop('saw', None)
    try:
        import saw
        return 'taken'
    except ValueError:
        return 'ValueError'
whole = open('/lib/saw.wdt', 'rb').read()
"""


@pytest.fixture
def importing(wedau: Wedau, saw: Path, port: str, engine: Path) -> Iterator[Board]:
    """A board that tries what it is given as saw.wdt."""
    args = ("--port", port, "--format", "data", "--engine", engine)
    assert wedau("push", "saw", *args).code == 0
    with Board(port) as board:
        board.run(IMPORT)
        yield board
        assert board.eval("verdict(whole)") == "taken"


def test_files_cut_short_or_changed_cannot_be_imported(importing: Board) -> None:
    cut = "set(verdict(whole[:n]) for n in range(len(whole)))"
    assert importing.eval(cut, timeout_s=60) == {"ValueError"}
    changed = "set(verdict(whole[:n] + bytes([whole[n] ^ 1]) + whole[n + 1:]) for n in range({}))"
    assert importing.eval(changed.format("len(whole)"), timeout_s=60) == {"ValueError"}


def test_foreign_files_cannot_be_imported(importing: Board) -> None:
    for foreign in (
        "b''",
        "bytes(300)",
        "b'import os'",
        "b'WDR' + whole[3:]",
        "whole + b'x'",
        "open('/lib/wedau_trees.mpy', 'rb').read()",
    ):
        assert importing.eval(f"verdict({foreign})") == "ValueError", foreign


def test_files_with_a_circle_and_a_right_checksum_cannot_be_imported(
    importing: Board, saw: Path
) -> None:
    whole = (saw / "data" / "saw.wdt").read_bytes()
    read = data.read_data(whole)
    first = 24 + 4 * read.n_trees + 4 * len(read.info.features)
    for node in range(read.n_nodes):
        for right in (0, 0x7FFF):  # to itself; far outside
            at = first + 6 * node + 4
            body = whole[:at] + struct.pack("<H", right) + whole[at + 2 : -4]
            wrong = body + struct.pack("<I", zlib.crc32(body))
            assert importing.eval(f"verdict({wrong!r})") == "ValueError"


def test_recordings_are_decided_from_samples_on_the_board(
    wedau: Wedau, place: Path, port: str, engine: Path
) -> None:
    samples.recordings(place / "rec")
    windows = ("--window-ms", "1000", "--hop-ms", "500", "--trees", "10")
    train = wedau("train", "rec", "-o", "saw", "--time", "t_ms", "--label", "label", *windows)
    assert train.code == 0, train.err
    assert wedau(*BUILD).code == 0
    pushed = json.loads(wedau("push", "saw", "--port", port, "--engine", engine, "--json").out)
    assert set(pushed["names"]) >= {"wedau_trees.mpy", "wedau_features.mpy", "saw.wdt", "saw.py"}
    done = json.loads(wedau("predict", "saw", "rec", "--port", port, "--json").out)
    assert done["differences"] == 0
    assert done["rows"] == 42


def test_modules_in_the_firmware_are_found(port: str) -> None:
    with Board(port) as board:
        assert push.find_module(board, "array") == push.FIRMWARE
        assert push.find_module(board, "wedau_trees") is None


def test_shares_that_the_engine_gives_are_scikit_learns(trained: Path) -> None:
    model = TrainedModel.load(trained)
    votes = data_files.voting(model)
    content = data.to_data(votes.trees, verify.module_info(model.card))
    rows = np.random.default_rng(1).integers(-32768, 32768, (500, 3)).astype(np.int16)
    assert data_files.check_engine(Case.of_program(votes, rows), content).differences == 0
