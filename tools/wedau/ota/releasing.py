"""Release payloads: put their files, and patches to them, into a repository and sign for them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import TargetFile, Targets

from wedau.errors import OtaError
from wedau.ota import metadata, repository, signing
from wedau.ota.fields import node
from wedau.ota.keys import Keys
from wedau.ota.payloads import Payload
from wedau.ota.repository import State

MakePatch = Callable[[bytes, bytes], bytes | None]

_PATCHES_FROM = 2  # payloads before this one; each costs a node some metadata
_LOOK_BACK = 100  # versions of targets.json


@dataclass(frozen=True)
class Released:
    """One payload that was released.

    Attributes:
        path: its target's.
        custom: what is signed of it.
        length: in bytes.
        sha256: of the payload.
        patches: length of each patch, by the hash of what it applies to.
        is_new: False: this very payload was released before, and is left as it is.
        waits: nodes see it when snapshot and timestamp are signed: wedau ota renew.
    """

    path: str
    custom: dict[str, Any]
    length: int
    sha256: str
    patches: dict[str, int]
    is_new: bool
    waits: bool


def release(
    folder: Path,
    payloads: Sequence[Payload],
    feed: str,
    keys: Keys,
    now: datetime,
    make_patch: MakePatch | None = None,
) -> list[Released]:
    """Release payloads to a feed, all or none; a killed release leaves the repository valid.

    Args:
        folder: of the repository.
        payloads: one or more.
        feed: whom it is for, such as "stable".
        keys: those of targets; without those of snapshot and timestamp the release waits.
        now: the time.
        make_patch: makes of old and new bytes a patch, or None if it is not worth it.

    Raises:
        OtaError: a text is no plain ASCII, a key is missing, the root has expired, somebody else
            changes the repository, or it is damaged or cannot be written.
    """
    if not node.is_name(feed):
        raise OtaError(
            f"the feed {feed!r} is no plain name", "use letters, digits and _ - . only: --to beta"
        )
    with repository.locked(folder) as state:
        check_root(state, now)
        serials = {(p.kind, p.name): _next_serial(state, p) for p in payloads}
        made = [_make(state, p, feed, serials[p.kind, p.name], make_patch) for p in payloads]
        targets = _without_stale(state, [each for each in made if each.is_new])
        targets |= {target.path: target for each in made for target, _ in each.files}
        contents = [
            (repository.target_path(folder, target), data)
            for each in made
            if each.is_new
            for target, data in each.files
        ]
        fresh = bool(contents)
        until = _until(state, keys)
        if fresh or (state.waits and until == "timestamp"):
            first = "targets" if fresh else "snapshot"
            sign = signing.by(keys, state.root.signed)
            repository.write_chain(
                state, first, sign, now, targets, files_first=contents, until=until
            )
        return [_summary(each, waits=until == "targets") for each in made]


@dataclass(frozen=True)
class _Made:
    """A payload's target and those of its patches, with their bytes."""

    files: list[tuple[TargetFile, bytes]]
    is_new: bool


def check_root(state: State, now: datetime) -> None:
    """Check that the root has not expired.

    Raises:
        OtaError: it has, so nodes refuse everything.
    """
    root = state.root.signed
    if metadata.is_expired(root, now):
        raise OtaError(
            f"the root of {state.folder} expired on {root.expires:%Y-%m-%d}: nodes refuse it",
            "sign it anew, with the keys of root: wedau ota renew",
        )


def _until(state: State, keys: Keys) -> str:
    root = state.root.signed
    signing.need(keys, root, "targets")
    online = all(signing.at_hand(keys, root, role) for role in ("snapshot", "timestamp"))
    return "timestamp" if online else "targets"


def _next_serial(state: State, payload: Payload) -> int:
    of_it = (
        target.custom["serial"]
        for target in state.newest.signed.targets.values()
        if target.custom.get("kind") == payload.kind and target.custom.get("name") == payload.name
    )
    return 1 + max(of_it, default=0)


