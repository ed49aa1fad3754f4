"""The modules for emlearn-micropython's users, onto stock MicroPython with one command."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from outcomes import Refused, Wedau

from wedau.build import bundle, compat
from wedau.build.simboard import SimFirmware
from wedau.device.link import Board
from wedau.sim import boards

USE = """
import emlearn_trees, emlearn_arrayutils, io
from array import array
model = emlearn_trees.new(1, 1, 2)
saved = 'f,1 c,2 l,1 l,0 r,0 n,0,2.5,-1,-2'
emlearn_trees.load_model(model, io.StringIO(saved.replace(' ', '\\r\\n')))
x, out = array('h', [0]), array('f', [0, 0])
for value in (2, 3):
    emlearn_arrayutils.linear_map(array('f', [value]), x, 0, 5, 0, 5)
    model.predict(x, out)
    print(list(out))
"""
USED = ["[0.0, 1.0]", "[1.0, 0.0]"]


@pytest.fixture
def stock_port(stock_firmware: SimFirmware) -> Iterator[str]:
    with boards.board(stock_firmware.elf, stock_firmware.plugin) as board:
        yield board.port


def used(port: str) -> list[str]:
    with Board(port) as board:
        board.soft_reset()
        return board.run(USE).splitlines()[:2]


def test_stock_micropython_gets_the_modules(wedau: Wedau, stock_port: str) -> None:
    said = wedau("push", "--compat", "--port", stock_port)
    assert (said.code, said.out) == (0, f"the runtime is on {stock_port} in /lib\n")
    assert used(stock_port) == USED


def test_modules_come_from_a_folder(
    wedau: Wedau, refused: Refused, stock_port: str, tmp_path: Path
) -> None:
    assert wedau("build-engine", tmp_path / "with", "--compat").code == 0
    files = bundle.read(tmp_path / "with")
    ours = {f"{compat.NATIVE}.mpy", *(f"{name}.mpy" for name in compat.modules())}
    assert len(ours) == 7
    assert ours <= set(files)
    bundle.write(tmp_path / "without", {n: d for n, d in files.items() if n not in ours})
    arguments = ("push", "--compat", "--port", stock_port, "--from")
    said = refused(*arguments, tmp_path / "without")
    assert said.error == f"{tmp_path / 'without'} holds no modules emlearn_*"
    assert "--compat" in said.hint
    document = json.loads(wedau(*arguments, tmp_path / "with", "--json").out)
    assert ours <= set(document["names"])
    assert used(stock_port) == USED


@pytest.mark.parametrize("arch", ["armv6m", "rv32imc"])
def test_modules_are_built_for_other_architectures(
    arch: str, micropython: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    files = compat.build(arch, micropython, say=said.append)
    assert (len(files), said) == (7, [])
