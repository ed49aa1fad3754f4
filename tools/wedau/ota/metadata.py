"""One metadata file: read and checked, signed and written, as compact ASCII JSON.

Source: The Update Framework Specification 1.0, by python-tuf.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from securesystemslib.signer import Signer
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Signed, Snapshot, Targets, Timestamp
from tuf.api.serialization import DeserializationError
from tuf.api.serialization.json import JSONSerializer

from wedau.errors import OtaError
from wedau.ota import files
from wedau.ota.fields import node

T = TypeVar("T", Root, Timestamp, Snapshot, Targets)

DAMAGED = "put the file back from your copy of the repository, or from where it is published"
_SPEC = "1"


def read(path: Path, kind: type[T]) -> tuple[Metadata[T], bytes]:
    """Read a metadata file and check its form, not its signatures.

    Raises:
        OtaError: it cannot be read, is larger than a node takes, is no such metadata, or is of
            another major version of the specification.
    """
    data = files.read(path, node.METADATA_BYTES[kind.type], DAMAGED)
    return parse(data, kind, str(path)), data


def parse(data: bytes, kind: type[T], where: str) -> Metadata[T]:
    """Parse metadata; `where` names it in an error. See read()."""
    try:
        found: Metadata[Any] = Metadata.from_bytes(data)
    except DeserializationError:
        spec = _spec_version(data)
        if spec is not None and spec.split(".")[0] != _SPEC:
            raise OtaError(
                f"{where} is of version {spec[:20]} of TUF's specification, Wedau reads {_SPEC}",
                "update Wedau: pip install -U wedau",
            ) from None
        raise OtaError(f"{where} is damaged: it is no TUF metadata", DAMAGED) from None
    if not isinstance(found.signed, kind):
        raise OtaError(f"{where} is damaged: it holds {found.signed.type}", DAMAGED)
    return found


def _spec_version(data: bytes) -> str | None:
    try:
        return str(json.loads(data)["signed"]["spec_version"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def verify(root: Root, metadata: Metadata[T], where: str) -> None:
    """Check that enough of the keys which root names have signed.

    Raises:
        OtaError: too few have.
    """
    if not is_signed(root, metadata):
        role = root.roles[metadata.signed.type]
        raise OtaError(
            f"{where} is not signed by {_keys(role.threshold)} of {metadata.signed.type}", DAMAGED
        )


def is_signed(root: Root, metadata: Metadata[T]) -> bool:
    """Whether enough of the keys which root names have signed."""
    try:
        root.verify_delegate(metadata.signed.type, metadata.signed_bytes, metadata.signatures)
    except (RepositoryError, ValueError):
        return False
    return True


def sign(metadata: Metadata[T], signers: Iterable[Signer]) -> bytes:
    """Sign anew and return the file's bytes.

    Raises:
        OtaError: it is larger than a node takes, or a text in it is not plain ASCII.
    """
    metadata.signatures.clear()
    for signer in signers:
        metadata.sign(signer, append=True)
    return to_bytes(metadata)


def to_bytes(metadata: Metadata[T]) -> bytes:
    """Return the file's bytes; see sign().

    What a node verifies are the bytes behind ``"signed":``, so they have to be those that were
    signed: the canonical form and the compact one are the same for printable ASCII.
    """
    data = metadata.to_bytes(JSONSerializer(compact=True))
    role, limit = metadata.signed.type, node.METADATA_BYTES[metadata.signed.type]
    if metadata.signed_bytes not in data:
        raise OtaError(
            f"{role}.json would hold text that is not plain ASCII", "use plain letters in names"
        )
    if len(data) > limit:
        raise OtaError(
            f"{role}.json would have {len(data)} bytes, a node takes at most {limit}",
            "release into a repository of its own what other nodes need",
        )
    return data


def is_expired(signed: Signed, now: datetime) -> bool:
    """Whether nodes refuse it at this time, for its age alone."""
    return signed.is_expired(now)


def _keys(count: int) -> str:
    return "a key" if count == 1 else f"{count} keys"
