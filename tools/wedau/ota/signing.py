"""Which keys sign what: as many keys of a role as root asks for, and no more."""

from typing import Any

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Root

from wedau.errors import OtaError
from wedau.ota import metadata
from wedau.ota.keys import KEY_ENV, Keys
from wedau.ota.repository import Sign


def at_hand(keys: Keys, root: Root, role: str) -> list[CryptoSigner]:
    """Return signers that suffice for a role, or none; a node checks every signature, so no more.

    Raises:
        OtaError: a key's file is damaged, or the passphrase is missing or wrong.
    """
    wanted = root.roles[role]
    found = keys.signers(role, wanted.keyids)[: wanted.threshold]
    return found if len(found) == wanted.threshold else []


def need(keys: Keys, root: Root, role: str) -> list[CryptoSigner]:
    """Return signers that suffice for a role.

    Raises:
        OtaError: too few are at hand; or as for at_hand().
    """
    found = at_hand(keys, root, role)
    if not found:
        count = root.roles[role].threshold
        raise OtaError(
            f"{count} key{'s' * (count > 1)} of {role} must sign, and not as many are at hand",
            f"put them into {keys.folder} as {role}*.pem, give --key FILE, or set "
            f"{KEY_ENV}{role.upper()}",
        )
    return found


def by(keys: Keys, root: Root) -> Sign:
    """Return what signs a role's metadata with the keys at hand; it raises as need() does."""

    def sign(role: str, unsigned: Metadata[Any]) -> bytes:
        return metadata.sign(unsigned, need(keys, root, role))

    return sign
