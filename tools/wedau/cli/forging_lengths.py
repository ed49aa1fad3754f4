"""Files that are shorter, longer or endless, and payloads likewise."""

import asyncio
import hashlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from wedau.cli.forging import Figures
from wedau.cli.forging_node import Situation, payload
from wedau.ota import on_host


def stretch_metadata(situation: Situation) -> None:
    """Serve metadata that are cut off, that go on behind their end, or that never end."""
    for name in situation.wanted():
        data = situation.new[name]
        for forged in (data[:-1], data[: len(data) // 2], data[:-2] + b" }}", data + b"}", b""):
            situation.attempt("length", {**situation.new, name: forged})
    with _endless() as url:
        http = on_host.load("http").Http()
        for name in situation.wanted():

            async def fetch(asked: str, most: int, name: str = name) -> bytes | None:
                if asked == name:
                    return bytes(await http.get(url, most))
                return situation.new.get(asked)

            situation.attempt("endless", situation.new, fetch=fetch)


def stretch_payload(figures: Figures) -> None:
    """Hand out other bytes than those that were signed."""
    whole = payload("1.1.0").data
    other = bytes([whole[0] ^ 1]) + whole[1:]
    for data in (whole[:-1], whole[: len(whole) // 2], whole + b"x", 2 * whole, b"", other):
        figures.note("payload", _download(whole, data), False)


def _download(whole: bytes, data: bytes) -> str | None:
    """Return why a node refuses data in place of the whole."""
    digest = hashlib.sha256(whole).hexdigest()
    target = {"length": len(whole), "hashes": {"sha256": digest}}

    async def opened(headers: object) -> _Body:
        return _Body(data)

    try:
        download = on_host.load("download").download
        asyncio.run(download(opened, target, _Nowhere(), bytearray(4096)))
    except on_host.load("errors").OtaError as error:
        return str(error.code)
    return None


class _Body:
    """A response; see wedau.ota.http.Response on the node."""

    status, headers = 200, {"etag": '"x"'}

    def __init__(self, data: bytes) -> None:
        self._data = data

    def expect(self, statuses: object) -> None:
        pass

    async def readinto(self, buffer: bytearray) -> int:
        piece, self._data = self._data[: len(buffer)], self._data[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)

    async def close(self) -> None:
        pass


class _Nowhere:
    def begin(self, length: int) -> None:
        pass

    def write(self, piece: memoryview) -> None:
        pass


@contextmanager
def _endless() -> Iterator[str]:
    """Serve a file that never ends."""

    def answer(connection: socket.socket) -> None:
        with connection:
            try:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                while True:
                    connection.sendall(bytes(4096))
            except OSError:
                return

    def run(listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=run, args=(listener,), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        listener.shutdown(socket.SHUT_RDWR)
