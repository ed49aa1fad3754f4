"""HTTP/1.1 as far as updates need it: one request a connection, bounded in every direction.

Source: RFC 9110 and 9112.
"""

import asyncio

from wedau.ota.errors import OtaError

TIMEOUT_S = 30
MAX_REDIRECTS = 4
_MAX_LINE_BYTES = 2048
_LINE_BYTES = 512  # what the buffer for lines begins with; few servers send longer ones
_MAX_LINES = 64
_REDIRECTS = (301, 302, 303, 307, 308)
_HEADERS = ("content-length", "content-range", "etag", "location", "transfer-encoding")
_PLAIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/"


class Address:
    """What a URL says. ``origin``: scheme, host and port, which Authorization may not leave."""

    def __init__(self, url):
        """Read an absolute URL.

        Raises:
            OtaError: format: no http or https, or bytes that do not belong into a URL.
        """
        scheme, _, rest = url.partition("://")
        self.tls = scheme == "https"
        if not self.tls and scheme != "http":
            raise OtaError("format", "the address is neither http nor https")
        if rest and not "!" <= min(rest) <= max(rest) <= "~":
            raise OtaError("format", "the address has characters that no URL has")
        where, slash, path = rest.partition("/")
        self.path = slash + path or "/"
        self.host, colon, port = where.partition(":")
        if not self.host or "@" in where or (colon and not _is_port(port)):
            raise OtaError("format", "the address has no host, or a wrong port")
        self.port = int(port) if colon else 443 if self.tls else 80
        self.origin = (self.tls, self.host, self.port)
        self.where = where

    def join(self, location):
        """Return the address that a Location header means.

        Raises:
            OtaError: as the constructor's, or TLS would be given up.
        """
        if location[:1] == "/" and location[:2] != "//":
            scheme = "https://" if self.tls else "http://"
            return Address(scheme + self.where + location)
        new = Address(location)
        if self.tls and not new.tls:
            raise OtaError("connection", "the server redirects from https to http")
        return new


class Http:
    """Makes requests. Credentials go to the origin that they are for, and nowhere else."""

    def __init__(self, url="", authorization="", tls=None, timeout_s=TIMEOUT_S):
        """Nothing is sent yet.

        Args:
            url: whose origin gets the authorization.
            authorization: value of the header, or "".
            tls: SSLContext for https; None: True is given to asyncio, which does not check whose
                certificate it is.
            timeout_s: how long a server may take to connect, to answer, for each piece of a body.
        """
        self._origin = Address(url).origin if url else None
        self._authorization = authorization
        self._tls = tls
        self._timeout_s = timeout_s

    async def get(self, url, most):
        """Return the body of a file of at most so many bytes, or None if there is none (404).

        Raises:
            OtaError: connection, format, or length: it has more bytes.
        """
        response = await self.open(url)
        try:
            if response.status in (404, 410):
                return None
            response.expect((200,))
            return await response.read(most)
        finally:
            await response.close()

    async def send(self, method, url, body, most=4096):
        """Send JSON and return status and the first bytes of what the server says.

        Raises:
            OtaError: connection, format or length.
        """
        response = await self.open(url, method, body=body)
        try:
            return response.status, await response.read(most)
        finally:
            await response.close()

    async def open(self, url, method="GET", headers=(), body=None):
        """Request and return the response with its body still to be read.

        Args:
            url: absolute.
            method: of the request.
            headers: further lines, each "Name: value".
            body: bytes of JSON, or None.

        Raises:
            OtaError: connection or format.
        """
        address = Address(url)
        for _ in range(MAX_REDIRECTS):
            response = await self._request(address, method, headers, body)
            location = response.headers.get("location")
            if response.status not in _REDIRECTS or location is None or body is not None:
                return response
            await response.close()
            address = address.join(location)
        raise OtaError("connection", "the server redirects in circles")

    async def _request(self, address, method, headers, body):
        lines = [
            "%s %s HTTP/1.1" % (method, address.path),
            "Host: " + address.where,
            "Connection: close",
            "Accept: */*",
        ]
        lines.extend(headers)
        if self._authorization and address.origin == self._origin:
            lines.append("Authorization: " + self._authorization)
        if body is not None:
            lines.append("Content-Type: application/json")
            lines.append("Content-Length: %d" % len(body))
        head = ("\r\n".join(lines) + "\r\n\r\n").encode()
        tls = (self._tls or True,) if address.tls else ()
        try:
            opening = asyncio.open_connection(address.host, address.port, *tls)
            reader, writer = await asyncio.wait_for(opening, self._timeout_s)
        except (OSError, asyncio.TimeoutError) as error:
            raise OtaError("connection", "%s does not answer: %r" % (address.where, error))
        response = Response(reader, writer, self._timeout_s)
        try:
            await asyncio.wait_for(response.ask(head, body), self._timeout_s)
        except (OSError, asyncio.TimeoutError) as error:
            await response.close()
            raise OtaError("connection", "%s broke off: %r" % (address.where, error))
        except OtaError:
            await response.close()
            raise
        return response


