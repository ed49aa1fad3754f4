"""A repository of updates in a folder: what is in it, read and verified as a node would.

FOLDER/keys/         private keys; never published
FOLDER/metadata/     N.root.json, N.targets.json, N.snapshot.json, timestamp.json
FOLDER/targets/      PATH/HASH.NAME
FOLDER/settings.json how long signatures last, and what a node is told

Source: The Update Framework Specification 1.0, section 7 (consistent snapshots), by python-tuf.
"""

import contextlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from wedau.errors import OtaError
from wedau.ota import files, metadata
from wedau.ota.fields import node

METADATA = "metadata"
TARGETS = "targets"
KEYS = "keys"
SETTINGS = "settings.json"
PENDING_ROOT = "pending.root.json"

# For who releases twice a year: nothing expires between two releases, or within a year's leave.
DEFAULT_DAYS: Mapping[str, int] = {
    "root": 5 * 365,
    "targets": 2 * 365,
    "snapshot": 400,
    "timestamp": 400,
}
_LARGEST_SETTINGS = 64 * 1024


@dataclass(frozen=True)
class Settings:
    """What is set once for a repository.

    Attributes:
        days: for which a new signature of each role is good.
        node: what a node is told, by name; see fields.SETTINGS of the node.
    """

    days: Mapping[str, int]
    node: Mapping[str, Any]

    def to_bytes(self) -> bytes:
        """Return settings.json."""
        content = {"expiry_days": dict(self.days), "node": dict(self.node)}
        return (json.dumps(content, indent=1) + "\n").encode("ascii")


@dataclass(frozen=True)
class State:
    """A repository as it is on the disk, verified.

    Attributes:
        folder: its folder.
        settings: its settings.
        root, timestamp, snapshot, targets: what nodes see.
        newest: the newest targets that are signed; others than `targets` if they wait for the
            keys of snapshot and timestamp.
        outdated: roles whose metadata is signed by keys that were replaced since, only.
    """

    folder: Path
    settings: Settings
    root: Metadata[Root]
    timestamp: Metadata[Timestamp]
    snapshot: Metadata[Snapshot]
    targets: Metadata[Targets]
    newest: Metadata[Targets]
    outdated: tuple[str, ...] = ()

    @property
    def waits(self) -> bool:
        """Whether a signed release is not seen by nodes yet."""
        return self.newest.signed.version > self.targets.signed.version

    def expires(self) -> dict[str, datetime]:
        """Return when the signatures of each role expire."""
        return {role: getattr(self, role).signed.expires for role in node.ROLES}


def root_path(folder: Path, version: int) -> Path:
    """Return the path of a version of root.json."""
    return folder / METADATA / f"{version}.root.json"


def role_path(folder: Path, role: str, version: int) -> Path:
    """Return the path of a role's metadata; timestamp.json has no version in its name."""
    name = "timestamp.json" if role == "timestamp" else f"{version}.{role}.json"
    return folder / METADATA / name


def target_path(folder: Path, target: TargetFile) -> Path:
    """Return the path of a target's file, with its hash in its name."""
    return folder / TARGETS / target.get_prefixed_paths()[0]


def root_versions(folder: Path) -> list[int]:
    """Return the versions of root.json that are there, sorted."""
    names = (path.name for path in (folder / METADATA).glob("*.root.json"))
    return sorted(int(m[1]) for m in map(re.compile(r"(\d+)\.root\.json").fullmatch, names) if m)


def load(folder: Path) -> State:
    """Read a repository and verify all of its metadata: chain of roots, signatures, hashes.

    Raises:
        OtaError: there is none, or a file of it is damaged, missing, or not rightly signed.
    """
    _check_there(folder)
    settings = load_settings(folder)
    roots = _load_roots(folder)
    timestamp, _ = _role(folder, roots, "timestamp", 0, Timestamp)
    version = timestamp.signed.snapshot_meta.version
    snapshot, data = _role(folder, roots, "snapshot", version, Snapshot)
    _check_same(folder, "snapshot", snapshot, timestamp.signed.snapshot_meta, data)
    named = snapshot.signed.meta.get("targets.json")
    if named is None:
        raise OtaError(f"{folder}: the snapshot names no targets", metadata.DAMAGED)
    targets, data = _role(folder, roots, "targets", named.version, Targets)
    _check_same(folder, "targets", targets, named, data)
    root = roots[-1]
    newest = _newest(folder, root, targets)
    every: tuple[Metadata[Any], ...] = (timestamp, snapshot, targets)
    outdated = tuple(m.signed.type for m in every if not metadata.is_signed(root.signed, m))
    return State(folder, settings, root, timestamp, snapshot, targets, newest, outdated)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[State]:
    """Read a repository and hold it for one writer.

    Raises:
        OtaError: somebody else holds it, or as for load().
    """
    _check_there(folder)
    with files.lock(folder):
        yield load(folder)


def _check_there(folder: Path) -> None:
    if not (folder / METADATA / "timestamp.json").is_file():
        raise OtaError(
            f"{folder} is no repository of updates", f"make one with: wedau ota init {folder}"
        )


