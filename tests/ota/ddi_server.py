"""A small server whose answers a test writes down, as hawkBit's documentation shows them."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Asked:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Its body."""
        return json.loads(self.body)


@dataclass
class Recorded:
    """What it answers by method and path, and what it was asked.

    Attributes:
        answers: a JSON document, bytes (served with Range, If-Range and an ETag), or a function of
            the request; a list gives one after the other, the last for ever.
        cut: break the connection off after so many bytes of a body, once.
    """

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    cut: int | None = None
    url: str = ""

    def answer(self, asked: Asked) -> Answer:
        """Return status, headers and body."""
        self.asked.append(asked)
        found = self.answers.get(f"{asked.method} {asked.path}")
        if isinstance(found, list):
            found = found.pop(0) if len(found) > 1 else found[0]
        if callable(found):
            function: Callable[[Asked], Answer] = found
            return function(asked)
        if found is None:
            return (404, {}, b"") if asked.method == "GET" else (200, {}, b"")
        if isinstance(found, bytes):
            return served(found, asked)
        text = json.dumps(found).replace("BASE", self.url)
        return 200, {"Content-Type": "application/hal+json"}, text.encode()

    def of(self, method: str) -> list[Asked]:
        """Return the requests of a method."""
        return [each for each in self.asked if each.method == method]


def served(data: bytes, asked: Asked) -> Answer:
    """Answer as a web server does that knows Range and If-Range."""
    etag = f'"{hash(data):x}"'
    headers = {"ETag": etag}
    wanted = asked.headers.get("Range")
    if wanted and asked.headers.get("If-Range", etag) == etag:
        start = int(wanted.removeprefix("bytes=").rstrip("-"))
        headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        return 206, headers, data[start:]
    return 200, headers, data


@contextmanager
def serve(recorded: Recorded) -> Iterator[Recorded]:
    """Serve until the block ends; its address is in .url."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked = Asked(self.command, self.path, dict(self.headers.items()), body)
            status, headers, data = recorded.answer(asked)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if recorded.cut is not None and len(data) > recorded.cut:
                data, recorded.cut = data[: recorded.cut], None
                self.close_connection = True
            self.wfile.write(data)

        do_GET = do_PUT = do_POST = _do  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    recorded.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield recorded
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
