"""mpremote's serial transport, made to end in bounded time and to print nothing."""

import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path

import serial
from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport

from wedau.device import ports
from wedau.device.line import Line

_BANNER = b"raw REPL; CTRL-B to exit\r\n"
_INTERRUPT = b"\r\x03\x03"
_RAW_REPL = b"\r\x01"
_FRIENDLY_REPL = b"\r\x02"
_SOFT_RESET = b"\x04"
_FOR_EVER_S = 1e9

# Bytes of a program's input that are on the way at any time. A UART bridge has no flow control:
# what does not fit into the board's ring buffer (260 bytes on the ESP32) is lost.
_WINDOW_FLOW_CONTROLLED = 4096
_WINDOW_UART = 256


class NoAnswerError(TransportError):
    """No raw REPL could be entered.

    Attributes:
        seen: what came from the port instead.
        sent: what was sent to it.
    """

    def __init__(self, seen: bytes, sent: bytes) -> None:
        super().__init__("no raw REPL")
        self.seen = seen
        self.sent = sent


class Transport(SerialTransport):
    """A board's raw REPL over a serial port.

    Args:
        port: as the system names it: /dev/ttyACM0, COM5, /dev/pts/7.

    Raises:
        OSError: the port cannot be opened or held exclusively.
    """

    def __init__(self, port: str) -> None:
        try:
            super().__init__(port, timeout=1, exclusive=True)  # type: ignore[no-untyped-call]
        except TransportError:
            # mpremote hides the reason: meet it again, or find that it has passed
            serial.Serial(port, exclusive=True).close()
            super().__init__(port, timeout=1, exclusive=True)  # type: ignore[no-untyped-call]
        self.line = Line(self.serial)
        self.serial = self.line  # type: ignore[assignment]
        self.window_bytes = _WINDOW_FLOW_CONTROLLED if _flow_control(port) else _WINDOW_UART

    def close(self) -> None:
        """Close the port without resetting the board."""
        self.serial = self.line.port
        super().close()  # type: ignore[no-untyped-call]

    def read_until(
        self,
        min_num_bytes: int,
        ending: bytes,
        timeout: float | None = 10,
        data_consumer: Callable[[bytes], None] | None = None,
        timeout_overall: float | None = None,
    ) -> bytes:
        """Read as mpremote's does, in blocks; without the ending when the time is over."""
        within_s = timeout_overall or timeout or _FOR_EVER_S
        data = self.line.until((ending,), within_s)
        data = self.line.drain() if data is None else data
        if data_consumer:
            data_consumer(data)
        return data

    def enter(self, within_s: float) -> None:
        """Stop what runs and enter the raw REPL.

        Raises:
            NoAnswerError: what is at the port does not do that within the time.
        """
        deadline = time.monotonic() + within_s
        seen, sent = b"", b""
        while (left := deadline - time.monotonic()) > 0:
            self.line.write(_INTERRUPT)
            seen += self.line.drain(0.02)
            self.line.write(_RAW_REPL)
            sent += _INTERRUPT + _RAW_REPL
            if self.line.until((_BANNER + b">",), min(left, 0.8)) is not None and self._in_step():
                self.in_raw_repl = True
                return
            seen += self.line.drain()
        raise NoAnswerError(seen, sent)

    def leave(self, within_s: float = 2.0) -> None:
        """Stop what runs, start the interpreter afresh and go to the friendly REPL."""
        self.enter(within_s)
        self.soft_reset(within_s)
        self.line.write(_FRIENDLY_REPL)
        self.line.until((b">>> ",), within_s)
        self.in_raw_repl = False

    def soft_reset(self, within_s: float = 5.0) -> None:
        """Start the interpreter afresh, from the raw REPL's prompt; `main.py` does not run.

        A `boot.py` that takes longer than the time is interrupted.

        Raises:
            TransportError: the board does not come back.
        """
        self.in_raw_repl = False
        self.line.until((b">",), within_s)
        self.line.write(_SOFT_RESET)
        if self.line.until((b"soft reboot\r\n",), min(within_s, 3.0)) is None:
            raise TransportError("no soft reset")
        if self.line.until((_BANNER,), within_s) is None:
            self.enter(within_s)
        self.in_raw_repl = True

    def _in_step(self) -> bool:
        """Pass over late answers to earlier attempts, up to the answer to this question."""
        word = secrets.token_hex(4)
        self.line.write(f"print('{word}')\x04".encode())
        return self.line.until((f"OK{word}\r\n\x04\x04".encode(),), 0.8) is not None


def _flow_control(port: str) -> bool:
    """Whether the port can make the host wait: native USB or a pseudo-terminal."""
    real = os.path.realpath(port) if Path(port).exists() else port
    return real.startswith(("/dev/pts/", "/dev/ttys")) or ports.is_native_usb(real)
