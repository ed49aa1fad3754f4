"""Where metadata are forged: a repository, and a node whose code runs on this machine."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from tuf.api.metadata import Metadata
from tuf.api.serialization.json import JSONSerializer

from wedau.cli.forging import Figures
from wedau.cli.ota_node import Repository
from wedau.ota import on_host, publishing, repository, signing, upkeep
from wedau.ota.keys import Keys
from wedau.ota.payloads import Payload

ROLES = ("root", "timestamp", "snapshot", "targets")
_CLOCK = "%Y-%m-%dT%H:%M:%SZ"
Files = dict[str, bytes]
Fetch = Callable[[str, int], Any]


class Situation:
    """A repository in two states, of which the node has the first; forged is the second.

    Attributes:
        made: the repository, in its second state.
        old: its files in the first state.
        new: those in the second; root has changed as well.
        newest: what the node keeps that has seen the second.
    """

    def __init__(self, folder: Path, figures: Figures) -> None:
        self._figures = figures
        self.made = Repository.make(folder / "releases")
        self.made.release(payload("1.0.0"))
        self._root = self.made.root
        self.old = self._files()
        self._has = self._refreshed({}, self.old)
        self.made.release(payload("1.1.0"))
        upkeep.rotate(self.made.folder, "root", keys_of(self.made), datetime.now(UTC), None)
        self.new = self._files()
        self.newest = self._refreshed(self._has, self.new)
        self._state = repository.load(self.made.folder)

    def attempt(
        self,
        kind: str,
        files: Files,
        *,
        has: Files | None = None,
        fetch: Fetch | None = None,
        genuine: Iterable[bytes] = (),
    ) -> None:
        """Offer files to a node, and count what it says to them.

        Args:
            kind: of the forgery.
            files: the repository as the node sees it.
            has: what it keeps; default: the first state.
            fetch: how it gets files; default: from files.
            genuine: what it may keep of them beside the files of both states.
        """
        has = self._has if has is None else has
        store = _Store(has)
        code: str | None = None
        try:
            asyncio.run(self._refresh(store, files, fetch))
        except on_host.load("errors").OtaError as error:
            code = error.code
        known = {*genuine, *self.new.values(), *self.old.values(), *self.newest.values()}
        self._figures.note(kind, code, not set(store.kept.values()) <= known | set(has.values()))

    def name(self, role: str, files: Files) -> str:
        """Return the file of a role: the newest of its root files."""
        return [n for n in files if n.split(".")[-2] == role][-1]

    def wanted(self) -> list[str]:
        """Return the files that the node would take."""
        return [self.name(role, self.new) for role in ROLES]

    def parsed(self, role: str) -> Metadata[Any]:
        """Return the newest file of a role."""
        return Metadata.from_bytes(self.new[self.name(role, self.new)])

    def resigned(self, role: str, found: Metadata[Any]) -> bytes:
        """Sign with the right keys what was changed."""
        found.signatures.clear()
        for signer in signing.need(keys_of(self.made), self._state.root.signed, role):
            found.sign(signer, append=True)
        return packed(found)

    def _refreshed(self, has: Files, files: Files) -> Files:
        """Return what a node keeps that had something and sees these files."""
        store = _Store(has)
        asyncio.run(self._refresh(store, files, None))
        return store.kept

    async def _refresh(self, store: "_Store", files: Files, fetch: Fetch | None) -> None:
        async def given(name: str, most: int) -> bytes | None:
            return files.get(name)

        now = datetime.now(UTC).strftime(_CLOCK)
        trust = on_host.load("trust").Trust(store, _verify, now, lambda: self._root)
        await trust.refresh(fetch or given)

    def _files(self) -> Files:
        return dict(publishing.metadata_files(repository.load(self.made.folder)))


class _Store:
    """What a node keeps, in memory; see wedau.ota.store on the node."""

    def __init__(self, kept: Files) -> None:
        self.kept = dict(kept)

    def load(self, name: str) -> bytes | None:
        return self.kept.get(name)

    def save(self, name: str, data: bytes) -> None:
        self.kept[name] = bytes(data)


def _verify(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, bytes(message))
    except InvalidSignature:
        return False
    return True


def payload(version: str) -> Payload:
    """Return a model's payload that nobody runs."""
    place = {"arch": "xtensawin", "mpy": [6, 3], "golden": [1, 1, 0, 0, 0]}
    return Payload("model", "saw", version, version.encode() * 100, place)


def keys_of(made: Repository) -> Keys:
    """Return the keys of a repository."""
    return Keys(made.folder / "keys", {}, lambda what: None)


def packed(found: Metadata[Any]) -> bytes:
    """Return a file of metadata as the host writes it."""
    return found.to_bytes(JSONSerializer(compact=True))
