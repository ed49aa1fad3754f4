"""The state in which a board of the tests begins."""

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
