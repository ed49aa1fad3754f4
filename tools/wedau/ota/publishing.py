"""Copy what nodes may see of a repository to where a web server, or a fleet server, takes it."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import TargetFile, Timestamp

from wedau.errors import OtaError
from wedau.ota import files, metadata, releasing, repository, swu
from wedau.ota.fields import node
from wedau.ota.repository import METADATA, TARGETS, State

SWU = "swu"
_RENEW = "sign it anew: wedau ota renew"


@dataclass(frozen=True)
class Published:
    """What publish() wrote.

    Attributes:
        folder: where to.
        written: paths in it of files that are new or changed.
        kept: how many files were there already.
        swu: names of the .swu files, by the path of the target in them.
    """

    folder: Path
    written: tuple[str, ...]
    kept: int
    swu: dict[str, str]


def publish(
    folder: Path, to: Path, boards: Mapping[str, Sequence[str]], now: datetime
) -> Published:
    """Write metadata/, targets/ and swu/ into a folder; timestamp.json last of what nodes poll.

    Nothing is removed but .swu files of releases that were replaced: a node may be amid a download.

    Args:
        folder: of the repository.
        to: the folder; made if it is not there.
        boards: the boards by architecture of native code; those of all for other payloads.
        now: the time.

    Raises:
        OtaError: something has expired or is damaged, the folder holds another repository or a
            newer state of this one, or it cannot be written.
    """
    with repository.locked(folder) as state:
        _check(state, to, now)
        payloads = {t.path: _payload(state, t) for t in state.targets.signed.targets.values()}
        made: dict[str, bytes] = {
            f"{TARGETS}/{target.get_prefixed_paths()[0]}": payloads[path]
            for path, target in state.targets.signed.targets.items()
        }
        *roots, stamp, snapshot, targets = metadata_files(state)
        for name, data in (*roots, targets, snapshot, stamp):
            made[f"{METADATA}/{name}"] = data
        archives = swu_files(state, payloads, boards)
        made |= {f"{SWU}/{name}": data for name, (_, data) in archives.items()}
        written = [name for name, data in made.items() if _put(to / name, data)]
        _remove_stale(to / SWU, archives)
        names = {path: name for name, (path, _) in archives.items()}
        return Published(to, tuple(written), len(made) - len(written), names)


@dataclass(frozen=True)
class Archive:
    """A .swu file. ``custom``: the signed fields of the target at ``path`` that is in it."""

    name: str
    path: str
    custom: dict[str, Any]
    data: bytes


def archives(folder: Path, boards: Mapping[str, Sequence[str]], now: datetime) -> list[Archive]:
    """Return the .swu files of a repository, for a fleet server.

    Args:
        folder: of the repository.
        boards: as for publish().
        now: the time.

    Raises:
        OtaError: something has expired or is damaged.
    """
    with repository.locked(folder) as state:
        _check_valid(state, now)
        targets = state.targets.signed.targets
        payloads = {path: _payload(state, target) for path, target in targets.items()}
        return [
            Archive(name, path, dict(targets[path].custom), data)
            for name, (path, data) in swu_files(state, payloads, boards).items()
        ]


def metadata_files(state: State) -> list[tuple[str, bytes]]:
    """Return all metadata files that nodes may see: roots, timestamp, snapshot, targets."""
    paths = [repository.root_path(state.folder, n) for n in repository.root_versions(state.folder)]
    for role in ("timestamp", "snapshot", "targets"):
        paths.append(repository.role_path(state.folder, role, getattr(state, role).signed.version))
    limit = max(node.METADATA_BYTES.values())
    return [(path.name, files.read(path, limit, metadata.DAMAGED)) for path in paths]


def swu_files(
    state: State, payloads: Mapping[str, bytes], boards: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, bytes]]:
    """Return the .swu files of all payloads by name, each with its target's path.

    Args:
        state: of the repository.
        payloads: bytes by target's path.
        boards: as for publish().
    """
    metadata_of = {n: d for n, d in metadata_files(state) if n != "1.root.json"}
    found: dict[str, tuple[str, bytes]] = {}
    for path, target in state.targets.signed.targets.items():
        if target.custom["kind"] != node.PATCH:
            data = swu.write(
                path,
                target.custom,
                payloads[path],
                target.hashes["sha256"],
                metadata_of,
                _boards(target, boards),
            )
            found[swu_name(target)] = (path, data)
    return found


def swu_name(target: TargetFile) -> str:
    """Return the name of a target's .swu file: NAME-VERSION.swu, with feed and architecture."""
    custom = target.custom
    feed = "" if custom["feed"] == "stable" else f"{custom['feed']}-"
    kind = {node.MODEL: f"-{custom.get('arch', 'data')}", node.APP: "-app"}.get(custom["kind"], "")
    plain = "".join(c if node.is_name("x" + c) else "_" for c in custom["version"])
    return f"{feed}{custom['name']}-{plain}{kind}.swu"


def _boards(target: TargetFile, boards: Mapping[str, Sequence[str]]) -> list[str]:
    custom = target.custom
    if custom["kind"] == node.FIRMWARE:
        return [custom["board"]]
    every = {name for names in boards.values() for name in names}
    known = (
        boards.get(custom["arch"], ()) if custom.get("arch", "bytecode") != "bytecode" else every
    )
    return [swu.ANY_BOARD, *sorted(known)]


def _check_valid(state: State, now: datetime) -> None:
    releasing.check_root(state, now)
    for role, expires in state.expires().items():
        if expires <= now:
            raise OtaError(f"{role} expired on {expires:%Y-%m-%d}: nodes refuse it", _RENEW)
    if state.outdated:
        raise OtaError(f"{', '.join(state.outdated)} is signed by keys that were replaced", _RENEW)


def _check(state: State, to: Path, now: datetime) -> None:
    _check_valid(state, now)
    if to.resolve().is_relative_to(state.folder.resolve()):
        raise OtaError(
            f"{to} is inside the repository, with its private keys", "give a folder of its own"
        )
    first, there = repository.root_path(state.folder, 1), repository.root_path(to, 1)
    if there.exists() and there.read_bytes() != first.read_bytes():
        raise OtaError(f"{to} holds another repository", "give another folder, or empty this one")
    published = to / METADATA / "timestamp.json"
    if published.exists():
        _check_newer(state, published)


def _check_newer(state: State, published: Path) -> None:
    """Nodes never go back, so neither does what is published."""
    try:
        theirs = metadata.read(published, Timestamp)[0].signed.version
    except OtaError:
        return  # damaged: it is replaced
    ours = state.timestamp.signed.version
    if theirs > ours:
        raise OtaError(
            f"{published} is newer (version {theirs}) than {state.folder} (version {ours})",
            "publish from the newest copy of the repository: nodes refuse what is older",
        )


def _payload(state: State, target: TargetFile) -> bytes:
    path = repository.target_path(state.folder, target)
    data = files.read(path, node.MAX_BYTES, metadata.DAMAGED)
    try:
        target.verify_length_and_hashes(data)
    except RepositoryError:
        raise OtaError(f"{path} is not the file that was signed", metadata.DAMAGED) from None
    return data


def _put(path: Path, data: bytes) -> bool:
    """Write a file unless it is there already."""
    with contextlib.suppress(OSError):
        if path.stat().st_size == len(data) and path.read_bytes() == data:
            return False
    files.write(path, data)
    return True


def _remove_stale(folder: Path, keep: Mapping[str, object]) -> None:
    for path in folder.glob("*.swu"):
        if path.name not in keep:
            with contextlib.suppress(OSError):
                path.unlink()
