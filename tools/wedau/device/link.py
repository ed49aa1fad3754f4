"""A board at a serial port: open it, run code on it, read its files, leave it as it was."""

import ast
import contextlib
import os
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

from mpremote.transport import TransportError, TransportExecError

from wedau.device import info, troubles
from wedau.device.info import BoardInfo
from wedau.device.transport import NoAnswerError, Transport
from wedau.errors import DeviceError, NoDeviceError

_ENTER_S = 4.0
_END = b"\x04"


class BoardError(DeviceError):
    """Code on the board raised an exception.

    Attributes:
        traceback: the board's own text.
        last_line: the last of it.
        kind: the name of the exception, such as "MemoryError".
    """

    def __init__(self, port: str, traceback: str) -> None:
        last = (traceback.strip().splitlines() or ["no reason given"])[-1].strip()
        super().__init__(
            f"the board at {port} answered: {last}",
            f"'wedau repl --port {port}' lets you try it by hand",
        )
        self.traceback = traceback
        self.last_line = last
        self.kind = last.split(":")[0]


def check_port(port: str) -> None:
    """Check that a port can be opened; what is behind it is not asked.

    Raises:
        NoDeviceError: there is no such port.
        DeviceError: it is in use or may not be used.
    """
    _open(port).close()


def _open(port: str) -> Transport:
    try:
        return Transport(port)
    except ValueError as error:
        raise NoDeviceError(f"{port} is not a port: {error}", "see --port") from None
    except OSError as error:
        raise troubles.not_open(port, error) from None


class Board:
    """A board with MicroPython at a serial port; use it in a `with` statement.

    Entering takes the port for this process alone, stops the program that runs and starts the
    interpreter afresh, with `boot.py` and without `main.py`. So does leaving, which ends at the
    friendly REPL: nothing of ours stays in its memory.

    Args:
        port: as the system names it: /dev/ttyACM0, COM5, /dev/pts/7.
        patience_s: how long to try to get a prompt.

    Raises:
        NoDeviceError: there is no such port, or no MicroPython that answers.
        DeviceError: the port is in use or may not be used; in every method: the board raised an
            exception (BoardError), stopped answering, or the connection broke off.
    """

    def __init__(self, port: str, *, patience_s: float = _ENTER_S) -> None:
        self.port = port
        self._patience_s = patience_s
        self._transport: Transport | None = None
        self._info: BoardInfo | None = None

    def __enter__(self) -> Self:
        self._transport = _open(self.port)
        try:
            self._enter_raw_repl()
            self.soft_reset()
            self.probe()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._close()

    @property
    def transport(self) -> Transport:
        """mpremote's transport, at the raw REPL."""
        if self._transport is None:
            raise RuntimeError("the board is not open: use it in a 'with' statement")
        return self._transport

    @property
    def info(self) -> BoardInfo:
        """What the board said about itself when it was last asked."""
        return self._info if self._info is not None else self.probe()

    def probe(self) -> BoardInfo:
        """Ask the board what it is and what is free, after a garbage collection."""
        said, _, memory_report = self.run(info.PROBE).partition("\n")
        answer = self.literal(said)
        if answer["name"] != "micropython":
            raise NoDeviceError(
                f"the board at {self.port} runs {answer['name']}, not MicroPython",
                "flash MicroPython for the ESP32-S3 onto it",
            )
        self._info = info.parse(self.port, answer, memory_report)
        return self._info

    def run(self, code: str, *, timeout_s: float = 10.0) -> str:
        """Run Python code on the board.

        Args:
            code: statements, in the namespace of the board's REPL.
            timeout_s: for the whole run; the code is then interrupted.

        Returns:
            What it printed, with line ends as "\\n".
        """
        with self.guard():
            self.transport.exec_raw_no_follow(code)
            return self.output(timeout_s).decode("utf-8", "replace").replace("\r\n", "\n")

    def eval(self, expression: str, *, timeout_s: float = 10.0) -> Any:
        """Evaluate an expression on the board; its value has to be a literal of Python's."""
        return self.literal(self.run(f"print(repr({expression}))", timeout_s=timeout_s))

    def call(self, function: str, *args: Any, timeout_s: float = 10.0) -> Any:
        """Call a function on the board with literal arguments; the result has to be one too."""
        return self.eval(f"{function}({', '.join(map(repr, args))})", timeout_s=timeout_s)

    def soft_reset(self) -> None:
        """Start the interpreter afresh: an empty heap, nothing imported; `main.py` stays off."""
        with self.guard():
            self.transport.soft_reset()

    def list(self, folder: str = "/") -> dict[str, int]:
        """List a folder: the names of its files, and of its folders with a "/", and sizes."""
        with self.guard(folder):
            entries = self.transport.fs_listdir(folder)
        return {e.name + ("/" if e.st_mode & 0x4000 else ""): e.st_size for e in entries}

    def read_file(self, path: str) -> bytes:
        """Read a file of the board."""
        with self.guard(path):
            return bytes(self.transport.fs_readfile(path, chunk_size=1024))

    def literal(self, text: str) -> Any:
        """Read a literal that the board printed."""
        try:
            return ast.literal_eval(text.strip())
        except (ValueError, SyntaxError):
            raise DeviceError(
                f"the board at {self.port} answered something unexpected: {text.strip()[:60]!r}",
                "stop what prints in the background on the board, then try again",
            ) from None

    def output(self, timeout_s: float) -> bytes:
        """Wait for the end of the code that runs; what it printed since it was last read."""
        line = self.transport.line
        printed = line.until((_END,), timeout_s)
        if printed is None:
            self.interrupt()
            raise DeviceError(
                f"the code on the board at {self.port} did not end within {timeout_s:g} s",
                "it was interrupted; allow it more time, or look for an endless loop",
            )
        failure = line.until((_END,), 3.0)
        if failure is None:
            raise TransportError("the answer is cut off")
        self.raise_failure(failure)
        return printed[:-1]

    def raise_failure(self, failure: bytes) -> None:
        """Raise BoardError if the code that has ended left a traceback."""
        if failure != _END:
            raise BoardError(self.port, failure[:-1].decode("utf-8", "replace"))

    def interrupt(self) -> None:
        """Stop the code that runs and get the prompt back."""
        with self.guard():
            self._enter_raw_repl()

    @contextlib.contextmanager
    def guard(self, path: str | None = None) -> Iterator[None]:
        """Turn what mpremote and pyserial raise into errors for people."""
        try:
            yield
        except TransportExecError as error:
            raise BoardError(self.port, error.error_output) from None
        except TransportError as error:
            raise troubles.broken_off(self.port, error) from None
        except OSError as error:
            if path is None or error.strerror != path:
                raise troubles.broken_off(self.port, error) from None
            # mpremote's way to hand on the board's own error
            reason = os.strerror(error.errno or 0)
            raise DeviceError(
                f"{path} on the board at {self.port} cannot be read: {reason}",
                f"see what is there with 'mpremote connect {self.port} fs ls'",
            ) from None

    def _enter_raw_repl(self) -> None:
        try:
            self.transport.enter(self._patience_s)
        except NoAnswerError as error:
            raise troubles.not_entered(self.port, error) from None
        except OSError as error:
            raise troubles.broken_off(self.port, error) from None

    def _close(self) -> None:
        transport, self._transport = self._transport, None
        if transport is None:
            return
        # A board that is gone cannot be left in order: what went wrong is already on its way.
        with contextlib.suppress(OSError, TransportError):
            if transport.in_raw_repl:
                transport.leave()
        with contextlib.suppress(OSError):
            transport.close()
        with contextlib.suppress(OSError):
            transport.line.close()
