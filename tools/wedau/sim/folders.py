"""One folder a board: its flash, the shared page, the state that its bridge writes, a lock."""

import json
import re
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from wedau.errors import SimError
from wedau.paths import cache_dir

_LOCK_TRIES = 10
_LOCK_PAUSE_S = 0.02
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")


@dataclass
class State:
    """What a bridge says about its board.

    Attributes:
        pid: the bridge's process.
        port: the pty that is the board's serial port.
        flash: path of the flash file.
        crashed: why the board stands still, or None.
    """

    pid: int
    port: str
    flash: str
    crashed: str | None = None


class Folder:
    """The files of a board with a given name.

    Raises:
        SimError: the name cannot be used.
    """

    def __init__(self, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise SimError(
                f"{name!r} cannot be the name of a board",
                "use 1 to 32 letters, digits, _ and -, the first one a letter or digit",
            )
        self.name = name
        self.path = boards_dir() / name
        self.flash = self.path / "flash.bin"
        self.page = self.path / "page.bin"
        self.unpacked = self.path / "app.elf"
        self.config = self.path / "config.json"
        self.log = self.path / "bridge.log"
        self._state = self.path / "state.json"
        self._lock = self.path / "lock"

    def lock(self) -> IO[bytes] | None:
        """Take the lock that a running board holds; None if the board runs."""
        self.path.mkdir(parents=True, exist_ok=True)
        for _ in range(_LOCK_TRIES):
            lock = lock_file(self._lock)
            if lock is not None or self.read_state() is not None:
                return lock
            time.sleep(_LOCK_PAUSE_S)  # somebody only asks is_running(), or starts it just now
        return None

    def is_running(self) -> bool:
        """Whether a bridge runs for this board."""
        if not self._lock.exists():
            return False
        lock = lock_file(self._lock)
        if lock is None:
            return True
        lock.close()
        return False

    def read_state(self) -> State | None:
        """Return the state, or None while the bridge has written none."""
        try:
            return State(**json.loads(self._state.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def write_state(self, state: State) -> None:
        """Replace the state; a reader sees the old or the new one."""
        beside = self._state.with_suffix(".new")
        beside.write_text(json.dumps(asdict(state)), encoding="utf-8")
        beside.replace(self._state)

    def clear(self) -> None:
        """Remove what belongs to one run; the flash and the log stay."""
        for path in (self._state, self.page, self.config, self.unpacked):
            path.unlink(missing_ok=True)


def boards_dir() -> Path:
    """Return the folder that holds the boards' folders."""
    return cache_dir("sim", "boards")


def lock_file(path: Path) -> IO[bytes] | None:
    """Open a file, made if need be, and lock it; None if somebody else holds the lock."""
    import fcntl

    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file
