"""Bring signed releases to a fleet server: a file for each, offered to the nodes of its feed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from wedau.ota import publishing, swu
from wedau.ota.fields import node
from wedau.ota.fleet_client import FleetClient, sha1
from wedau.ota.publishing import Archive

_FAILED = "Error"
# A server offers a node only the newest of what is for it: what matters most comes last.
_ORDER = (node.MODEL, node.APP, node.FIRMWARE)


@dataclass(frozen=True)
class RolledOut:
    """What publish() did.

    Attributes:
        uploaded: names of files that are offered now, in the order of their rollouts.
        kept: names of those that were offered before.
        hidden: of uploaded, those that another one for the same nodes came after: a server offers
            only the newest.
        retried: nodes whose last update failed and that get the new one all the same.
    """

    uploaded: tuple[str, ...]
    kept: tuple[str, ...]
    hidden: tuple[str, ...]
    retried: tuple[str, ...]


def publish(
    folder: Path,
    client: FleetClient,
    boards: Mapping[str, Sequence[str]],
    now: datetime,
    *,
    feed: str | None = None,
    again: bool = False,
) -> RolledOut:
    """Upload what is new, and offer it to the nodes of its feed.

    Args:
        folder: of the repository.
        client: of the server.
        boards: the boards by architecture of native code.
        now: the time.
        feed: only this one; None: each.
        again: also what is there already, whose signatures were renewed since.

    Raises:
        OtaError: something has expired or is damaged, or the server refuses.
    """
    archives = [
        each
        for each in publishing.archives(folder, boards, now)
        if feed is None or each.custom["feed"] == feed
    ]
    archives.sort(key=lambda each: (_ORDER.index(each.custom["kind"]), each.custom["serial"]))
    there = _there(client)
    new = [each for each in archives if again or _key(each) not in there]
    kept = [each.name for each in archives if each not in new]
    uploaded = []
    for each in new:
        old = there.get(_key(each))
        if old is not None and old["hash"] == sha1(each.data):
            kept.append(each.name)
            continue
        _offer(client, each, old)
        uploaded.append(each)
    hidden = [a.name for i, a in enumerate(uploaded) if _is_hidden(a, uploaded[i + 1 :])]
    retried = _retry(client, {each.custom["feed"] for each in uploaded})
    return RolledOut(tuple(a.name for a in uploaded), tuple(kept), tuple(hidden), retried)


def _there(client: FleetClient) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the files that the server has, by name and version."""
    return {(each["name"], each["version"]): each for each in client.software()}


def _key(archive: Archive) -> tuple[str, str]:
    return archive.name, swu.version(archive.custom)


def _offer(client: FleetClient, archive: Archive, old: Mapping[str, Any] | None) -> None:
    if old is not None:
        client.withdraw(old["id"])
    number = client.upload(archive.name, archive.data)
    custom = archive.custom
    client.roll_out(f"{custom['name']} {custom['version']}", custom["feed"], number)


def _is_hidden(archive: Archive, later: Sequence[Archive]) -> bool:
    """Return whether nodes that could take it are offered another one instead."""
    custom = archive.custom
    for other in later:
        theirs = other.custom
        arch, arch_of_other = custom.get("arch"), theirs.get("arch")
        board, board_of_other = custom.get("board"), theirs.get("board")
        same_board = None in (board, board_of_other) or board == board_of_other
        same_arch = None in (arch, arch_of_other) or arch == arch_of_other
        if custom["feed"] == theirs["feed"] and same_board and same_arch:
            return True
    return False


def _retry(client: FleetClient, feeds: set[str]) -> tuple[str, ...]:
    """Let nodes have what is new although their last update failed."""
    failed = [
        each["id"]
        for each in client.devices()
        if each["feed"] in feeds and each["last_state"] == _FAILED
    ]
    if failed:
        client.force(failed)
    return tuple(failed)
