"""wedau release make-key|page|sign|check"""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wedau import __version__
from wedau.cli import options
from wedau.cli.console import bar, print_json, print_line, print_rows, say
from wedau.errors import ReleaseError

if TYPE_CHECKING:
    from wedau.device.release_index import Index

app = typer.Typer(help="Releases: firmwares and packages with a signed index.")

_PASSPHRASE_ENV = "WEDAU_RELEASE_PASSPHRASE"
_PRIVATE_ENV = "WEDAU_RELEASE_PRIVATE_KEY"

Folder = Annotated[
    Path,
    typer.Argument(
        help="The release: a folder with a firmware's folder for each board.", show_default=False
    ),
]


@app.command("make-key")
def make_key(
    file: Annotated[Path, typer.Argument(help="Private key to make; FILE.pub is made beside it.")],
) -> None:
    """Make a key to sign releases with; WEDAU_RELEASE_PASSPHRASE, or the prompt, encrypts it."""
    from wedau.device import release_keys

    passphrase = _passphrase("the new key", confirm=True)
    path, key = release_keys.make(file, passphrase)
    print_line(f"{path}: public key {release_keys.fingerprint(key)}, to give to everyone")
    say(f"{file} is the private key: keep it off the network, and a copy of it elsewhere")


@app.command("page")
def page(
    folder: Folder,
    tools: Annotated[
        Path,
        typer.Option("--tools", help="ESP Web Tools' folder as npm installs it."),
    ] = Path("build/npm/node_modules/esp-web-tools"),
    version: Annotated[str, typer.Option("--release", help="Version.")] = __version__,
) -> None:
    """Write the page that flashes the boards from the browser; 'make page' gets what it needs."""
    from wedau.cli import install_page

    ready = install_page.write(folder, tools, version)
    print_line(str(folder / install_page.PAGE))
    say(f"{len(ready)} boards can be installed from it: {', '.join(ready) or 'none'}")


@app.command("sign")
def sign(
    folder: Folder,
    key: Annotated[
        Path | None,
        typer.Option(
            "--key", help="Private key (PEM); else WEDAU_RELEASE_PRIVATE_KEY holds its text."
        ),
    ] = None,
    version: Annotated[str, typer.Option("--release", help="Version.")] = __version__,
    json: options.Json = False,
) -> None:
    """Write and sign the index of all that lies in a folder."""
    from wedau.device import release_keys, releases

    where = str(key) if key else _PRIVATE_ENV
    pem = release_keys.read_private(key) if key else os.environ.get(_PRIVATE_ENV, "").encode()
    if not pem:
        raise ReleaseError(
            "there is no private key to sign with",
            f"give --key FILE, or its text in {_PRIVATE_ENV}; 'wedau release make-key' makes one",
        )
    passphrase = _passphrase(where) if release_keys.is_encrypted(pem) else None
    private = release_keys.private(pem, passphrase, where)
    index = releases.sign(folder, version, private)
    signed_by = release_keys.fingerprint(private.public_key())
    _show(index, signed_by, json, f"signed, to be published as it is: {folder}")


@app.command("check")
def check(
    place: Annotated[
        str, typer.Argument(help="A release: its folder or https address.", show_default=False)
    ],
    key: options.ReleaseKey = None,
    json: options.Json = False,
) -> None:
    """Verify the signature of a release and every file in it."""
    from wedau.device import release_keys, releases

    release = releases.find(place, release_keys.trusted(key))
    with bar("verifying") as on_progress:
        releases.check(release, on_progress)
    _show(release.index, release.signed_by, json, "every file is as it was signed")


def _show(index: "Index", signed_by: str, json: bool, closing: str) -> None:
    size = sum(file.size for file in index.files)
    if json:
        print_json(
            {
                "release": index.release,
                "signed_by": signed_by,
                "boards": list(index.boards),
                "files": [vars(file) for file in index.files],
            }
        )
        return
    print_rows(
        [
            ("Release", index.release),
            ("Signed by", signed_by),
            ("Boards", ", ".join(index.boards) or "none"),
            ("Files", f"{len(index.files)}, {size:,} bytes"),
        ]
    )
    say(closing)


def _passphrase(what: str, *, confirm: bool = False) -> str:
    """Take the passphrase from the environment, or ask on a terminal; it is never printed."""
    given = os.environ.get(_PASSPHRASE_ENV)
    if not given and not sys.stdin.isatty():
        raise ReleaseError(
            f"{what} needs a passphrase, and there is no terminal to ask for it",
            f"set {_PASSPHRASE_ENV}",
        )
    question = f"Passphrase of {what}"
    return given or str(
        typer.prompt(question, hide_input=True, confirmation_prompt=confirm, err=True)
    )
