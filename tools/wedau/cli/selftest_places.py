"""Where the scripts of the device suite run: a board, or MicroPython for unix."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from wedau.device.link import Board
from wedau.sim import unix


class Place(Protocol):
    """Where scripts run: a board, or a process."""

    port: str
    folder: str

    @property
    def board(self) -> Board | None:
        """The board behind a port; None for a process."""

    def put(self, files: Mapping[str, bytes]) -> None:
        """Write files into the folder that scripts import from."""

    def run(self, text: str, timeout_s: float) -> str:
        """Run a program in a new interpreter and return what it printed."""

    def leave_by(self, code: str, *, restarts: bool) -> None:
        """Run code that may end the connection, such as a reset or a sleep."""


class OnUnix:
    """MicroPython for unix in a folder of its own; use it in a `with` statement."""

    port = "this computer"
    board = None

    def __init__(self) -> None:
        unix.check_installed()
        self._folder = tempfile.TemporaryDirectory(prefix="wedau-selftest-")
        self.folder = self._folder.name

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._folder.cleanup()

    def put(self, files: Mapping[str, bytes]) -> None:
        """Write files into the folder."""
        for name, data in files.items():
            path = Path(self.folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)

    def run(self, text: str, timeout_s: float) -> str:
        """Run a program in a process of its own."""
        return unix.run(text, Path(self.folder), timeout_s=timeout_s)

    def leave_by(self, code: str, *, restarts: bool) -> None:
        """Do nothing: the next program gets a new process anyway."""
