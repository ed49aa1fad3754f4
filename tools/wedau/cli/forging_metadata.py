"""Metadata that a node must not take: changed, signed otherwise, older, expired, mixed."""

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

from securesystemslib.signer import SSlibKey
from tuf.api.metadata import Metadata, MetaFile

from wedau.cli.forging_node import ROLES, Files, Situation, keys_of, packed, payload
from wedau.cli.ota_node import Repository
from wedau.ota import repository, signing


def flip_bits(situation: Situation, every: int) -> None:
    """Flip each n-th bit of each file that the node would take."""
    for name in situation.wanted():
        data = situation.new[name]
        for bit in range(0, 8 * len(data), every):
            forged = bytearray(data)
            forged[bit // 8] ^= 1 << bit % 8
            situation.attempt("one bit", {**situation.new, name: bytes(forged)})


def sign_otherwise(situation: Situation) -> None:
    """Sign with wrong keys, with too few, or with one key twice."""
    other = Repository.make(situation.made.folder.parent / "other")
    other.release(payload("9.0.0"))
    theirs = {p.name: p.read_bytes() for p in (other.folder / "metadata").glob("*.json")}
    for role in ROLES:
        name, found = situation.name(role, situation.new), situation.parsed(role)
        found.signatures.clear()
        situation.attempt("no signature", {**situation.new, name: packed(found)})
        forged = _signed_by(other, found, role, situation.parsed("root"))
        situation.attempt("wrong key", {**situation.new, name: forged})
    situation.attempt("wrong key", theirs | {"2.root.json": theirs["1.root.json"]})
    root = situation.parsed("root")
    root.signed.roles["root"].threshold = 2
    forged = situation.resigned("root", root)
    situation.attempt("too few", {**situation.new, "2.root.json": forged})
    _sign_twice(situation)


def _sign_twice(situation: Situation) -> None:
    """Let a root ask for two signatures of timestamp, and give one: once, and under two names."""
    root, stamp = situation.parsed("root"), situation.parsed("timestamp")
    (keyid,) = root.signed.roles["timestamp"].keyids
    second = "0" * len(keyid)
    root.signed.version += 1
    root.signed.roles["timestamp"].keyids.append(second)
    root.signed.roles["timestamp"].threshold = 2
    key = root.signed.keys[keyid]
    root.signed.keys[second] = SSlibKey(second, key.keytype, key.scheme, key.keyval)
    genuine = situation.resigned("root", root)
    files = {**situation.new, "3.root.json": genuine}
    situation.attempt("too few", files, genuine=[genuine])
    signature = copy.copy(stamp.signatures[keyid])
    signature.keyid = second
    stamp.signatures[second] = signature
    files["timestamp.json"] = packed(stamp)
    situation.attempt("one key twice", files, genuine=[genuine])


def _signed_by(other: Repository, found: Metadata[Any], role: str, root: Metadata[Any]) -> bytes:
    """Sign with the keys of another repository, under the names of the right ones."""
    keyid, *_ = root.signed.roles[role].keyids
    theirs = repository.load(other.folder).root.signed
    signature = found.sign(signing.need(keys_of(other), theirs, role)[0])
    signature.keyid = keyid
    found.signatures.clear()
    found.signatures[keyid] = signature
    return packed(found)


def go_back(situation: Situation) -> None:
    """Serve what is older than what the node has, or has expired; all of it rightly signed."""
    for role in ROLES:
        files = _older(situation, role)
        signed_for_this = [files["timestamp.json"]]
        situation.attempt(f"older {role}", files, has=situation.newest, genuine=signed_for_this)
    stamp = situation.parsed("timestamp")
    stamp.signed.expires = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    expired = situation.resigned("timestamp", stamp)
    situation.attempt("expired", {**situation.new, "timestamp.json": expired})


def _older(situation: Situation, role: str) -> Files:
    """Return a state in which one role went back, and all above it was signed anew for it."""
    if role == "root":
        return {**situation.new, "3.root.json": situation.new["2.root.json"]}
    if role == "timestamp":
        stamp = situation.parsed("timestamp")
        stamp.signed.version -= 1
        return {**situation.new, "timestamp.json": situation.resigned("timestamp", stamp)}
    if role == "snapshot":
        old = situation.old[situation.name("snapshot", situation.old)]
        return _announcing(situation, old, situation.old)
    old_name = situation.name("targets", situation.old)
    old = situation.old[old_name]
    snapshot = situation.parsed("snapshot")
    snapshot.signed.version += 1
    version = Metadata.from_bytes(old).signed.version
    snapshot.signed.meta["targets.json"] = MetaFile.from_data(version, old, ["sha256"])
    return _announcing(situation, situation.resigned("snapshot", snapshot), {old_name: old})


def _announcing(situation: Situation, snapshot: bytes, more: Files) -> Files:
    """Return a state whose newest timestamp names a snapshot."""
    version = Metadata.from_bytes(snapshot).signed.version
    stamp = situation.parsed("timestamp")
    stamp.signed.version += 1
    stamp.signed.snapshot_meta = MetaFile.from_data(version, snapshot, ["sha256"])
    files = {**situation.new, **more, f"{version}.snapshot.json": snapshot}
    return {**files, "timestamp.json": situation.resigned("timestamp", stamp)}


def mix(situation: Situation) -> None:
    """Serve files of one state beside those of another."""
    for role in ("snapshot", "targets"):
        new, old = situation.name(role, situation.new), situation.name(role, situation.old)
        situation.attempt("mixed", {**situation.new, new: situation.old[old]})
