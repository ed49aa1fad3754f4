"""Forge updates in every way that we know of, and see whether a node takes one."""

import asyncio
import socket
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from tuf.api.metadata import Metadata, MetaFile
from tuf.api.serialization.json import JSONSerializer

from wedau.build.simboard import SimFirmware
from wedau.cli import ota_samples
from wedau.cli.ota_node import MAIN, TABLE, Node, Repository, serve
from wedau.ota import on_host, publishing, repository, signing, upkeep
from wedau.ota.keys import Keys
from wedau.ota.payloads import Payload
from wedau.sim import direct

_CLOCK = "%Y-%m-%dT%H:%M:%SZ"
Files = dict[str, bytes]
_GOOD = 5


@dataclass
class Figures:
    """What was tried.

    Attributes:
        tried: forgeries.
        accepted: those that a node took, in whole or in part: has to be 0.
        refused: how many were refused, by kind of forgery and by the node's word for it.
        changed: those that left anything forged on the node, or another model: has to be 0.
    """

    tried: int = 0
    accepted: int = 0
    changed: int = 0
    refused: dict[str, Counter[str]] = field(default_factory=dict)

    def note(self, kind: str, code: str | None, changed: bool) -> None:
        """Count one; code None: it was accepted."""
        self.tried += 1
        self.changed += changed
        if code is None:
            self.accepted += 1
        else:
            self.refused.setdefault(kind, Counter())[code] += 1


def measure(firmware: SimFirmware | None, *, every: int = 1) -> Figures:
    """Forge.

    Args:
        firmware: the simulated board's, with all modules; None: only what the node's Python, run
            on this machine, can tell.
        every: of the bits of the metadata each n-th is flipped.
    """
    figures = Figures()
    with tempfile.TemporaryDirectory(prefix="wedau-") as folder:
        forger = _Forger(Path(folder), figures)
        forger.flip_bits(every)
        forger.sign_otherwise()
        forger.go_back()
        forger.mix()
        forger.cut_and_stretch()
        if firmware is not None:
            _OnBoard(Path(folder), firmware, figures).run()
    return figures


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


