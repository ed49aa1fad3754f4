"""Serial cables that can be pulled, and things at their ends that are no MicroPython board."""

import contextlib
import os
import pty
import select
import threading
import tty
from collections.abc import Callable, Iterator


class Cable:
    """A pseudo-terminal in front of a board's port, which breaks after a number of bytes.

    Attributes:
        port: what to open instead of the board's.
        to_board: bytes that went to the board.
        from_board: bytes that came from it.
    """

    def __init__(
        self, board_port: str, *, to_board: int | None = None, from_board: int | None = None
    ) -> None:
        self._board = os.open(board_port, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self._board)
        self._end, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._limits = {self._end: to_board, self._board: from_board}
        self._counts = {self._end: 0, self._board: 0}
        self._wake, self._stop = os.pipe()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    @property
    def to_board(self) -> int:
        return self._counts[self._end]

    @property
    def from_board(self) -> int:
        return self._counts[self._board]

    def pull(self) -> None:
        """Break the connection now."""
        with contextlib.suppress(OSError):
            os.write(self._stop, b"x")
        self._thread.join(5)

    def __enter__(self) -> "Cable":
        return self

    def __exit__(self, *_: object) -> None:
        self.pull()

    def _carry(self) -> None:
        ends = {self._end: self._board, self._board: self._end}
        while True:
            ready, _, _ = select.select([*ends, self._wake], [], [])
            if self._wake in ready or not all(self._pass(end, ends[end]) for end in ready):
                break
        for handle in (self._end, self._slave, self._board, self._wake, self._stop):
            os.close(handle)

    def _pass(self, source: int, target: int) -> bool:
        limit = self._limits[source]
        left = 4096 if limit is None else min(4096, limit - self._counts[source])
        if left <= 0:
            return False
        try:
            data = os.read(source, left)
            self._counts[source] += len(data)
            while data:
                data = data[os.write(target, data) :]
        except OSError:
            return False
        return True


@contextlib.contextmanager
def stranger(answer: Callable[[bytes], bytes] | None) -> Iterator[str]:
    """A port whose other end is not a board.

    Args:
        answer: makes what is sent back of what came; called with b"" ten times a second too.
            None: nobody reads.
    """
    end, slave = pty.openpty()
    tty.setraw(slave)
    done = threading.Event()

    def serve() -> None:
        while answer and not done.is_set():
            ready, _, _ = select.select([end], [], [], 0.1)
            with contextlib.suppress(OSError):
                os.write(end, answer(os.read(end, 4096) if ready else b""))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield os.ttyname(slave)
    finally:
        done.set()
        thread.join(5)
        os.close(end)
        os.close(slave)
