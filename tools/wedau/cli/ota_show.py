"""wedau ota show"""

from datetime import UTC, datetime
from typing import Any

from wedau.cli import options, ota_common
from wedau.cli.console import print_json, print_rows, say

_SOON_DAYS = 60


def show(folder: ota_common.Repository, json: options.Json = False) -> None:
    """Verify a repository; show what is released, and when which signature expires."""
    from wedau.ota import repository, status

    document = status.document(repository.load(folder), datetime.now(UTC))
    if json:
        print_json(document)
        return
    print_rows([(target["path"], _target(target)) for target in document["targets"]])
    print_rows([(role, _role(found)) for role, found in document["roles"].items()])
    for line in _advice(document):
        say(line)


def _target(target: dict[str, Any]) -> str:
    patches = f", {target['deltas']} patches" if target["deltas"] else ""
    return f"{target['version']}, {target['length']:,} bytes{patches}"


def _role(role: dict[str, Any]) -> str:
    keys = f"{role['threshold']} of {len(role['keys'])} keys"
    return f"version {role['version']}, until {role['expires'][:10]}, {keys}"


def _advice(document: dict[str, Any]) -> list[str]:
    folder = document["folder"]
    soon = [r for r, found in document["roles"].items() if found["days_left"] < _SOON_DAYS]
    lines = []
    if soon:
        lines.append(f"less than {_SOON_DAYS} days: {', '.join(soon)}; wedau ota renew {folder}")
    if document["waits"]:
        lines.append(f"a release waits for snapshot and timestamp: wedau ota renew {folder}")
    if document["root_pending"]:
        lines.append(f"a new root waits for signatures: wedau ota sign-root {folder} --key FILE")
    return lines
