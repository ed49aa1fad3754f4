"""Run the scripts of the device suite on a board, in a folder of their own that does not stay."""

import ast
import contextlib
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from wedau.device import push
from wedau.device.link import Board, BoardError
from wedau.errors import DeviceError
from wedau.paths import resource

FOLDER = "/wedau-selftest"
_ANSWER = "wedau-answer "
_END = b"\x04"
# What a board says that starts anew: the chip's ROM, or MicroPython.
_STARTED = (b"ESP-ROM:", b">>> ")
_BACK_S = 20.0
_ATTEMPT_S = 3.0

_REMOVE = """
import os
def _remove(path):
 try:
  for entry in os.ilistdir(path):
   inside = path + '/' + entry[0]
   _remove(inside) if entry[1] == 0x4000 else os.remove(inside)
  os.rmdir(path)
 except OSError as error:
  if error.errno != 2:
   raise
_remove(FOLDER)
""".replace("FOLDER", repr(FOLDER))


def program(script: str, given: Mapping[str, Any]) -> str:
    """Return a script of modules/selftest as it is run: its inputs, what all share, itself.

    Args:
        script: its name, without ".py".
        given: its inputs, literals; "folder" is where it may write and import from.
    """
    texts = [resource("modules", "selftest", f"{name}.py") for name in ("head", script, "tail")]
    return "\n".join([f"given = {dict(given)!r}", *(p.read_text(encoding="utf-8") for p in texts)])


def answer(printed: str) -> dict[str, Any]:
    """Return the dict that a script printed among whatever else was printed.

    Raises:
        DeviceError: there is none.
    """
    lines = [line for line in printed.splitlines() if line.startswith(_ANSWER)]
    try:
        found = ast.literal_eval(lines[-1].removeprefix(_ANSWER))
    except (IndexError, ValueError, SyntaxError):
        found = None
    if not isinstance(found, dict):
        said = printed.strip()[-60:]
        raise DeviceError(f"its answer is missing or damaged: {said!r}", "run it once more")
    return found


class OnBoard:
    """A board at a port that runs scripts; use it in a `with` statement.

    Leaving removes the folder FOLDER, whatever happened, and leaves the board as `Board` does.

    Args:
        port: as the system names it.

    Raises:
        DeviceError: as for wedau.device.link.Board; in every method, too.
    """

    def __init__(self, port: str) -> None:
        self.port = port
        self.folder = FOLDER
        self._board: Board | None = None

    def __enter__(self) -> Self:
        self._board = Board(self.port).__enter__()
        try:
            self.board.run(_REMOVE)  # an earlier run may have been cut off
            self.board.run(f"import os\nos.mkdir({FOLDER!r})")
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # A board that is gone cannot be tidied up: that it is gone has been reported.
        with contextlib.suppress(DeviceError):
            if self._board is None:
                self._open(_ATTEMPT_S)
            self.board.interrupt()
            self.board.soft_reset()
            self.board.run(_REMOVE)
        self._leave()

    @property
    def board(self) -> Board:
        """The board, open."""
        if self._board is None:
            raise RuntimeError("the board is not open")
        return self._board

    def put(self, files: Mapping[str, bytes]) -> None:
        """Write files into the folder."""
        push.push(self.board, files, folder=FOLDER)

    def run(self, text: str, timeout_s: float) -> str:
        """Start the interpreter afresh, run a program and return what it printed.

        Raises:
            DeviceError: the program raised (BoardError), did not end, or the board started anew.
        """
        self.reconnect()
        try:
            with self.board.guard():
                self.board.transport.soft_reset()
                self.board.transport.exec_raw_no_follow(text)
                said = self._until_end(timeout_s)
        except BoardError:
            raise
        except DeviceError:
            self._leave()  # whatever state it is in: run() opens it anew
            raise
        return said.decode("utf-8", "replace").replace("\r\n", "\n")

    def leave_by(self, code: str, *, restarts: bool) -> None:
        """Run code that may end the connection, such as a sleep; run() connects again.

        Args:
            code: statements.
            restarts: whether the board has to start anew by it.

        Raises:
            DeviceError: it did not start anew.
        """
        self.reconnect()
        said: bytes | None = b""
        with contextlib.suppress(DeviceError), self.board.guard():  # native USB goes away
            self.board.transport.exec_raw_no_follow(code)
            said = self.board.transport.line.until((_END, *_STARTED), _BACK_S)
        self._leave()
        if restarts and (said is None or said.endswith(_END)):
            raise DeviceError("the board did not start anew", "press its RESET button")

    def reconnect(self) -> None:
        """Open the board again, if it was lost; a port may take a while to come back.

        Raises:
            DeviceError: it does not come back.
        """
        deadline = time.monotonic() + _BACK_S
        while self._board is None:
            try:
                self._open(_ATTEMPT_S)
            except DeviceError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def _until_end(self, timeout_s: float) -> bytes:
        """Wait for the end of the program; return what it printed."""
        line = self.board.transport.line
        printed = line.until((_END, *_STARTED), timeout_s)
        if printed is None:
            raise DeviceError(f"it did not end within {timeout_s:g} s", "look for an endless loop")
        if not printed.endswith(_END):
            raise DeviceError("the board started anew while it ran", "look for a crash in it")
        failure = line.until((_END,), _ATTEMPT_S)
        if failure is None:
            raise DeviceError("its answer is cut off", "run it once more")
        self.board.raise_failure(failure)
        return printed[:-1]

    def _open(self, patience_s: float) -> None:
        self._board = Board(self.port, patience_s=patience_s).__enter__()

    def _leave(self) -> None:
        board, self._board = self._board, None
        if board is not None:
            board.__exit__(None, None, None)
