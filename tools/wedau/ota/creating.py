"""Make a repository: its keys, and the first version of each role."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Role, Root, Snapshot, Targets, Timestamp

from wedau.errors import OtaError
from wedau.ota import files, metadata, repository
from wedau.ota.fields import node
from wedau.ota.keys import Keys
from wedau.ota.repository import DEFAULT_DAYS, Settings


@dataclass(frozen=True)
class Plan:
    """What a repository is to be.

    Attributes:
        passphrase: for all keys; None: they are not encrypted.
        root_keys: how many keys root has.
        root_threshold: how many of them have to sign a new root.
        root_folder: where the keys of root go; None: to the others.
        days: for which signatures are good, by role.
        node: settings of nodes that are not to be the defaults.
    """

    passphrase: str | None
    root_keys: int = 1
    root_threshold: int = 1
    root_folder: Path | None = None
    days: Mapping[str, int] = field(default_factory=dict)
    node: Mapping[str, Any] = field(default_factory=dict)


def create(folder: Path, plan: Plan, now: datetime) -> None:
    """Make a repository in a folder that is not there or is empty; whole or not at all.

    Raises:
        OtaError: something is there already, the plan cannot be, or a file cannot be written.
    """
    _check(folder, plan)
    settings = Settings({**DEFAULT_DAYS, **plan.days}, {**dict(node.SETTINGS), **plan.node})
    wrong = node.settings_problem(dict(settings.node))
    if wrong:
        raise OtaError(f"the setting {wrong} cannot be {settings.node[wrong]!r}", "give plain text")
    beside = folder.with_name(f".new-{folder.name}")
    try:
        if beside.exists():
            shutil.rmtree(beside)
        _fill(beside, plan, settings, now)
        if folder.exists():
            folder.rmdir()
        beside.rename(folder)
    except OSError as error:
        raise OtaError(
            f"{folder} cannot be made: {error.strerror}", "check the path and its permissions"
        ) from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _check(folder: Path, plan: Plan) -> None:
    if folder.is_dir() and any(folder.iterdir()):
        raise OtaError(
            f"{folder} is not empty", "give a new folder; a repository is never made anew in place"
        )
    if folder.exists() and not folder.is_dir():
        raise OtaError(f"{folder} is a file", "give a new folder")
    if not 1 <= plan.root_threshold <= plan.root_keys <= 9:
        raise OtaError(
            f"{plan.root_threshold} of {plan.root_keys} keys of root cannot be",
            "have 1 to 9 keys, and let at most all of them be needed",
        )


def _fill(folder: Path, plan: Plan, settings: Settings, now: datetime) -> None:
    keys = Keys(folder / repository.KEYS, {}, lambda what: plan.passphrase)
    signers = {role: [keys.add(role, plan.passphrase)] for role in node.ROLES if role != "root"}
    signers["root"] = [
        keys.add("root", plan.passphrase, plan.root_folder) for _ in range(plan.root_keys)
    ]
    for name, data in first_versions(signers, plan.root_threshold, settings, now).items():
        files.write(folder / repository.METADATA / name, data)
    (folder / repository.TARGETS).mkdir()
    files.write(folder / repository.SETTINGS, settings.to_bytes())
    files.write(folder / files.LOCK, b"")


def first_versions(
    signers: Mapping[str, list[CryptoSigner]],
    root_threshold: int,
    settings: Settings,
    now: datetime,
) -> dict[str, bytes]:
    """Return the first metadata files of an empty repository by name, timestamp.json last."""
    expires = {role: repository.expiry(settings, role, now) for role in node.ROLES}
    public = {s.public_key.keyid: s.public_key for some in signers.values() for s in some}
    roles = {role: Role([s.public_key.keyid for s in signers[role]], 1) for role in node.ROLES}
    roles["root"].threshold = root_threshold
    root = Root(1, expires=expires["root"], keys=dict(public), roles=roles)
    root_bytes = metadata.sign(Metadata(root), signers["root"][:root_threshold])
    targets = metadata.sign(Metadata(Targets(1, expires=expires["targets"])), signers["targets"])
    snapshot = Snapshot(1, expires=expires["snapshot"])
    snapshot.meta = {"targets.json": MetaFile.from_data(1, targets, ["sha256"])}
    snapshot_bytes = metadata.sign(Metadata(snapshot), signers["snapshot"])
    timestamp = Timestamp(1, expires=expires["timestamp"])
    timestamp.snapshot_meta = MetaFile.from_data(1, snapshot_bytes, ["sha256"])
    return {
        "1.root.json": root_bytes,
        "1.targets.json": targets,
        "1.snapshot.json": snapshot_bytes,
        "timestamp.json": metadata.sign(Metadata(timestamp), signers["timestamp"]),
    }
