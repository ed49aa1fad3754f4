"""The private keys of a repository: Ed25519 in PEM files, encrypted, or from the environment.

A key's file begins with the name of its role: ``root.pem``, ``targets-2.pem``. Which keys count
for a role is what root.json says; files of other keys are passed over.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner

from wedau.errors import OtaError
from wedau.ota import files

PASSPHRASE_ENV = "WEDAU_OTA_PASSPHRASE"
KEY_ENV = "WEDAU_OTA_KEY_"  # and the role in capitals: the text of a PEM file
RETIRED = "retired"

_LARGEST_PEM = 16 * 1024
_CHECK = "give a key that 'wedau ota init' or 'wedau ota rotate' made"

# Called when the first encrypted key is met, with what it is; None: there is no passphrase.
AskPassphrase = Callable[[str], str | None]


class Keys:
    """Private keys at hand: files in a folder, the environment, files given.

    Args:
        folder: with the files; may be missing.
        environment: of the process.
        ask: for the passphrase, at most once; the same for all keys.
        given: more files.
    """

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        ask: AskPassphrase,
        given: Sequence[Path] = (),
    ) -> None:
        self.folder = folder
        self._environment = environment
        self._ask = ask
        self._given = tuple(given)
        self._asked: str | None = None
        self._read: dict[str, CryptoSigner] = {}

    def signers(self, role: str, key_ids: Sequence[str]) -> list[CryptoSigner]:
        """Return the signers for a role that are at hand, in the order of the key ids.

        Args:
            role: root, targets, snapshot or timestamp.
            key_ids: the keys that count.

        Raises:
            OtaError: a key's file is damaged, or the passphrase is missing or wrong.
        """
        found: dict[str, CryptoSigner] = {}
        for where, pem in self._places(role):
            signer = self._read.get(where) or self._load(pem, where)
            self._read[where] = signer
            found[signer.public_key.keyid] = signer
        return [found[key_id] for key_id in key_ids if key_id in found]

    def add(self, role: str, passphrase: str | None, folder: Path | None = None) -> CryptoSigner:
        """Make a key and keep it in a file of its own, beside those that are there.

        Args:
            role: it is for.
            passphrase: None: the file is not encrypted.
            folder: another one than that of the keys.
        """
        signer = CryptoSigner.generate_ed25519()
        path = _free_name(folder or self.folder, role)
        pem = signer.private_bytes
        files.write(path, _encrypted(pem, passphrase) if passphrase else pem, secret=True)
        self._read[str(path)] = signer
        return signer

    def retire(self, role: str, key_ids: Sequence[str]) -> None:
        """Put the files of a role's keys that count no more aside, into retired/."""
        for path in sorted(self.folder.glob(f"{role}*.pem")):
            signer = self._read.get(str(path))
            if signer is not None and signer.public_key.keyid not in key_ids:
                aside = self.folder / RETIRED / f"{role}-{signer.public_key.keyid[:8]}.pem"
                with contextlib.suppress(OSError):
                    aside.parent.mkdir(exist_ok=True)
                    path.replace(aside)

    def _places(self, role: str) -> Iterator[tuple[str, bytes]]:
        text = self._environment.get(KEY_ENV + role.upper())
        if text:
            yield KEY_ENV + role.upper(), text.encode("utf-8")
        for path in (*self._given, *sorted(self.folder.glob(f"{role}*.pem"))):
            yield str(path), files.read(path, _LARGEST_PEM, "check the path of the key")

    def passphrase(self, what: str) -> str | None:
        """Ask for the passphrase, unless that was done before."""
        if self._asked is None:
            self._asked = self._ask(what)
        return self._asked

    def given_signers(self) -> list[CryptoSigner]:
        """Return the signers of the files that were given, whatever their role.

        Raises:
            OtaError: as for signers().
        """
        return [self._load(files.read(p, _LARGEST_PEM, _CHECK), str(p)) for p in self._given]

    def are_encrypted(self) -> bool:
        """Whether one of the files in the folder needs the passphrase."""
        return any(b"ENCRYPTED" in pem for pem in self._pems())

    def are_open(self) -> bool:
        """Whether there are files in the folder, and none needs a passphrase."""
        return bool(self._pems()) and not self.are_encrypted()

    def _pems(self) -> list[bytes]:
        paths = sorted(self.folder.glob("*.pem"))
        return [files.read(path, _LARGEST_PEM, _CHECK) for path in paths]

    def _load(self, pem: bytes, where: str) -> CryptoSigner:
        secret = None
        if b"ENCRYPTED" in pem:
            secret = self.passphrase(where)
            if not secret:
                raise OtaError(
                    f"{where} is encrypted, and there is no passphrase",
                    f"set {PASSPHRASE_ENV}, or run it at a terminal",
                )
        try:
            key = serialization.load_pem_private_key(pem, secret.encode() if secret else None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            if secret:
                raise OtaError(
                    f"the passphrase does not open {where}",
                    "type it again; if it is right, the file is damaged: use your copy of it",
                ) from None
            raise OtaError(f"{where} is no private key", _CHECK) from None
        if not isinstance(key, Ed25519PrivateKey):
            raise OtaError(f"{where} is a key of another kind than Ed25519", _CHECK)
        return CryptoSigner(key)


def _encrypted(pem: bytes, passphrase: str) -> bytes:
    key = serialization.load_pem_private_key(pem, None)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase.encode("utf-8")),
    )


def _free_name(folder: Path, role: str) -> Path:
    path, number = folder / f"{role}.pem", 2
    while path.exists():
        path, number = folder / f"{role}-{number}.pem", number + 1
    return path
