"""Receive a payload into something that keeps it, and take up again where a connection broke."""

import hashlib

from wedau.ota.errors import OtaError

MAX_TRIES = 20


async def download(open_at, target, sink, buffer):
    """Stream a payload of signed length and hash into a sink.

    Args:
        open_at: coroutine function of the headers for the request; returns the response.
        target: the payload's entry in the targets metadata.
        sink: has begin(length), write(memoryview), each time from the start.
        buffer: bytearray that is filled before each write; what it holds of a broken connection is
            asked for again.

    Raises:
        OtaError: missing, length, hash, connection: it broke too often; and what the sink raises.
            What the sink holds is then worth nothing.
    """
    await _Download(open_at, target, sink, buffer).run()


class _Download:
    def __init__(self, open_at, target, sink, buffer):
        self._open_at, self._sink, self._buffer = open_at, sink, buffer
        self._length = target["length"]
        self._sha256 = target["hashes"].get("sha256")
        if self._sha256 is None:
            raise OtaError("hash", "the payload has no SHA-256 hash")
        self._etag = None
        self._begin()

    def _begin(self):
        self._at = 0
        self._digest = hashlib.sha256()
        self._sink.begin(self._length)

    async def run(self):
        for left in range(MAX_TRIES - 1, -1, -1):
            try:
                await self._receive()
                break
            except OtaError as error:
                if error.code != "connection" or not left:
                    raise
        got = "".join("%02x" % b for b in self._digest.digest())
        if got != self._sha256:
            raise OtaError("hash", "the payload is not the one that was signed")

    async def _receive(self):
        """Ask for what is missing, and take all that comes."""
        headers = ()
        if self._at and self._etag:
            headers = ("Range: bytes=%d-" % self._at, "If-Range: " + self._etag)
        response = await self._open_at(headers)
        try:
            self._take_up(response, bool(headers))
            while True:
                n = await self._fill(response)
                if n == 0:
                    break
                if n > self._length - self._at:
                    raise OtaError("length", "the payload is longer than was signed")
                piece = memoryview(self._buffer)[:n]
                self._digest.update(piece)
                self._sink.write(piece)
                self._at += n
        finally:
            await response.close()
        if self._at < self._length:
            raise OtaError("length", "the payload is shorter than was signed")

    async def _fill(self, response):
        """Read until the buffer is full or the body ends: the sink gets whole sectors."""
        view, n = memoryview(self._buffer), 0
        while n < len(view):
            more = await response.readinto(view[n:])
            if more == 0:
                break
            n += more
        return n

    def _take_up(self, response, asked_for_rest):
        if response.status in (404, 410):
            raise OtaError("missing", "the server has no such payload")
        response.expect((200, 206) if asked_for_rest else (200,))
        beginning = "bytes %d-" % self._at
        if response.status == 206:
            if response.headers.get("content-range", "")[: len(beginning)] != beginning:
                raise OtaError("format", "the server sent another part than was asked for")
        elif self._at:
            self._begin()  # it is another file now, or the server knows no parts
        etag = response.headers.get("etag", "")
        self._etag = etag if etag[:1] == '"' else None  # a weak one does not say "the same bytes"
