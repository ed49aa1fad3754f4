"""A serial port with a buffer: what mpremote's transport reads from and writes to."""

import time

import serial
from mpremote.transport import TransportError

_POLL_S = 0.1


class Line:
    """Takes the place of the `serial.Serial` inside mpremote's transport.

    mpremote reads byte by byte and may wait for ever; this reads what there is and stops at a
    deadline.

    Args:
        port: an open port.
        patience_s: how long `read` and `write` wait.
    """

    def __init__(self, port: serial.Serial, patience_s: float = 3.0) -> None:
        self.port = port
        self.port.timeout = _POLL_S
        self.port.write_timeout = patience_s
        self._patience_s = patience_s
        self._buffer = bytearray()

    def inWaiting(self) -> int:  # noqa: N802, the name that mpremote calls
        """Count the bytes that can be read at once."""
        return len(self._buffer) + int(self.port.in_waiting)

    def write(self, data: bytes) -> None:
        """Send all of it.

        Raises:
            OSError: the other end is gone, or takes nothing for the patience.
        """
        self.port.write(data)

    def read(self, size: int = 1) -> bytes:
        """Read `size` bytes.

        Raises:
            TransportError: they do not come within the patience.
        """
        deadline = time.monotonic() + self._patience_s
        while len(self._buffer) < size:
            if not self._fill(deadline):
                raise TransportError(f"no answer within {self._patience_s:g} s")
        return self._take(size)

    def until(self, endings: tuple[bytes, ...], within_s: float) -> bytes | None:
        """Read up to and with the first of some endings.

        Returns:
            The bytes, the ending last; None, with nothing consumed, if the time is over.
        """
        deadline = time.monotonic() + within_s
        overlap = max(map(len, endings)) - 1
        start = 0
        while True:
            found = [(at, e) for e in endings if (at := self._buffer.find(e, start)) >= 0]
            if found:
                at, ending = min(found)
                return self._take(at + len(ending))
            start = max(0, len(self._buffer) - overlap)
            if not self._fill(deadline):
                return None

    def drain(self, quiet_s: float = 0.0) -> bytes:
        """Read all there is, and what comes within the time."""
        deadline = time.monotonic() + quiet_s
        while self._fill(deadline):
            pass
        return self._take(len(self._buffer))

    def close(self) -> None:
        """Close the port."""
        self.port.close()

    def _fill(self, deadline: float) -> bool:
        while time.monotonic() < deadline:
            data = self.port.read(max(1, self.port.in_waiting))
            if data:
                self._buffer += data
                return True
        return False

    def _take(self, count: int) -> bytes:
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data
