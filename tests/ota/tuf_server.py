"""A repository in memory that can break every rule, served over HTTP, and the node's client."""

import copy
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization.json import JSONSerializer

from wedau.cli import tuf_client

ROLES = ("root", "timestamp", "snapshot", "targets")
KEYS = [CryptoSigner.generate_ed25519() for _ in range(14)]
EXPIRES = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
PAST = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)


class Repository:
    """Signed parts that may be changed at will, and files as they were signed.

    Attributes:
        files: what is served, by path; a list of all versions that were ever published.
        requests: paths that were asked for.
    """

    def __init__(self) -> None:
        self.signed: dict[str, Any] = {
            "targets": Targets(expires=EXPIRES),
            "snapshot": Snapshot(expires=EXPIRES),
            "timestamp": Timestamp(expires=EXPIRES),
            "root": Root(expires=EXPIRES, consistent_snapshot=True),
        }
        self._unused = iter(KEYS)
        self.signers: dict[str, list[CryptoSigner]] = {role: [] for role in ROLES}
        self.files: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.with_hashes = False
        for role in ROLES:
            self.add_key(role)
        self.publish("root", "targets", "snapshot", "timestamp", bump=False)

    def new_key(self) -> CryptoSigner:
        """Return a key that no role has."""
        return next(self._unused)

    def add_key(self, role: str, key: CryptoSigner | None = None) -> None:
        """Let a key count for a role, and sign with it from now on."""
        key = key or self.new_key()
        self.signed["root"].add_key(key.public_key, role)
        self.signers[role].append(key)

    def rotate(self, role: str) -> None:
        """Let another key count for a role, in the place of those that did."""
        self.signed["root"].roles[role].keyids.clear()
        self.signers[role].clear()
        self.add_key(role)

    def publish(self, *roles: str, bump: bool = True) -> None:
        """Sign roles and serve them; what a snapshot or timestamp says of them is kept right."""
        for role in roles:
            if bump:
                self.signed[role].version += 1
            self.serve(role, self.sign(role))

    def sign(self, role: str) -> bytes:
        """Return a role's file."""
        file: Metadata[Any] = Metadata(copy.deepcopy(self.signed[role]))
        for signer in self.signers[role]:
            file.sign(signer, append=True)
        return file.to_bytes(JSONSerializer(compact=True))

    def serve(self, role: str, data: bytes, *, announce: bool = True) -> None:
        """Serve a file as the version that the role has now."""
        version = self.signed[role].version
        name = "timestamp" if role == "timestamp" else f"{version}.{role}"
        self.files[f"metadata/{name}.json"] = data
        if not announce:
            return
        meta = MetaFile.from_data(version, data, ["sha256"]) if self.with_hashes else None
        meta = meta or MetaFile(version)
        if role == "targets":
            self.signed["snapshot"].meta["targets.json"] = meta
        if role == "snapshot":
            self.signed["timestamp"].snapshot_meta = meta

    def add_target(self, path: str, data: bytes, **change: Any) -> None:
        """Offer a target from the next publish() on; see TargetFile for what may be changed."""
        target = TargetFile.from_data(path, data, ["sha256"])
        served = target.get_prefixed_paths()[0]
        for name, value in change.items():
            setattr(target, name, value)
        self.signed["targets"].targets[path] = target
        self.files[f"targets/{served}"] = data

    def asked(self, *, start: str = "metadata/") -> list[str]:
        """Return the names that were asked for since the last call."""
        found = [path.removeprefix(start) for path in self.requests if path.startswith(start)]
        self.requests.clear()
        return found


@contextmanager
def served(repository: Repository) -> Iterator[str]:
    """Serve a repository; gives the address, with "/" at its end."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.lstrip("/")
            repository.requests.append(path)
            data = repository.files.get(path)
            if data is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Client:
    """The node's client, run for each command as the conformance suite does."""

    def __init__(self, folder: Path, url: str, root: bytes) -> None:
        self.trusted = folder / "trusted"
        self.downloads = folder / "downloads"
        self.downloads.mkdir(parents=True)
        self._url = url
        first = folder / "first.json"
        first.write_bytes(root)
        assert tuf_client.main(["--metadata-dir", str(self.trusted), "init", str(first)]) == 0

    def refresh(self, now: datetime | None = None) -> str:
        """Refresh; returns "" or the code of why it was refused."""
        return self._run("refresh", now=now)

    def download(self, *paths: str) -> str:
        """Download targets; returns as refresh()."""
        names = [part for path in paths for part in ("--target-name", path)]
        where = ["--target-base-url", f"{self._url}targets/", "--target-dir", str(self.downloads)]
        return self._run(*names, *where, "download")

    def _run(self, *arguments: str, now: datetime | None = None) -> str:
        given = ["--metadata-dir", str(self.trusted), "--metadata-url", f"{self._url}metadata/"]
        said = tuf_client.run([*given, *arguments], now=now)
        assert said == "done" or said.startswith("refused: "), said
        return "" if said == "done" else said.split()[1]

    def versions(self) -> dict[str, int]:
        """Return the versions of what the client trusts, by role."""
        found = {path.stem: path.read_bytes() for path in self.trusted.glob("*.json")}
        return {role: Metadata.from_bytes(data).signed.version for role, data in found.items()}
