"""What a repository holds, and until when."""

from datetime import datetime
from typing import Any

from wedau.ota.fields import node
from wedau.ota.repository import PENDING_ROOT, State


def document(state: State, now: datetime) -> dict[str, Any]:
    """Return what is in a repository as JSON's types; nothing secret is in it."""
    return {
        "folder": str(state.folder),
        "waits": state.waits,
        "root_pending": (state.folder / PENDING_ROOT).exists(),
        "roles": {role: _role(state, role, now) for role in node.ROLES},
        "targets": [
            {"path": path, "length": target.length, "sha256": target.hashes["sha256"]}
            | {field: value for field, value in target.custom.items() if field != "delta"}
            | {"deltas": len(target.custom.get("delta", []))}
            for path, target in state.newest.signed.targets.items()
            if target.custom["kind"] != node.PATCH
        ],
    }


def _role(state: State, role: str, now: datetime) -> dict[str, Any]:
    signed, keys = getattr(state, role).signed, state.root.signed.roles[role]
    return {
        "version": signed.version,
        "expires": f"{signed.expires:%Y-%m-%dT%H:%M:%SZ}",
        "days_left": (signed.expires - now).days,
        "threshold": keys.threshold,
        "keys": list(keys.keyids),
        "outdated": role in state.outdated,
    }
