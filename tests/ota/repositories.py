"""Small repositories for tests: quick to make, with their keys at hand, to be spoilt at will."""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, Targets, Timestamp

from wedau.ota import creating, metadata, releasing, repository, signing
from wedau.ota.creating import Plan
from wedau.ota.keys import Keys
from wedau.ota.payloads import Payload
from wedau.ota.releasing import Released

NOW = datetime.now(UTC).replace(microsecond=0)
KINDS: Mapping[str, type[Any]] = {
    "root": Root,
    "timestamp": Timestamp,
    "snapshot": Snapshot,
    "targets": Targets,
}


@dataclass
class Made:
    """A repository in a folder, without a passphrase."""

    folder: Path
    now: datetime = NOW

    @property
    def keys(self) -> Keys:
        """Its private keys."""
        return Keys(self.folder / "keys", {}, lambda what: None)

    def release(self, *payloads: Payload, feed: str = "stable", **more: Any) -> list[Released]:
        """Release as `wedau ota release` does."""
        return releasing.release(self.folder, payloads, feed, self.keys, self.now, **more)

    def path(self, role: str) -> Path:
        """Return the newest file of a role."""
        state = repository.load(self.folder)
        version = getattr(state, role).signed.version
        if role == "root":
            return repository.root_path(self.folder, version)
        return repository.role_path(self.folder, role, version)

    def root_bytes(self, version: int = 1) -> bytes:
        """Return a version of root.json, what a node is provisioned with."""
        return repository.root_path(self.folder, version).read_bytes()

    def target_bytes(self, path: str) -> bytes:
        """Return the content of a target."""
        target = repository.load(self.folder).targets.signed.targets[path]
        return repository.target_path(self.folder, target).read_bytes()

    def change(self, role: str, change: Callable[[Any], None], *, chain: bool = True) -> None:
        """Change the signed part of a role in place and sign it again; its version stays.

        Args:
            role: root, timestamp, snapshot or targets.
            change: gets python-tuf's object of the signed part.
            chain: also let snapshot and timestamp name the changed file rightly, so that nothing
                but the change itself is wrong.
        """
        path = self.path(role)
        root = repository.load(self.folder).root.signed
        found = Metadata.from_bytes(path.read_bytes())
        change(found.signed)
        found.signatures.clear()
        for signer in signing.need(self.keys, root, role):
            found.sign(signer, append=True)
        data = found.to_bytes(metadata.JSONSerializer(compact=True))
        above = {"targets": "snapshot", "snapshot": "timestamp"}.get(role)
        upper = self.path(above) if above and chain else None
        path.write_bytes(data)
        if above and upper:
            self._name(
                above, upper, root, MetaFile.from_data(found.signed.version, data, ["sha256"])
            )

    def _name(self, role: str, path: Path, root: Root, named: MetaFile) -> None:
        """Let the metadata of a role at a path name a changed file."""
        found: Metadata[Any] = Metadata.from_bytes(path.read_bytes())
        if role == "timestamp":
            found.signed.snapshot_meta = named
        else:
            found.signed.meta["targets.json"] = named
        found.signatures.clear()
        for signer in signing.need(self.keys, root, role):
            found.sign(signer, append=True)
        data = found.to_bytes(metadata.JSONSerializer(compact=True))
        path.write_bytes(data)
        if role == "snapshot":
            above = self.folder / "metadata/timestamp.json"
            self._name(
                "timestamp", above, root, MetaFile.from_data(found.signed.version, data, ["sha256"])
            )

    def expire(self, role: str) -> None:
        """Let a role have expired yesterday, rightly signed."""

        def change(signed: Any) -> None:
            signed.expires = datetime.now(UTC) - timedelta(days=1)

        self.change(role, change)


def make(folder: Path, **plan: Any) -> Made:
    """Make an empty repository in a new folder; see wedau.ota.creating.Plan."""
    creating.create(folder, Plan(passphrase=None, **plan), NOW)
    return Made(folder)


def model(
    name: str = "saw",
    version: str = "1.0.0",
    data: bytes | None = None,
    arch: str | None = "xtensawin",
) -> Payload:
    """A model's payload of any content; arch None: a data file."""
    place: dict[str, Any] = {"golden": [1, 1, 0, 0, 0]}
    if arch is not None:
        place |= {"arch": arch, "mpy": [6, 3]}
    return Payload("model", name, version, data or f"{name} {version}".encode() * 300, place)


def app(name: str = "logger", version: str = "1.0.0", data: bytes = b"app" * 500) -> Payload:
    """An application's payload of any content."""
    return Payload("app", name, version, data, {})


def firmware(board: str = "SIM", version: str = "1.0.0", fill: bytes = b"code") -> Payload:
    """A firmware's payload."""
    return Payload("firmware", board, version, firmware_image(version, fill), {"board": board})


def firmware_image(version: str = "1.0.0", fill: bytes = b"code") -> bytes:
    """An image with the header and the descriptor of an application, and nothing to run."""
    header = bytes([0xE9, 1, 2, 0x20]) + bytes(8) + struct.pack("<H", 9) + bytes(18)
    descriptor = struct.pack("<IIII", 0xABCD5432, 0, 0, 0) + version.encode().ljust(32, b"\0")
    return header + descriptor.ljust(256, b"\0") + fill * 1024
