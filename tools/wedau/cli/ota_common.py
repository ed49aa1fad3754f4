"""What the commands of `wedau ota` share: options, and where keys and passphrases come from."""

import getpass
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wedau.errors import OtaError

if TYPE_CHECKING:
    from wedau.ota.keys import Keys

Repository = Annotated[
    Path, typer.Argument(help="Folder that 'wedau ota init' made.", show_default=False)
]
KeyFiles = Annotated[
    list[Path] | None,
    typer.Option("--key", help="Private key (PEM) besides those in the folder's keys/."),
]
NoPassphrase = Annotated[
    bool, typer.Option("--no-passphrase", help="Keep the new keys without a passphrase.")
]


def keys(folder: Path, given: Sequence[Path] | None) -> "Keys":
    """Return the private keys at hand; the passphrase is asked for once, when it is needed."""
    from wedau.ota import repository
    from wedau.ota.keys import Keys

    return Keys(folder / repository.KEYS, os.environ, _ask, given or ())


def _ask(what: str) -> str | None:
    """Take the passphrase from the environment, or ask on a terminal."""
    from wedau.ota.keys import PASSPHRASE_ENV

    given = os.environ.get(PASSPHRASE_ENV)
    if given or not sys.stdin.isatty():
        return given
    return getpass.getpass(f"Passphrase of {what}: ")


def new_passphrase(no_passphrase: bool) -> str | None:
    """Return the passphrase for new keys, typed twice; None if there is to be none.

    Raises:
        OtaError: none was typed, two different ones were, or there is no terminal to type at.
    """
    from wedau.ota.keys import PASSPHRASE_ENV

    if no_passphrase:
        return None
    given = os.environ.get(PASSPHRASE_ENV)
    if given:
        return given
    if not sys.stdin.isatty():
        raise OtaError(
            "new keys need a passphrase, and there is no terminal to ask for it",
            f"set {PASSPHRASE_ENV}, or give --no-passphrase if the disk itself is encrypted",
        )
    typed = getpass.getpass("Passphrase for the new keys, such as four random words: ")
    if not typed:
        raise OtaError("no passphrase was typed", "type one, or give --no-passphrase")
    if typed != getpass.getpass("The same again: "):
        raise OtaError("these were two different passphrases", "run it again")
    return typed
