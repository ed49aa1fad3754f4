"""The process behind a simulated board: it owns the pty and QEMU, and carries bytes between them.

Run as ``python -m wedau.sim.bridge NAME`` by wedau.sim.boards, which has locked the board's folder
and written its configuration. It ends on SIGTERM.

No byte is lost between a client and the board: where one side does not read, the other waits. Only
while no client has the port open is the board's output dropped, as on a serial line with nobody at
the other end.
"""

import contextlib
import errno
import json
import mmap
import os
import select
import signal
import subprocess
import sys
import time
import tty
from pathlib import Path
from types import FrameType

from wedau.errors import SimError
from wedau.sim import qemu
from wedau.sim.bootloader import Boot
from wedau.sim.folders import Folder, State
from wedau.sim.protocol import number

_BUFFER_BYTES = 65536
# While nobody has the port open, Linux has no event for a client that opens it.
_LOOK_FOR_CLIENT_MS = 20
# How long a client has to read what a crashed board said last.
_LAST_WORDS_S = 2.0
_READING_S = 0.5


class _Stop(BaseException):
    """SIGTERM has come."""


class Page:
    """The page that the firmware, the counting plugin and the bridge share."""

    def __init__(self, folder: Folder) -> None:
        folder.page.write_bytes(bytes(number("SIM_PAGE_BYTES")))
        with folder.page.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)
        self._input = number("SIM_PAGE_INPUT")
        self._interrupt = number("SIM_PAGE_INTERRUPT")

    def clear(self) -> None:
        """Make it that of a board that has not run yet."""
        self._map[:] = bytes(len(self._map))

    def announce_input(self, data: bytearray) -> None:
        """Tell the firmware to read these bytes from its stdin."""
        self._map[self._input] = 1
        if b"\x03" in data:
            self._map[self._interrupt] = 1


class Terminal:
    """The pty's side that is ours. ``attached`` is whether a client has the other side open."""

    def __init__(self) -> None:
        self.fd, port = os.openpty()
        tty.setraw(port)
        self.port = os.ttyname(port)
        os.close(port)
        os.set_blocking(self.fd, False)
        self.attached = False
        self.to_client = bytearray()
        self.to_board = bytearray()

    def look(self) -> None:
        """Find out whether a client is there; what one has left behind is taken first."""
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        events = dict(poll.poll(0)).get(self.fd, 0)
        self.attached = not events & select.POLLHUP
        if not self.attached:
            self.to_client.clear()
            if events & select.POLLIN:
                self.read()

    def read(self) -> None:
        """Take what the client has written."""
        with contextlib.suppress(BlockingIOError):
            try:
                self.to_board += os.read(self.fd, 4096)
            except OSError as error:
                if error.errno != errno.EIO:  # EIO: the client is gone
                    raise

    def write(self) -> None:
        """Give the client what it takes at once."""
        with contextlib.suppress(BlockingIOError):
            del self.to_client[: os.write(self.fd, self.to_client)]


