"""The keys of releases: Ed25519, in PEM files that openssl reads, too."""

import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from wedau import files
from wedau.errors import ReleaseError

TRUSTED_ENV = "WEDAU_RELEASE_KEY"
SIGNATURE_BYTES = 64

_OURS = Path(__file__).with_name("release_keys.pem")
_BLOCK = re.compile(rb"-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----", re.DOTALL)
_LARGEST_PEM = 64 * 1024


def trusted(given: Path | None = None) -> tuple[Ed25519PublicKey, ...]:
    """Return the public keys whose releases are trusted.

    Those of the first of these that is there, and of no other: the file given, the file that
    ``WEDAU_RELEASE_KEY`` names, the keys that come with Wedau.

    Args:
        given: a file with one PEM public key or several.

    Raises:
        ReleaseError: the file cannot be read or holds no such key, or there are no keys.
    """
    named = given or (Path(os.environ[TRUSTED_ENV]) if os.environ.get(TRUSTED_ENV) else None)
    path = named or _OURS
    keys = tuple(_public(block, path) for block in _BLOCK.findall(_read(path)))
    if not keys and named is None:
        raise ReleaseError(
            "no key is trusted yet: this Wedau comes without one",
            f"give the publisher's public key with --key FILE, or name the file in {TRUSTED_ENV}",
        )
    if not keys:
        raise ReleaseError(
            f"{path} holds no public key",
            "give the .pub file that 'wedau release make-key' made beside the private key",
        )
    return keys


def verify(data: bytes, signature: bytes, keys: Iterable[Ed25519PublicKey]) -> str | None:
    """Return the fingerprint of the key that signed the data, or None if none of them did.

    Source: RFC 8032, Ed25519, over the bytes as they are.
    """
    for key in keys:
        try:
            key.verify(signature, data)
        except InvalidSignature:
            continue
        return fingerprint(key)
    return None


def fingerprint(key: Ed25519PublicKey) -> str:
    """Return 16 hexadecimal digits by which people compare keys: SHA-256 of the raw 32 bytes."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def make(path: Path, passphrase: str) -> tuple[Path, Ed25519PublicKey]:
    """Make a key pair: the private key, encrypted, for its owner's eyes, and beside it NAME.pub.

    Args:
        path: of the private key.
        passphrase: of at least one character.

    Returns:
        The path of the public key, and that key.

    Raises:
        ReleaseError: one of the files is there already, none is overwritten; or it cannot be
            written, and then neither is there.
    """
    key = Ed25519PrivateKey.generate()
    public = path.with_name(path.name + ".pub")
    for each in (path, public):
        if each.exists():
            raise ReleaseError(f"{each} is there already", "choose another name: keys are kept")
    encryption = serialization.BestAvailableEncryption(passphrase.encode("utf-8"))
    kind, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    public_form = serialization.PublicFormat.SubjectPublicKeyInfo
    _write_new(path, key.private_bytes(kind, form, encryption), 0o600)
    try:
        _write_new(public, key.public_key().public_bytes(kind, public_form), 0o666)
    except ReleaseError:
        path.unlink()
        raise
    return public, key.public_key()


def _write_new(path: Path, data: bytes, mode: int) -> None:
    """Write a file that is not there yet, whole or not at all."""
    made = False
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            made = True
            file.write(data)
    except OSError as error:
        if made:
            path.unlink()
        raise ReleaseError(
            f"the key {path} cannot be written: {error.strerror}",
            "check the folder, its permissions and the free space",
        ) from None


def read_private(path: Path) -> bytes:
    """Return the bytes of a private key's file.

    Raises:
        ReleaseError: it cannot be read.
    """
    return _read(path)


def is_encrypted(pem: bytes) -> bool:
    """Whether a private key needs a passphrase."""
    return b"ENCRYPTED" in pem


def private(pem: bytes, passphrase: str | None, where: str) -> Ed25519PrivateKey:
    """Return a private key.

    Args:
        pem: as make() wrote it.
        passphrase: None for a key that is not encrypted.
        where: where it comes from, for messages.

    Raises:
        ReleaseError: the passphrase is wrong, or it is no such key.
    """
    secret = passphrase.encode("utf-8") if passphrase is not None else None
    try:
        key = serialization.load_pem_private_key(pem, secret if is_encrypted(pem) else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        reason = "the passphrase is wrong, or it" if is_encrypted(pem) else "it"
        raise ReleaseError(
            f"{where} cannot be used: {reason} is no private key",
            "'wedau release make-key' makes one",
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ReleaseError(
            f"{where} is a key of another kind than Ed25519", "'wedau release make-key' makes one"
        )
    return key


def _public(block: bytes, path: Path) -> Ed25519PublicKey:
    try:
        key = serialization.load_pem_public_key(block)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise ReleaseError(
            f"{path} holds a key that is no Ed25519 public key",
            "give the .pub file that 'wedau release make-key' made beside the private key",
        )
    return key


def _read(path: Path) -> bytes:
    try:
        return files.read(path, _LARGEST_PEM, ReleaseError, "give a PEM file")
    except OSError as error:
        raise ReleaseError(
            f"the key {path} cannot be read: {error.strerror}", "check the name of the file"
        ) from None