class _Forger:
    """A repository in two states, a node that has the first, and forgeries of the second."""

    def __init__(self, folder: Path, figures: Figures) -> None:
        self._figures = figures
        self._made = Repository.make(folder / "releases")
        self._made.release(_payload("1.0.0"))
        self._root = self._made.root
        self._old = self._files()
        self._has = self._refreshed({}, self._old)
        self._made.release(_payload("1.1.0"))
        keys = self._keys()
        upkeep.rotate(self._made.folder, "root", keys, datetime.now(UTC), None)
        self._new = self._files()
        self._got = self._refreshed(self._has, self._new)
        self._state = repository.load(self._made.folder)

    def flip_bits(self, every: int) -> None:
        """Flip each bit of each file that the node would take."""
        for name in self._wanted():
            data = self._new[name]
            for bit in range(0, 8 * len(data), every):
                forged = bytearray(data)
                forged[bit // 8] ^= 1 << bit % 8
                self._try("one bit", {**self._new, name: bytes(forged)})

    def sign_otherwise(self) -> None:
        """Sign with wrong keys, or with too few."""
        other = Repository.make(self._made.folder.parent / "other")
        other.release(_payload("9.0.0"))
        theirs = {n: p.read_bytes() for n, p in _paths(other.folder)}
        for name in self._wanted():
            found: Metadata[Any] = Metadata.from_bytes(self._new[name])
            found.signatures.clear()
            self._try("no signature", {**self._new, name: _bytes(found)})
            forged = self._signed_by(other, found, name)
            self._try("wrong key", {**self._new, name: forged})
        self._try("wrong key", theirs | {"2.root.json": theirs["1.root.json"]})
        root: Metadata[Any] = Metadata.from_bytes(self._new["2.root.json"])
        root.signed.roles["root"].threshold = 2
        self._try("too few", {**self._new, "2.root.json": self._resigned("root", root)})

    def go_back(self) -> None:
        """Serve what is older than what the node has, or has expired; all of it rightly signed."""
        newest = self._got
        for role in ("root", "timestamp", "snapshot", "targets"):
            self._try(f"older {role}", self._older(role), newest)
        stamp: Metadata[Any] = Metadata.from_bytes(self._new["timestamp.json"])
        stamp.signed.expires = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
        self._try("expired", {**self._new, "timestamp.json": self._resigned("timestamp", stamp)})

    def mix(self) -> None:
        """Serve files of one state beside those of another."""
        for role in ("snapshot", "targets"):
            new, old = self._name(role, self._new), self._name(role, self._old)
            self._try("mixed", {**self._new, new: self._old[old]})

    def cut_and_stretch(self) -> None:
        """Serve files that are shorter, longer or endless; and payloads likewise."""
        for name in self._wanted():
            for data in (self._new[name][:-1], self._new[name][:-2] + b" }}", b""):
                self._try("length", {**self._new, name: data})
        with _endless() as url:
            http = on_host.load("http").Http()
            for name in self._wanted():

                async def fetch(asked: str, most: int, name: str = name) -> bytes | None:
                    if asked == name:
                        return bytes(await http.get(url, most))
                    return self._new.get(asked)

                self._try("endless", self._new, fetch=fetch)
        payload = _payload("1.1.0").data
        for data in (payload[:-1], payload + b"x", b"", bytes([payload[0] ^ 1]) + payload[1:]):
            self._download(payload, data)

    def _download(self, payload: bytes, data: bytes) -> None:
        """Hand out other bytes than those that were signed."""
        import hashlib

        target = {
            "length": len(payload),
            "hashes": {"sha256": hashlib.sha256(payload).hexdigest()},
        }

        async def opened(headers: object) -> _Body:
            return _Body(data)

        code: str | None = None
        try:
            download = on_host.load("download").download
            asyncio.run(download(opened, target, _Nowhere(), bytearray(4096)))
        except on_host.load("errors").OtaError as error:
            code = error.code
        self._figures.note("payload", code, False)

    def _try(
        self,
        kind: str,
        files: Files,
        has: Files | None = None,
        fetch: Callable[[str, int], Any] | None = None,
    ) -> None:
        has = self._has if has is None else has
        store = _Store(has)
        code: str | None = None
        try:
            asyncio.run(self._refresh(store, files, fetch))
        except on_host.load("errors").OtaError as error:
            code = error.code
        signed_for_this = [files["timestamp.json"]] if kind.startswith("older") else []
        genuine = {
            *signed_for_this,
            *self._new.values(),
            *self._old.values(),
            *self._got.values(),
            *has.values(),
        }
        self._figures.note(kind, code, not set(store.kept.values()) <= genuine)

    def _refreshed(self, has: Files, files: Files) -> Files:
        """Return what a node keeps that had something and sees these files."""
        store = _Store(has)
        asyncio.run(self._refresh(store, files, None))
        return store.kept

    async def _refresh(
        self, store: _Store, files: Files, fetch: Callable[[str, int], Any] | None
    ) -> None:
        async def given(name: str, most: int) -> bytes | None:
            return files.get(name)

        now = datetime.now(UTC).strftime(_CLOCK)
        trust = on_host.load("trust").Trust(store, _verify, now, lambda: self._root)
        await trust.refresh(fetch or given)

    def _files(self) -> Files:
        return dict(publishing.metadata_files(repository.load(self._made.folder)))

    def _keys(self) -> Keys:
        return Keys(self._made.folder / "keys", {}, lambda what: None)

    def _name(self, role: str, files: Files) -> str:
        """Return the file of a role: the newest of its root files."""
        return [n for n in files if n.split(".")[-2] == role][-1]

    def _wanted(self) -> list[str]:
        return [self._name(r, self._new) for r in ("root", "timestamp", "snapshot", "targets")]

    def _signed_by(self, other: Repository, found: Metadata[Any], name: str) -> bytes:
        """Sign with the keys of another repository, under the names of the right ones."""
        role = name.split(".")[-2]
        keyid, *_ = self._state.root.signed.roles[role].keyids
        theirs = repository.load(other.folder).root.signed
        keys = Keys(other.folder / "keys", {}, lambda what: None)
        signature = found.sign(signing.need(keys, theirs, role)[0])
        signature.keyid = keyid
        found.signatures.clear()
        found.signatures[keyid] = signature
        return _bytes(found)

    def _resigned(self, role: str, found: Metadata[Any]) -> bytes:
        """Sign with the right keys what was changed."""
        found.signatures.clear()
        for signer in signing.need(self._keys(), self._state.root.signed, role):
            found.sign(signer, append=True)
        return _bytes(found)

    def _older(self, role: str) -> Files:
        """Return a state in which one role went back, and all above it was signed anew for it."""
        if role == "root":
            first: Metadata[Any] = Metadata.from_bytes(self._new["2.root.json"])
            return {**self._new, "3.root.json": self._resigned("root", first)}
        if role == "timestamp":
            stamp: Metadata[Any] = Metadata.from_bytes(self._new["timestamp.json"])
            stamp.signed.version -= 1
            return {**self._new, "timestamp.json": self._resigned("timestamp", stamp)}
        if role == "snapshot":
            return self._announcing(self._old[self._name("snapshot", self._old)], self._old)
        snapshot: Metadata[Any] = Metadata.from_bytes(self._new[self._name("snapshot", self._new)])
        snapshot.signed.version += 1
        old = self._name("targets", self._old)
        version = Metadata.from_bytes(self._old[old]).signed.version
        snapshot.signed.meta["targets.json"] = MetaFile.from_data(
            version, self._old[old], ["sha256"]
        )
        return self._announcing(self._resigned("snapshot", snapshot), {old: self._old[old]})

    def _announcing(self, snapshot: bytes, more: Files) -> Files:
        """Return a state whose newest timestamp names a snapshot."""
        version = Metadata.from_bytes(snapshot).signed.version
        stamp: Metadata[Any] = Metadata.from_bytes(self._new["timestamp.json"])
        stamp.signed.version += 1
        stamp.signed.snapshot_meta = MetaFile.from_data(version, snapshot, ["sha256"])
        files = {**self._new, **more, f"{version}.snapshot.json": snapshot}
        return {**files, "timestamp.json": self._resigned("timestamp", stamp)}


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


def _payload(version: str) -> Payload:
    place = {"arch": "xtensawin", "mpy": [6, 3], "golden": [1, 1, 0, 0, 0]}
    return Payload("model", "saw", version, version.encode() * 100, place)


def _paths(folder: Path) -> Iterator[tuple[str, Path]]:
    return ((path.name, path) for path in (folder / "metadata").glob("*.json"))


def _bytes(found: Metadata[Any]) -> bytes:
    return found.to_bytes(JSONSerializer(compact=True))


class _OnBoard:
    """A node on the simulated board that has a model, and is offered what it must not take."""

    def __init__(self, folder: Path, firmware: SimFirmware, figures: Figures) -> None:
        self._folder, self._firmware, self._figures = folder, firmware, figures

    def run(self) -> None:
        """Offer each forgery to a node of its own."""
        good = ota_samples.small_model("new")
        crashing = ota_samples.small_model("crash")
        rows, features, seed, crc, exponent = crashing.place["golden"]
        wrong = {**crashing.place, "golden": [rows, features, seed, crc ^ 1, exponent]}
        board = ota_samples.small_firmware("2.0.0")
        offers = {
            "architecture": (replace(good, place={**good.place, "arch": "armv7m", "mpy": [6, 3]}),),
            "mpy version": (
                replace(good, place={**good.place, "arch": "xtensawin", "mpy": [5, 0]}),
            ),
            "board": (replace(board, name="OTHER", place={"board": "OTHER"}),),
            "wrong answers": (replace(crashing, place=wrong),),
            "damaged": (replace(crashing, data=crashing.data[: len(crashing.data) // 2]),),
        }
        for number, (kind, payloads) in enumerate(offers.items()):
            self._offer(kind, payloads, self._folder / f"board-{number}")

    def _offer(self, kind: str, payloads: tuple[Payload, ...], folder: Path) -> None:
        folder.mkdir()
        made = Repository.make(folder / "releases")
        made.release(ota_samples.small_model("old"))
        with serve(made.folder) as url:
            node = Node.provisioned(
                self._firmware, folder / "flash.bin", made.root, {"url": url, "confirm_after": 3}
            )
            program = MAIN.format(name="saw", row=ota_samples.ROW, good=_GOOD)
            _run(node, program)
            before = _live(node.flash)
            made.release(*payloads)
            said = _run(node, program) + _run(node, program)
        answers = [line for line in said.splitlines() if line.startswith("answer ")]
        taken = set(answers) != {"answer old"}
        codes = [line.split()[1] for line in said.splitlines() if line.startswith("error ")]
        code = _code(said) or next((c for c in codes if c != "None"), "left alone")
        self._figures.note(kind, None if taken else code, _live(node.flash) != before)


def _code(said: str) -> str:
    """Return why the last payload failed, as the node says."""
    for line in reversed(said.splitlines()):
        if line.startswith("status ") and "'code': '" in line:
            code = line.partition("'code': '")[2].partition("'")[0]
            if code:
                return code
    return ""


def _run(node: Node, program: str) -> str:
    ended = node.run(program)
    assert ended.cause == direct.EXITED, ended.output
    return ended.output


def _live(flash: Path) -> bytes:
    """Return the slot that the first model went to, without the journal before it."""
    slot = next(part for part in TABLE if part.label == "model_0")
    data = flash.read_bytes()
    return data[slot.offset + 4096 : slot.offset + slot.size_bytes]
