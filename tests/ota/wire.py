"""What passes between nodes and a server: written down, and cut once if a test wants it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Wire:
    """A proxy that passes bytes on.

    Attributes:
        url: where nodes reach the server through it.
        sent: what nodes sent, one connection after the other.
        cut: end a connection after the server has sent so many bytes on it, once.
    """

    url: str = ""
    sent: list[bytes] = field(default_factory=list)
    cut: int | None = None
    cuts: int = 0

    def pass_on(self, node: socket.socket, server: socket.socket) -> None:
        """Pass on what comes until one side ends."""
        said: list[bytes] = []

        def up() -> None:
            while data := _receive(node):
                said.append(data)
                server.sendall(data)

        thread = threading.Thread(target=up, daemon=True)
        thread.start()
        passed = 0
        while data := _receive(server):
            passed += len(data)
            if self.cut is not None and passed > self.cut:
                self.cut, self.cuts = None, self.cuts + 1
                break
            node.sendall(data)
        for each in (node, server):
            _end(each)
        thread.join()
        self.sent.append(b"".join(said))


def _receive(side: socket.socket) -> bytes:
    try:
        return side.recv(4096)
    except OSError:
        return b""


def _end(side: socket.socket) -> None:
    with suppress(OSError):
        side.shutdown(socket.SHUT_RDWR)
    side.close()


@contextmanager
def tapped(url: str) -> Iterator[Wire]:
    """Stand between nodes and the server at an address."""
    to = urlsplit(url)
    wire = Wire()

    def run(listener: socket.socket) -> None:
        while True:
            try:
                node, _ = listener.accept()
            except OSError:
                return
            server = socket.create_connection((to.hostname or "", to.port or 80))
            threading.Thread(target=wire.pass_on, args=(node, server), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        wire.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread = threading.Thread(target=run, args=(listener,), daemon=True)
        thread.start()
        yield wire
        _end(listener)
    thread.join()