class Response:
    """A status, headers, and a body that is read piece by piece.

    ``headers``: by name in small letters; only those that are needed here.
    """

    def __init__(self, reader, writer, timeout_s):
        self._reader, self._writer, self._timeout_s = reader, writer, timeout_s
        self._buffer = bytearray(_LINE_BYTES)
        self._at = self._end = 0
        self.status = 0
        self.headers = {}
        self._left = None  # bytes of the body, or of its chunk; None: until the connection ends
        self._chunked = False

    async def ask(self, head, body):
        """Send a request, and read the status and the headers.

        Raises:
            OtaError: format, connection.
        """
        self._writer.write(head)
        if body is not None:
            self._writer.write(body)
        await self._writer.drain()
        for _ in range(_MAX_LINES):
            parts = (await self._line()).split(None, 2)
            if len(parts) < 2 or parts[0][:7] != "HTTP/1." or not _is_number(parts[1]):
                raise OtaError("format", "that is no HTTP server")
            self.status = int(parts[1])
            await self._read_headers()
            if self.status >= 200:
                self._prepare_body()
                return
        raise OtaError("format", "the server does not come to an answer")

    async def _read_headers(self):
        self.headers = {}
        for _ in range(_MAX_LINES):
            line = await self._line()
            if not line:
                return
            name, colon, value = line.partition(":")
            if not colon:
                raise OtaError("format", "the server sent a bad header")
            if name.lower() in _HEADERS:
                self.headers[name.lower()] = value.strip()
        raise OtaError("format", "the server sent too many headers")

    def _prepare_body(self):
        coding = self.headers.get("transfer-encoding", "identity").lower()
        length = self.headers.get("content-length")
        if coding == "chunked":
            self._chunked, self._left = True, 0
        elif coding != "identity":
            raise OtaError("format", "the server sent an unknown encoding")
        elif self.status in (204, 304):
            self._left = 0
        elif length is not None:
            if not _is_number(length):
                raise OtaError("format", "the server sent a bad length")
            self._left = int(length)

    def expect(self, statuses):
        """Raise OtaError (connection) unless the status is one of these."""
        if self.status not in statuses:
            raise OtaError("connection", "the server answered with status %d" % self.status)

    async def readinto(self, buffer):
        """Read the next bytes of the body and return how many; 0 at its end.

        Raises:
            OtaError: connection: it broke off before the end, or took too long; format.
        """
        if self._chunked and self._left == 0:
            await self._next_chunk()
        if self._left == 0:
            return 0
        view = memoryview(buffer)
        if self._left is not None:
            view = view[: min(len(view), self._left)]
        n = self._take(view) or await self._in_time(self._receive(view))
        if n == 0 and self._left is not None:
            raise OtaError("connection", "it broke off")
        if self._left is not None:
            self._left -= n
            if self._chunked and self._left == 0:
                await self._in_time(self._line())  # the end of the chunk
        return n

    async def read(self, most):
        """Return the whole body.

        Raises:
            OtaError: length: it has more bytes than most; connection; format.
        """
        body, at = bytearray(min(most, self._announced()) + 1), 0
        while at <= most:
            n = await self.readinto(memoryview(body)[at:])
            if n == 0:
                return bytes(memoryview(body)[:at])
            at += n
            if at == len(body):
                body.extend(bytes(min(at, most + 1 - at)))
        raise OtaError("length", "the server sent more than %d bytes" % most)

    def _announced(self):
        """Return how many bytes the body has, or a first guess."""
        return 512 if self._chunked or self._left is None else self._left

    async def close(self):
        """End the connection."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            pass

    async def _next_chunk(self):
        text = (await self._in_time(self._line())).partition(";")[0].strip()
        if not text or len(text) > 8 or not all(c in "0123456789abcdefABCDEF" for c in text):
            raise OtaError("format", "the server sent a bad chunk")
        self._left = int(text, 16)
        if self._left == 0:
            self._chunked = False

    def _take(self, view):
        """Hand out what came together with the headers."""
        n = min(len(view), self._end - self._at)
        view[:n] = memoryview(self._buffer)[self._at : self._at + n]
        self._at += n
        return n

    async def _in_time(self, work):
        try:
            return await asyncio.wait_for(work, self._timeout_s)
        except asyncio.TimeoutError as error:
            raise OtaError("connection", "it broke off: %r" % error)

    async def _receive(self, view):
        try:
            return await self._reader.readinto(view) or 0
        except OSError as error:
            raise OtaError("connection", "it broke off: %r" % error)

    async def _line(self):
        """Return the next line, without its end."""
        whole = memoryview(self._buffer)
        while True:
            length = bytes(whole[self._at : self._end]).find(b"\n")
            if length >= 0:
                line = bytes(whole[self._at : self._at + length])
                self._at += length + 1
                return _text(line)
            if self._at:
                rest = bytes(whole[self._at : self._end])
                whole[: len(rest)] = rest
                self._at, self._end = 0, len(rest)
            if self._end == _MAX_LINE_BYTES:
                raise OtaError("format", "the server sent too long a line")
            if self._end == len(whole):
                self._buffer = bytearray(2 * self._end)
                self._buffer[: self._end] = whole
                whole = memoryview(self._buffer)
            n = await self._receive(whole[self._end :])
            if n == 0:
                raise OtaError("connection", "it broke off")
            self._end += n


def quote(path):
    """Return the path with all that does not belong into a URL as %XX."""
    return "".join(c if c in _PLAIN else "".join("%%%02X" % b for b in c.encode()) for c in path)


def _text(line):
    try:
        return line.decode().rstrip("\r")
    except UnicodeError:
        raise OtaError("format", "the server sent bytes that are no text")


def _is_port(text):
    return _is_number(text) and 0 < int(text) < 65536


def _is_number(text):
    return 0 < len(text) < 10 and all("0" <= c <= "9" for c in text)
