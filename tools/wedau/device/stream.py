"""Bytes to and from a program that runs on the board, checked both ways.

The program asks for what it wants and the host answers, so that no buffer on the way can run
over; base64 keeps Ctrl-C out of the data, so that a board left alone in the middle can still be
interrupted.
"""

import base64
import binascii
import contextlib
import re
from collections.abc import Callable
from types import TracebackType
from typing import Self

from mpremote.transport import TransportError

from wedau.device import troubles
from wedau.device.link import Board, BoardError
from wedau.errors import DeviceError

_CRC_BYTES = 4

# Goes before a program on the board: take(n) -> bytearray from the host, give(data) to the host.
_PRELUDE = """
import sys
from binascii import a2b_base64, b2a_base64, crc32
def _streams(piece):
 line = memoryview(bytearray((piece + 6) // 3 * 4))
 read = sys.stdin.buffer.readinto
 def take(n):
  out = bytearray(n)
  at = 0
  while at < n:
   k = min(piece, n - at)
   m = (k + 6) // 3 * 4
   print('?%d' % k)
   read(line[:m])
   d = memoryview(a2b_base64(line[:m]))
   if len(d) != k + 4 or int.from_bytes(d[k:], 'little') != crc32(d[:k]):
    raise ValueError('bytes were changed on the way to the board')
   out[at:at + k] = d[:k]
   at += k
  return out
 def give(data):
  data = bytes(data)
  print('=%d %d %s' % (len(data), crc32(data), str(b2a_base64(data), 'ascii')), end='')
 return take, give
take, give = _streams(PIECE)
"""

_ASKS = re.compile(rb"\?(\d+)")
_GIVES = re.compile(rb"=(\d+) (\d+) (\S*)")


class Stream:
    """A program on the board that takes and gives bytes; use it in a `with` statement.

    Leaving waits for the program's end; leaving by an error stops it.

    Args:
        board: open.
        program: Python; it calls take(n) -> bytearray and give(data).
        patience_s: how long the program may take from one request to the next.

    Raises:
        DeviceError: in every method: the program raised an exception (BoardError), or the bytes
            that came are not those that were sent, or not in the right order.
    """

    def __init__(self, board: Board, program: str, *, patience_s: float = 10.0) -> None:
        self._board = board
        self._program = program
        self._patience_s = patience_s
        self.piece_bytes = board.transport.window_bytes // 4 * 3 - _CRC_BYTES - 2

    def __enter__(self) -> Self:
        prelude = _PRELUDE.replace("PIECE", str(self.piece_bytes))
        with self._board.guard():
            self._board.transport.exec_raw_no_follow(prelude + self._program)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            with self._board.guard():
                self._board.output(self._patience_s)
        elif not issubclass(kind, BoardError):
            with contextlib.suppress(DeviceError):  # what went wrong is already on its way
                self._board.interrupt()

    def give(self, data: bytes, on_piece: Callable[[int], None] | None = None) -> None:
        """Send bytes to the program's take().

        Args:
            data: as many as it takes.
            on_piece: called with the number of bytes after each piece.
        """
        view = memoryview(data)
        while view:
            asked = int(self._answer(_ASKS).group(1))
            if asked > len(view):
                raise self._out_of_step(f"it asks for {asked} bytes, {len(view)} are left")
            piece = view[:asked]
            checked = bytes(piece) + binascii.crc32(piece).to_bytes(_CRC_BYTES, "little")
            with self._board.guard():
                self._board.transport.line.write(base64.b64encode(checked))
            view = view[asked:]
            if on_piece:
                on_piece(asked)

    def take(self) -> bytes:
        """Receive what the program's give() sends."""
        size, crc, text = self._answer(_GIVES).groups()
        try:
            data = base64.b64decode(text, validate=True)
        except binascii.Error:
            data = b""
        if len(data) != int(size) or binascii.crc32(data) != int(crc):
            raise self._out_of_step("bytes were changed on the way from the board")
        return data

    def _answer(self, form: re.Pattern[bytes]) -> re.Match[bytes]:
        """The next request or gift; other lines are what else prints on the board."""
        line = self._board.transport.line
        with self._board.guard():
            while True:
                said = line.until((b"\n", b"\x04"), self._patience_s)
                if said is None:
                    raise troubles.silent(self._board.port)
                if said.endswith(b"\x04"):
                    self._end_of_program()
                if match := form.fullmatch(said.strip()):
                    return match
                if _ASKS.fullmatch(said.strip()) or _GIVES.fullmatch(said.strip()):
                    raise self._out_of_step(f"it says {said[:20]!r}")

    def _end_of_program(self) -> None:
        failure = self._board.transport.line.until((b"\x04",), self._patience_s)
        if failure is None:
            raise TransportError("the answer is cut off")
        self._board.raise_failure(failure)
        raise self._out_of_step("its program ended early")

    def _out_of_step(self, how: str) -> DeviceError:
        return DeviceError(
            f"the board at {self._board.port} and this program lost each other: {how}",
            "stop what prints in the background on the board, then try again",
        )