def _make(
    state: State, payload: Payload, feed: str, serial: int, make_patch: MakePatch | None
) -> _Made:
    custom = payload.custom(feed, serial)
    path = node.path_of(custom)
    wrong = node.problem(path, custom)
    if wrong:
        raise OtaError(
            f"the {wrong} {custom.get(wrong, path)!r} cannot be released",
            "use letters, digits and _ - . only, and not too many",
        )
    target = TargetFile.from_data(path, payload.data, ["sha256"])
    there = state.newest.signed.targets.get(path)
    if there is not None and _is_same(there, target, payload):
        return _Made([(there, payload.data)], is_new=False)
    patches = list(_patches(state, payload, path, target, make_patch) if make_patch else [])
    if patches:
        custom["delta"] = [{"from": old, "path": patch.path} for old, patch, _ in patches]
    target.unrecognized_fields["custom"] = custom
    return _Made([*((patch, data) for _, patch, data in patches), (target, payload.data)], True)


def _is_same(there: TargetFile, target: TargetFile, payload: Payload) -> bool:
    version = payload.version
    return there.hashes == target.hashes and version in (None, there.custom["version"])


def _patches(
    state: State, payload: Payload, path: str, target: TargetFile, make_patch: MakePatch
) -> Iterator[tuple[str, TargetFile, bytes]]:
    """Yield for the payloads before this one: hash, the patch's target, its bytes."""
    for old in _before(state, payload, target):
        patch = make_patch(repository.target_path(state.folder, old).read_bytes(), payload.data)
        if patch is not None:
            sha256 = old.hashes["sha256"]
            made = TargetFile.from_data(node.patch_path(path, sha256), patch, ["sha256"])
            made.unrecognized_fields["custom"] = {"kind": node.PATCH}
            yield sha256, made, patch


def _before(state: State, payload: Payload, target: TargetFile) -> list[TargetFile]:
    """Return the last payloads that this one takes the place of, whatever their feed."""
    found: dict[str, TargetFile] = {}
    newest = state.newest.signed.version
    for version in range(newest, max(0, newest - _LOOK_BACK), -1):
        for old in _targets(state, version):
            sha256 = old.hashes.get("sha256", "")
            if sha256 != target.hashes["sha256"] and _takes_its_place(payload, old):
                found.setdefault(sha256, old)
    there = [old for old in found.values() if _is_whole(state, old)]
    return there[:_PATCHES_FROM]


def _targets(state: State, version: int) -> list[TargetFile]:
    if version == state.newest.signed.version:
        return list(state.newest.signed.targets.values())
    path = repository.role_path(state.folder, "targets", version)
    if not path.is_file():
        return []
    return list(metadata.read(path, Targets)[0].signed.targets.values())


def _takes_its_place(payload: Payload, old: TargetFile) -> bool:
    custom = old.custom or {}
    same = custom.get("kind") == payload.kind and custom.get("name") == payload.name
    return same and all(
        custom.get(field) == payload.place.get(field) for field in ("arch", "board")
    )


def _is_whole(state: State, target: TargetFile) -> bool:
    try:
        with repository.target_path(state.folder, target).open("rb") as file:
            target.verify_length_and_hashes(file)
    except (OSError, RepositoryError):
        return False
    return True


def _without_stale(state: State, made: Sequence[_Made]) -> dict[str, TargetFile]:
    """Return the targets without patches to payloads that are replaced now."""
    replaced = tuple(f"{each.files[-1][0].path}." for each in made)
    every = state.newest.signed.targets
    return {path: target for path, target in every.items() if not path.startswith(replaced)}


def _summary(made: _Made, *, waits: bool) -> Released:
    target, data = made.files[-1]
    custom = dict(target.custom)
    lengths = [patch.length for patch, _ in made.files[:-1]]
    hashes = [delta["from"] for delta in custom.get("delta", [])] if lengths else []
    return Released(
        path=target.path,
        custom=custom,
        length=len(data),
        sha256=target.hashes["sha256"],
        patches=dict(zip(hashes, lengths, strict=True)),
        is_new=made.is_new,
        waits=waits,
    )
