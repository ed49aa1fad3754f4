"""The state in which a board of the tests begins."""

from collections.abc import Mapping

from wedau.build import runtime
from wedau.device import push
from wedau.device.link import Board

_EMPTY = """
import os
def empty(folder):
    for entry in os.ilistdir(folder):
        path = folder + '/' + entry[0]
        if entry[1] == 0x4000:
            empty(path)
            os.rmdir(path)
        else:
            os.remove(path)
empty('')
"""


def empty(board: Board) -> None:
    """Leave nothing in the file system and in the memory."""
    board.run(_EMPTY)
    board.soft_reset()
    board.probe()


def with_modules(board: Board, files: Mapping[str, bytes]) -> None:
    """Push files; those of our C modules where the firmware has none, else it has all of them."""
    ours = {f"{name}.mpy": name for name in runtime.modules()}
    built_in = {push.find_module(board, name) == push.FIRMWARE for name in ours.values()}
    assert len(built_in) == 1
    push.push(board, {n: d for n, d in files.items() if built_in == {False} or n not in ours})
