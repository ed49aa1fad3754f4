"""A web server for a release, which can misbehave in the ways that real ones do."""

import contextlib
import functools
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Server:
    """A server on this machine.

    Attributes:
        address: of the folder that it serves.
        asked: paths that were asked for.
        dies_in: path whose bytes stop half way.
        endless: path that never ends, without a length.
        redirects: path to where its request is sent instead.
    """

    address: str = ""
    asked: list[str] = field(default_factory=list)
    dies_in: str = ""
    endless: str = ""
    redirects: dict[str, str] = field(default_factory=dict)


class _Handler(http.server.SimpleHTTPRequestHandler):
    def __init__(self, *args: object, told: Server, **options: object) -> None:
        self._told = told
        super().__init__(*args, **options)

    def do_GET(self) -> None:  # noqa: N802
        path = self.path.lstrip("/")
        self._told.asked.append(path)
        if path in self._told.redirects:
            self.send_response(302)
            self.send_header("Location", self._told.redirects[path])
            self.end_headers()
        elif path == self._told.endless:
            self._never_end()
        elif path == self._told.dies_in:
            self._die()
        else:
            super().do_GET()

    def _never_end(self) -> None:
        self.send_response(200)
        self.end_headers()
        with contextlib.suppress(OSError):
            for _ in range(2000):
                self.wfile.write(b"x" * 65536)

    def _die(self) -> None:
        data = Path(self.translate_path(self.path)).read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2])

    def log_message(self, *args: object) -> None:
        pass


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[Server]:
    """Serve a folder on a free port of this machine."""
    told = Server()
    handler = functools.partial(_Handler, told=told, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        told.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield told
        finally:
            server.shutdown()
            thread.join(5)
