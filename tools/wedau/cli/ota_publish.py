"""wedau ota publish"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from wedau.cli import options, ota_common
from wedau.cli.console import print_json, print_line, say
from wedau.errors import UsageError


def publish(
    folder: ota_common.Repository,
    to: Annotated[
        str, typer.Option("--to", help="Folder that a web server serves.", show_default=False)
    ],
    json: options.Json = False,
) -> None:
    """Copy what nodes may see to where they look for it; the private keys stay."""
    if "://" in to:
        raise UsageError(f"{to} is no folder", "give the folder that the web server serves")
    _to_folder(folder, Path(to), json)


def _to_folder(folder: Path, to: Path, json: bool) -> None:
    from wedau.cli import ota_payloads
    from wedau.ota import publishing

    done = publishing.publish(folder, to, ota_payloads.boards_by_arch(), datetime.now(UTC))
    if json:
        print_json({**vars(done), "folder": str(done.folder)})
        return
    print_line(f"{to} has what nodes need: {len(done.written)} files new, {done.kept} as before")
    say("serve this folder as plain files; .swu files for fleet servers are in its swu/")
