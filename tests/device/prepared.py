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
        elif path != '/boot.py':
            os.remove(path)
empty('')
with open('/boot.py', 'w') as f:
    f.write("import sys\\n'/lib' in sys.path or sys.path.append('/lib')\\n")
"""


def empty(board: Board) -> None:
    """Leave nothing in the file system but a boot.py that finds modules as an ESP32's does."""
    board.run(_EMPTY)
    board.soft_reset()
    board.probe()
