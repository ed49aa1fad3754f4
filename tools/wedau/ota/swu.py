"""Files for fleet servers: a payload with all that a node needs to trust it, as one archive.

A cpio archive (newc) whose first entry is sw-description, for the server; then the metadata files
of the repository, for the node: the roots after the first one, timestamp, snapshot, targets; last
the payload, named by its target's path.

Source: https://sbabic.github.io/swupdate/swupdate.html ("Single image delivery") and
sw-description.html there; what goosebit reads is in its goosebit/updates/swdesc/swu.py.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wedau.errors import OtaError
from wedau.ota import cpio

DESCRIPTION = "sw-description"

# What a server calls a node that does not say what board it is
ANY_BOARD = "default"
REVISION = "default"

_VERSION = re.compile(r"(\d{1,5})(?:\.(\d{1,5}))?(?:\.(\d{1,5}))?(?![\d.])")
_BOARD = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


@dataclass(frozen=True)
class Swu:
    """What is in such a file.

    Attributes:
        description: the text of sw-description.
        metadata: content by file name, in the order in which a node takes them.
        path: the target's.
        payload: its bytes.
    """

    description: str
    metadata: dict[str, bytes]
    path: str
    payload: bytes


def write(
    path: str,
    custom: Mapping[str, Any],
    payload: bytes,
    sha256: str,
    metadata: Mapping[str, bytes],
    boards: Sequence[str],
) -> bytes:
    """Return a .swu file.

    Args:
        path: of the target.
        custom: its signed fields.
        payload: its bytes.
        sha256: their hash.
        metadata: content by file name: roots, timestamp, snapshot, targets.
        boards: which nodes a server may offer it to; ANY_BOARD for those that do not say.
    """
    text = description(path, custom, sha256, boards)
    return cpio.pack([(DESCRIPTION, text.encode("ascii")), *metadata.items(), (path, payload)])


def read(data: bytes) -> Swu:
    """Read a .swu file; nothing is verified.

    Raises:
        OtaError: it is none.
    """
    entries = cpio.unpack(data)
    if len(entries) < 2 or entries[0][0] != DESCRIPTION:
        raise OtaError(f"it is no .swu file: {DESCRIPTION} is not first", "make it again")
    (_, text), *middle, (path, payload) = entries
    return Swu(text.decode("ascii", "replace"), dict(middle), path, payload)


def version(custom: Mapping[str, Any]) -> str:
    """Return a version that a server can order and that no other release has: 1.2.0+saw.7.

    A server takes numbers with dots and what Semantic Versioning calls build metadata. Of a version
    that does not begin so, 0.0.SERIAL is made.
    """
    serial, text = custom["serial"], custom["version"]
    found = _VERSION.match(text)
    numbers = [int(part or 0) for part in found.groups()] if found else [0, 0, serial]
    name = re.sub(r"[^0-9A-Za-z-]", "-", custom["name"])
    return f"{'.'.join(map(str, numbers))}+{custom['kind']}.{name}.{serial}"


def description(path: str, custom: Mapping[str, Any], sha256: str, boards: Sequence[str]) -> str:
    """Return the text of sw-description, in libconfig's form."""
    known = [board for board in boards if board != ANY_BOARD and _BOARD.fullmatch(board)]
    lines = [
        "software =",
        "{",
        f'    version = "{version(custom)}";',
        f'    description = "{custom["name"]} {custom["version"]}, {custom["feed"]}";',
    ]
    if ANY_BOARD in boards:
        lines.append(f'    hardware-compatibility: [ "{REVISION}" ];')
    lines += [f'    {board}: {{ hardware-compatibility: [ "{REVISION}" ]; }};' for board in known]
    lines += [
        "    files: (",
        f'        {{ filename = "{path}"; path = "/{path}"; sha256 = "{sha256}"; }}',
        "    );",
        "}",
    ]
    return "\n".join([*lines, ""])