class Bridge:
    """Runs QEMU again and again, and carries bytes until it is stopped."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._config = json.loads(folder.config.read_text(encoding="utf-8"))
        self._terminal = Terminal()
        self._page = Page(folder)
        self._state = State(os.getpid(), self._terminal.port, self._config["flash"])
        self._qemu: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        """Boot, and boot again after each reset; after a crash wait to be stopped."""
        cause: int | None = number("SIM_RESET_POWER_ON")
        try:
            while cause is not None:
                cause = self._run_once(cause)
            self._hang_up()
            while True:
                signal.pause()
        finally:
            if self._qemu is not None:
                self._qemu.kill()
                self._qemu.wait()
            self._folder.clear()

    def _run_once(self, cause: int) -> int | None:
        """Boot and run until the next reset; returns its cause; None: the board stands still."""
        try:
            booted, _ = qemu.boot(Path(self._config["flash"]))
        except SimError as error:
            self._crash(error.message)
            return None
        self._boot(cause, booted)
        self._folder.write_state(self._state)
        while self._carry():
            pass
        return self._ended()

    def _boot(self, cause: int, booted: Boot | None) -> None:
        self._page.clear()
        config = self._config
        elf, arguments = qemu.firmware(booted, Path(config["elf"]), self._folder.unpacked)
        arguments |= {
            "flash": config["flash"],
            "page": self._folder.page,
            "heap": config["heap_bytes"],
            "cause": cause,
            "id": config["unique_id"],
        }
        if config["log"]:
            arguments["oplog"] = config["log"]
        command = [*config["command"], str(elf)]
        self._qemu = subprocess.Popen(
            [*command, *(f"{name}={value}" for name, value in arguments.items())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={},  # QEMU's own settings in the environment would change the board
            bufsize=0,
            preexec_fn=qemu.prepare_child,
        )
        assert self._qemu.stdin and self._qemu.stdout
        os.set_blocking(self._qemu.stdin.fileno(), False)

    def _carry(self) -> bool:
        """Wait for something to do and do it. False when the board's output has ended."""
        assert self._qemu and self._qemu.stdin and self._qemu.stdout
        terminal = self._terminal
        terminal.look()
        stdin, stdout = self._qemu.stdin.fileno(), self._qemu.stdout.fileno()
        poll = select.poll()
        if terminal.attached:
            poll.register(terminal.fd, _terminal_events(terminal))
        if terminal.to_board:
            poll.register(stdin, select.POLLOUT)
        if len(terminal.to_client) < _BUFFER_BYTES:
            poll.register(stdout, select.POLLIN)
        events = dict(poll.poll(None if terminal.attached else _LOOK_FOR_CLIENT_MS))
        if events.get(terminal.fd, 0) & select.POLLIN:
            terminal.read()
        if events.get(terminal.fd, 0) & select.POLLOUT:
            terminal.write()
        if stdin in events:
            self._feed(stdin)
        return stdout not in events or self._drain(stdout)

    def _feed(self, stdin: int) -> None:
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            written = os.write(stdin, self._terminal.to_board)
            self._page.announce_input(self._terminal.to_board[:written])
            del self._terminal.to_board[:written]

    def _drain(self, stdout: int) -> bool:
        data = os.read(stdout, 4096)
        self._terminal.to_client += data
        return bool(data)

    def _ended(self) -> int | None:
        """Return the cause of the reset that QEMU's exit stands for; None: the board crashed."""
        assert self._qemu
        code = self._qemu.wait()
        self._terminal.to_board.clear()
        cause = qemu.reset_cause(code)
        if cause is None:
            self._crash(qemu.explain(code))
        return cause

    def _crash(self, why: str) -> None:
        self._state.crashed = why
        self._folder.write_state(self._state)
        message = f"\r\nFATAL: the simulated board crashed: {self._state.crashed}\r\n"
        self._terminal.to_client += message.encode()

    def _hang_up(self) -> None:
        """Let the client read why, then close the port, so that nobody waits for an answer."""
        terminal = self._terminal
        end = time.monotonic() + _LAST_WORDS_S
        terminal.look()
        while terminal.to_client and time.monotonic() < end:
            poll = select.poll()
            poll.register(terminal.fd, select.POLLOUT)
            if poll.poll(_LOOK_FOR_CLIENT_MS):
                terminal.write()
            terminal.look()
        time.sleep(_READING_S)
        os.close(terminal.fd)


def _terminal_events(terminal: Terminal) -> int:
    events = select.POLLIN if len(terminal.to_board) < _BUFFER_BYTES else 0
    return events | (select.POLLOUT if terminal.to_client else 0)


def _on_sigterm(_number: int, _frame: FrameType | None) -> None:
    raise _Stop


def main() -> None:
    """Run as a program."""
    signal.signal(signal.SIGTERM, _on_sigterm)
    with contextlib.suppress(_Stop):
        Bridge(Folder(sys.argv[1])).run()


if __name__ == "__main__":
    main()
