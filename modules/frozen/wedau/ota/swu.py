"""A .swu file: the metadata and one payload behind each other, as fleet servers hand them out.

The order is sw-description (for the server; passed over here), metadata files, the payload.

Source: tools/wedau/ota/swu.py writes it.
"""

import hashlib

from wedau.ota.cpio import Unpacker
from wedau.ota.errors import OtaError
from wedau.ota.fields import MAX_BYTES, METADATA_BYTES, is_hash

_DESCRIPTION = "sw-description"
_DESCRIPTION_BYTES = 4096
_MAX_FILES = 300  # roots included that the node has already
_MAX_KEPT_BYTES = 32768
_PIECE_BYTES = 512
_HEADER_BYTES = 110


class Swu:
    """Carries an update in one file. The file is read only as far as is needed.

    ``path``: of the target that is in it, after the first fetch().
    """

    def __init__(self, source):
        """Nothing is requested yet.

        Args:
            source: coroutine function of the headers of a request for the file: () or those of
                Range and If-Range; returns the response, see wedau.ota.http.Response.
        """
        self._source = source
        self._files = self.path = self._etag = None

    async def fetch(self, name, most):
        """Return a file of metadata, once, or None if there is none; see wedau.ota.trust.

        Raises:
            OtaError: format, length: it is no such file, or not one that a node can take;
                connection.
        """
        if self._files is None:
            await self._read(_root_version(name) or 0)
        data = self._files.pop(name, None)
        if data is None:
            return None
        if len(data) > most:
            raise OtaError("length", "%s is longer than %d bytes" % (name, most))
        return bytes(data)

    async def open(self, path, headers=()):
        """Return the response with the payload; all in it is counted from the payload's start.

        Args:
            path: as wedau.ota.static.target_path() gives it.
            headers: () or those of Range and If-Range.

        Raises:
            OtaError: missing: another payload is in the file; mismatch: it is another file now;
                connection, format.
        """
        if self._files is None:
            await self._read(0)
        if _plain(path) != self.path:
            raise OtaError("missing", "the file from the server has no " + path)
        at, etag = range_of(headers)
        start = self._start + at
        etag = etag or self._etag
        asked = ("Range: bytes=%d-" % start, "If-Range: " + etag) if etag else ()
        response = await self._source(asked)
        try:
            at = await self._take_up(response, at, start, asked)
        except OtaError:
            await response.close()
            raise
        return _Payload(response, self._etag, at, self._length - at)

    async def _read(self, least_root):
        """Read all before the payload; roots before a version are passed over."""
        head = _Head(least_root)
        unpacker = Unpacker(head.begin, head.write)
        digest, at = hashlib.sha256(), 0
        response = await self._source(())
        try:
            response.expect((200,))
            etag = response.headers.get("etag", "")
            self._etag = etag if etag[:1] == '"' else None
            piece = memoryview(bytearray(_PIECE_BYTES))
            while head.path is None:
                n = await response.readinto(piece)
                if n == 0 or unpacker.done:
                    raise OtaError("format", "the file from the server has no payload")
                unpacker.write(piece[:n])
                digest.update(piece[: n if head.path is None else head.start - at])
                at += n
        finally:
            await response.close()
        self._start, self._digest = head.start, digest.digest()
        self._files, self.path, self._length = head.files, head.path, head.length

    async def _take_up(self, response, at, start, asked):
        """Return where in the payload the response goes on."""
        response.expect((200, 206) if asked else (200,))
        if response.status == 206:
            beginning = "bytes %d-" % start
            if response.headers.get("content-range", "")[: len(beginning)] != beginning:
                raise OtaError("format", "the server sent another part than was asked for")
            return at
        digest = hashlib.sha256()
        left, piece = self._start, memoryview(bytearray(_PIECE_BYTES))
        while left:
            n = await response.readinto(piece[: min(left, _PIECE_BYTES)])
            if n == 0:
                break
            digest.update(piece[:n])
            left -= n
        if digest.digest() != self._digest:
            raise OtaError("mismatch", "the server has another file now than when it was asked first")
        etag = response.headers.get("etag", "")
        self._etag = etag if etag[:1] == '"' else None
        return 0


class _Head:
    """Keeps the metadata files of an archive. ``start``: where the data of the newest entry begin."""

    def __init__(self, least_root):
        self._least_root = least_root
        self._count = self._bytes = self._end = 0
        self._kept = None
        self.files, self.path, self.length, self.start = {}, None, 0, 0

    def begin(self, name, length):
        if self.path is not None:
            return  # behind the payload's beginning: never asked for
        self._place(len(name) + 1, length)
        self._count += 1
        role = _role(name)
        self._kept = None
        if self._count == 1:
            if name != _DESCRIPTION or length > _DESCRIPTION_BYTES:
                raise OtaError("format", "the file from the server is no .swu file")
        elif role is None:
            if length > MAX_BYTES:
                raise OtaError("length", "the payload is too long for any board")
            self.path, self.length = name, length
        elif name in self.files or self._count > _MAX_FILES:
            raise OtaError("format", "the .swu file holds too many files")
        elif length > METADATA_BYTES[role]:
            raise OtaError("length", "%s is longer than %d bytes" % (name, METADATA_BYTES[role]))
        elif role != "root" or _root_version(name) >= self._least_root:
            self._keep(name, length)

    def write(self, piece):
        if self._kept is not None:
            self._kept[self._at : self._at + len(piece)] = piece
            self._at += len(piece)

    def _place(self, name_bytes, length):
        start = self._end + _HEADER_BYTES + name_bytes
        self.start = start + -start % 4
        self._end = self.start + length + -length % 4

    def _keep(self, name, length):
        self._bytes += length
        if self._bytes > _MAX_KEPT_BYTES:
            raise OtaError("length", "the metadata in the .swu file are too long")
        self._kept, self._at = bytearray(length), 0
        self.files[name] = self._kept


class _Payload:
    """The response from the payload's start to its end; see wedau.ota.http.Response."""

    def __init__(self, response, etag, at, left):
        self._response, self._left = response, left
        self.status = 206 if at else 200
        self.headers = {"etag": etag} if etag else {}
        if at:
            self.headers["content-range"] = "bytes %d-" % at

    def expect(self, statuses):
        if self.status not in statuses:
            raise OtaError("connection", "the server answered with status %d" % self.status)

    async def readinto(self, buffer):
        if self._left == 0:
            return 0
        view = memoryview(buffer)
        n = await self._response.readinto(view[: min(len(view), self._left)])
        self._left -= n
        return n

    async def close(self):
        await self._response.close()


def _role(name):
    """Return the role that a file of metadata is for, None if it is none."""
    if "/" in name or name[-5:] != ".json":
        return None
    number, dot, rest = name.rpartition(".")[0].rpartition(".")
    if dot and not (0 < len(number) < 10 and all("0" <= c <= "9" for c in number)):
        return None
    return rest if rest in METADATA_BYTES else None


def _root_version(name):
    """Return N of N.root.json, 0 for other names."""
    number = name.partition(".")[0]
    return int(number) if _role(name) == "root" and number != "root" else 0


def _plain(path):
    """Return a target's path without the hash that a repository puts before its name."""
    folder, slash, file = path.rpartition("/")
    if is_hash(file[:64]) and file[64:65] == ".":
        file = file[65:]
    return folder + slash + file


def range_of(headers):
    """Return where a request is to go on, and for which ETag."""
    at, etag = 0, None
    for line in headers:
        name, _, value = line.partition(": ")
        if name == "Range":
            at = int(value[len("bytes=") : -1])
        elif name == "If-Range":
            etag = value
    return at, etag
