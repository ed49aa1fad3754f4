"""Keep a repository alive: sign anew before expiry, replace keys, sign a root elsewhere.

A rotation is seen by nodes in one step, and the repository is valid before and after it: what a
role signs is signed by the old and the new keys before the new root.json is put there.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Root

from wedau.errors import OtaError
from wedau.ota import files, metadata, repository, signing
from wedau.ota.fields import node
from wedau.ota.keys import Keys
from wedau.ota.repository import PENDING_ROOT, State

_ONLINE = ("targets", "snapshot", "timestamp")  # each vouches for the one before it


@dataclass(frozen=True)
class Renewed:
    """What renew() did.

    Attributes:
        roles: that were signed anew.
        due: roles whose time is more than half over, and whose keys are not at hand.
        expires: of every role, now.
    """

    roles: tuple[str, ...]
    due: tuple[str, ...]
    expires: dict[str, datetime]


@dataclass(frozen=True)
class Rotated:
    """What a rotation did.

    Attributes:
        version: of the new root.json.
        signed: how many of the keys of root that have to sign it did, of the old and the new ones.
        needed: how many have to, of each.
        pending: the file that waits for more signatures; None: nodes see the new root.
    """

    version: int
    signed: tuple[int, int]
    needed: tuple[int, int]
    pending: Path | None


def renew(folder: Path, keys: Keys, now: datetime) -> Renewed:
    """Sign timestamp anew, and what has less than half of its time left or waits for signatures.

    Args:
        folder: of the repository.
        keys: those of timestamp at least.
        now: the time.

    Raises:
        OtaError: the key of timestamp or of another role that cannot wait is not at hand, somebody
            else changes the repository, or it is damaged or cannot be written.
    """
    with repository.locked(folder) as state:
        due = [role for role in node.ROLES if _is_due(state, role, now)]
        done: list[str] = []
        if "root" in due and signing.at_hand(keys, state.root.signed, "root"):
            _renew_root(state, keys, now)
            done.append("root")
        first = _first(state, keys, due)
        repository.write_chain(state, first, signing.by(keys, state.root.signed), now)
        done += _ONLINE[_ONLINE.index(first) :]
        left = tuple(role for role in due if role not in done)
        return Renewed(tuple(done), left, repository.load(folder).expires())


def _is_due(state: State, role: str, now: datetime) -> bool:
    left = state.expires()[role] - now
    return role in state.outdated or left.days * 2 < state.settings.days[role]


def _first(state: State, keys: Keys, due: Sequence[str]) -> str:
    """Return the first role to sign, so that all that is due and possible is."""
    if "targets" in due and signing.at_hand(keys, state.root.signed, "targets"):
        return "targets"
    return "snapshot" if "snapshot" in due or state.waits else "timestamp"


def _renew_root(state: State, keys: Keys, now: datetime) -> None:
    root = _next_root(state, now)
    data = metadata.sign(root, signing.need(keys, root.signed, "root"))
    files.write(repository.root_path(state.folder, root.signed.version), data)


def _next_root(state: State, now: datetime) -> Metadata[Root]:
    root = copy.deepcopy(state.root.signed)
    root.version += 1
    root.expires = repository.expiry(state.settings, "root", now)
    return Metadata(root)


def rotate(
    folder: Path,
    role: str,
    keys: Keys,
    now: datetime,
    passphrase: str | None,
    replace: str | None = None,
    key_folder: Path | None = None,
) -> Rotated:
    """Replace the keys of a role by new ones, in a new version of root.json.

    Args:
        folder: of the repository.
        role: root, targets, snapshot or timestamp.
        keys: those of root, and of the roles that vouch for this one.
        now: the time.
        passphrase: for the new keys; None: they are not encrypted.
        replace: the beginning of one key's id; None: all keys of the role.
        key_folder: where the new keys go; None: to the others.

    Returns:
        What was done; if too few keys of root are at hand, root.json waits for sign_root().

    Raises:
        OtaError: there is no such key or role, a root waits already, a key is missing, somebody
            else changes the repository, or it is damaged or cannot be written.
    """
    with repository.locked(folder) as state:
        _check_not_pending(folder)
        root = _next_root(state, now)
        leaving = _leaving(state.root.signed, role, replace)
        if role != "root":
            _check_online(state, keys, role)
        signers = keys.signers("root", state.root.signed.roles["root"].keyids)
        keys.signers(role, leaving)  # a damaged file is found before there are new keys
        for key_id in leaving:
            signer = keys.add(role, passphrase, key_folder)
            root.signed.revoke_key(key_id, role)
            root.signed.add_key(signer.public_key, role)
            signers += [signer] if role == "root" else []
        return _finish(state, root, _enough(state, root, signers), keys, now)


def _check_not_pending(folder: Path) -> None:
    if (folder / PENDING_ROOT).exists():
        raise OtaError(
            f"{folder / PENDING_ROOT} waits for signatures already",
            f"sign it: wedau ota sign-root {folder} --key FILE; or delete it to start anew",
        )


def _check_online(state: State, keys: Keys, role: str) -> None:
    """Check that those can sign who vouch for the role, before a key is made."""
    for above in _ONLINE[_ONLINE.index(role) + 1 :]:
        signing.need(keys, state.root.signed, above)


def _leaving(root: Root, role: str, replace: str | None) -> list[str]:
    key_ids = root.roles[role].keyids if role in root.roles else []
    found = [key_id for key_id in key_ids if key_id.startswith(replace or "")]
    if not found or (replace and len(found) > 1):
        raise OtaError(
            f"{role} has {'no' if not found else 'more than one'} key {replace or ''}".rstrip(),
            "'wedau ota show --json' lists the keys of every role",
        )
    return found


def _enough(
    state: State, root: Metadata[Root], signers: Sequence[CryptoSigner]
) -> list[CryptoSigner]:
    """Return no more signers than the old and the new root ask for."""
    chosen: dict[str, CryptoSigner] = {}
    for role in (root.signed.roles["root"], state.root.signed.roles["root"]):
        known = [s for s in signers if s.public_key.keyid in role.keyids]
        chosen |= {s.public_key.keyid: s for s in known[: role.threshold]}
    return list(chosen.values())


def sign_file(path: Path, signers: Sequence[CryptoSigner]) -> Metadata[Root]:
    """Add signatures to a root.json that waits for them, where the keys of root are.

    Raises:
        OtaError: it is no root.json, or cannot be read or written.
    """
    root, _ = metadata.read(path, Root)
    for signer in signers:
        root.sign(signer, append=True)
    files.write(path, metadata.to_bytes(root))
    return root


def sign_root(folder: Path, keys: Keys, now: datetime) -> Rotated:
    """Sign the root that waits with the keys at hand, and let nodes see it when they suffice.

    Raises:
        OtaError: none waits, or as for rotate().
    """
    with repository.locked(folder) as state:
        path = folder / PENDING_ROOT
        if not path.exists():
            raise OtaError(f"no root waits in {folder}", "make one with: wedau ota rotate ROLE")
        root, _ = metadata.read(path, Root)
        if root.signed.version != state.root.signed.version + 1:
            raise OtaError(f"{path} is not the version after the newest one", "delete it")
        key_ids = [*root.signed.roles["root"].keyids, *state.root.signed.roles["root"].keyids]
        return _finish(state, root, keys.signers("root", key_ids), keys, now)


def _finish(
    state: State,
    root: Metadata[Root],
    signers: Sequence[CryptoSigner],
    keys: Keys,
    now: datetime,
) -> Rotated:
    """Sign a new root; put it into its place if enough keys did, else beside the repository."""
    for signer in signers:
        root.sign(signer, append=True)
    data = metadata.to_bytes(root)
    both = (state.root.signed, root.signed)
    results = [r.get_verification_result("root", root.signed_bytes, root.signatures) for r in both]
    pending = None if all(results) else state.folder / PENDING_ROOT
    if pending:
        files.write(pending, data)
    else:
        _install(state, root, data, keys, now)
    old, new = results
    return Rotated(
        version=root.signed.version,
        signed=(len(old.signed), len(new.signed)),
        needed=(old.threshold, new.threshold),
        pending=pending,
    )


def _install(state: State, root: Metadata[Root], data: bytes, keys: Keys, now: datetime) -> None:
    """Sign by old and new keys what the new root trusts other keys for, then put it there."""
    path = repository.root_path(state.folder, root.signed.version)
    changed = [role for role in _ONLINE if _key_ids(root, role) != _key_ids(state.root, role)]

    def sign(role: str, unsigned: Metadata[Any]) -> bytes:
        new = signing.need(keys, root.signed, role)
        old = signing.at_hand(keys, state.root.signed, role)
        return metadata.sign(unsigned, {s.public_key.keyid: s for s in (*old, *new)}.values())

    for role in changed:
        signing.need(keys, root.signed, role)
    # Of a key that is lost, what it signed is worth nothing: the new root has to be there first.
    lost = not all(signing.at_hand(keys, state.root.signed, role) for role in changed)
    if lost:
        files.write(path, data)
    if changed:
        repository.write_chain(state, changed[0], sign, now)
    files.write(path, data)
    (state.folder / PENDING_ROOT).unlink(missing_ok=True)
    for role in node.ROLES:
        keys.retire(role, _key_ids(root, role))


def _key_ids(root: Metadata[Root], role: str) -> list[str]:
    return list(root.signed.roles[role].keyids)