def load_settings(folder: Path) -> Settings:
    """Read settings.json.

    Raises:
        OtaError: it is damaged.
    """
    path = folder / SETTINGS
    data = files.read(path, _LARGEST_SETTINGS, metadata.DAMAGED)
    try:
        content = json.loads(data)
        days = {role: content["expiry_days"][role] for role in node.ROLES}
        told = dict(content["node"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise OtaError(f"{path} is damaged", metadata.DAMAGED) from None
    for role, count in days.items():
        if not node.is_number(count, 1, 36500):
            raise OtaError(f"{path}: expiry_days of {role} is {count!r}", "give 1 to 36500 days")
    wrong = node.settings_problem(told)
    if wrong:
        raise OtaError(
            f"{path}: the node's setting {wrong} is {told.get(wrong)!r}, which cannot be",
            "see docs/reference/ota-repository.md for the settings",
        )
    return Settings(days, told)


def _load_roots(folder: Path) -> list[Metadata[Root]]:
    """Follow the chain of roots: each is signed by the keys of the one before and by its own."""
    roots: list[Metadata[Root]] = []
    for version in root_versions(folder):
        path = root_path(folder, version)
        root, _ = metadata.read(path, Root)
        if root.signed.version != version or (roots and roots[-1].signed.version != version - 1):
            raise OtaError(f"{path} is not the version after the one before", metadata.DAMAGED)
        metadata.verify([*roots, root][-2:][0].signed, root, str(path))
        metadata.verify(root.signed, root, str(path))
        roots.append(root)
    if not roots:
        raise OtaError(f"{folder / METADATA} holds no root.json", metadata.DAMAGED)
    return roots


def _role(
    folder: Path, roots: list[Metadata[Root]], role: str, version: int, kind: type[metadata.T]
) -> tuple[Metadata[metadata.T], bytes]:
    """Read a role's metadata, signed by the keys of the newest root, or of one before it.

    The latter is what a rotation leaves that was killed: State.outdated tells.
    """
    path = role_path(folder, role, version)
    found, data = metadata.read(path, kind)
    if not any(metadata.is_signed(root.signed, found) for root in roots):
        metadata.verify(roots[-1].signed, found, str(path))
    return found, data


def _check_same(
    folder: Path, role: str, found: Metadata[metadata.T], named: MetaFile, data: bytes
) -> None:
    path = role_path(folder, role, found.signed.version)
    try:
        named.verify_length_and_hashes(data)
    except RepositoryError:
        raise OtaError(f"{path} is not the file that was signed for", metadata.DAMAGED) from None
    if found.signed.version != named.version:
        raise OtaError(f"{path} holds another version than its name says", metadata.DAMAGED)


def _newest(folder: Path, root: Metadata[Root], targets: Metadata[Targets]) -> Metadata[Targets]:
    """Return the newest signed targets; a release that waits, or was killed, is the next ones."""
    path = role_path(folder, "targets", targets.signed.version + 1)
    if not path.is_file():
        return targets
    found, _ = metadata.read(path, Targets)
    if not metadata.is_signed(root.signed, found):
        return targets  # by keys that count no more: the next release replaces it
    there = all(target_path(folder, target).is_file() for target in found.signed.targets.values())
    newer = found.signed.version == targets.signed.version + 1 and there
    return found if newer else targets


Sign = Callable[[str, Metadata[Any]], bytes]


def write_chain(
    state: State,
    first: str,
    sign: Sign,
    now: datetime,
    targets: dict[str, TargetFile] | None = None,
    *,
    files_first: Sequence[tuple[Path, bytes]] = (),
    until: str = "timestamp",
) -> None:
    """Sign and write new versions of a role and of those that vouch for it, timestamp last.

    At every step the repository is valid: what is new is seen when timestamp.json is replaced.

    Args:
        state: loaded.
        first: targets, snapshot or timestamp: the first role of which there is a new version.
        sign: signs a role's metadata and returns its bytes; called for all before any is written.
        now: new signatures expire so many days after it as the settings say.
        targets: the new targets, if first is targets; the newest ones if not given.
        files_first: paths and contents of payloads, written before all metadata.
        until: the last role that is written.

    Raises:
        OtaError: a key is missing, or a file cannot be written.
    """
    made: list[tuple[Path, bytes]] = list(files_first)
    newest = state.newest.signed
    version, data = newest.version, metadata.to_bytes(state.newest)
    if first == "targets":
        version += 1
        fresh = Targets(version, expires=_expiry(state, "targets", now))
        fresh.targets = dict(sorted((targets if targets is not None else newest.targets).items()))
        data = sign("targets", Metadata(fresh))
        made.append((role_path(state.folder, "targets", version), data))
    if until == "targets":
        _write(made)
        return
    number = state.snapshot.signed.version
    meta = state.timestamp.signed.snapshot_meta
    if first != "timestamp":
        number += 1
        snapshot = Snapshot(number, expires=_expiry(state, "snapshot", now))
        snapshot.meta = {"targets.json": MetaFile.from_data(version, data, ["sha256"])}
        data = sign("snapshot", Metadata(snapshot))
        made.append((role_path(state.folder, "snapshot", number), data))
        meta = MetaFile.from_data(number, data, ["sha256"])
    timestamp = Timestamp(
        state.timestamp.signed.version + 1, expires=_expiry(state, "timestamp", now)
    )
    timestamp.snapshot_meta = meta
    made.append((role_path(state.folder, "timestamp", 0), sign("timestamp", Metadata(timestamp))))
    _write(made)


def _write(made: list[tuple[Path, bytes]]) -> None:
    for path, data in made:
        files.write(path, data)


def _expiry(state: State, role: str, now: datetime) -> datetime:
    return expiry(state.settings, role, now)


def expiry(settings: Settings, role: str, now: datetime) -> datetime:
    """Return when a signature made now expires."""
    return now.astimezone(UTC).replace(microsecond=0) + timedelta(days=settings.days[role])
