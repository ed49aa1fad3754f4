"""wedau ota renew|rotate|sign-root"""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wedau.cli import options, ota_common
from wedau.cli.console import print_json, print_line, print_rows, say
from wedau.errors import UsageError

if TYPE_CHECKING:
    from wedau.ota.upkeep import Rotated


def renew(
    folder: ota_common.Repository,
    key: ota_common.KeyFiles = None,
    json: options.Json = False,
) -> None:
    """Sign anew before signatures expire: timestamp, and what has less than half its time left."""
    from wedau.ota import upkeep

    done = upkeep.renew(folder, ota_common.keys(folder, key), datetime.now(UTC))
    if json:
        expires = {role: f"{at:%Y-%m-%dT%H:%M:%SZ}" for role, at in done.expires.items()}
        print_json({**vars(done), "expires": expires})
        return
    marks = {role: ", signed now" if role in done.roles else "" for role in done.expires}
    print_rows([(r, f"until {at:%Y-%m-%d}{marks[r]}") for r, at in done.expires.items()])
    if done.due:
        say(f"half the time of {', '.join(done.due)} is over: renew it where its keys are")
    say(f"next: wedau ota publish {folder} --to WEB_FOLDER")


def rotate(
    role: Annotated[
        str,
        typer.Argument(help="root, targets, snapshot or timestamp.", show_default=False),
    ],
    folder: ota_common.Repository,
    replace: Annotated[
        str | None, typer.Option(help="Replace only the key whose id begins so.")
    ] = None,
    key: ota_common.KeyFiles = None,
    key_out: Annotated[
        Path | None, typer.Option(help="Folder for the new keys, such as a USB stick.")
    ] = None,
    no_passphrase: ota_common.NoPassphrase = False,
    json: options.Json = False,
) -> None:
    """Replace the keys of a role in a new root, which the keys of root sign; nodes follow."""
    from wedau.ota import upkeep
    from wedau.ota.fields import node

    if role not in node.ROLES:
        raise UsageError(f"there is no role {role!r}", f"give one of {', '.join(node.ROLES)}")
    keys = ota_common.keys(folder, key)
    encrypts = keys.are_encrypted() and not no_passphrase
    passphrase = keys.passphrase("the keys") if encrypts else None
    if not passphrase and not keys.are_open():
        passphrase = ota_common.new_passphrase(no_passphrase)
    done = upkeep.rotate(folder, role, keys, datetime.now(UTC), passphrase, replace, key_out)
    _show(done, folder, json)


def sign_root(
    what: Annotated[
        Path,
        typer.Argument(
            help="The repository, or a copy of its pending.root.json.", show_default=False
        ),
    ],
    key: ota_common.KeyFiles = None,
    json: options.Json = False,
) -> None:
    """Sign a new root where a key of root is kept; with enough signatures nodes see it."""
    from wedau.ota import upkeep

    if what.is_dir():
        keys = ota_common.keys(what, key)
        _show(upkeep.sign_root(what, keys, datetime.now(UTC)), what, json)
        return
    if not key:
        raise UsageError("there is no key to sign with", "give --key FILE")
    signers = ota_common.keys(Path("keys"), key).given_signers()
    root = upkeep.sign_file(what, signers)
    if json:
        print_json({"version": root.signed.version, "signatures": len(root.signatures)})
        return
    print_line(f"{what} has {len(root.signatures)} signatures now")
    say("copy it back as pending.root.json, then: wedau ota sign-root FOLDER")


def _show(done: "Rotated", folder: Path, json: bool) -> None:
    if json:
        print_json({**vars(done), "pending": str(done.pending) if done.pending else None})
        return
    if done.pending is None:
        print_line(f"version {done.version} of root is signed: nodes take it at their next update")
        say(f"next: wedau ota publish {folder} --to WEB_FOLDER")
        return
    print_line(f"version {done.version} of root waits in {done.pending} for more signatures")
    print_rows(
        [
            ("of the old keys", f"{done.signed[0]} of {done.needed[0]}"),
            ("of the new keys", f"{done.signed[1]} of {done.needed[1]}"),
        ]
    )
    say(f"sign it where the keys of root are: wedau ota sign-root {folder} --key FILE")
