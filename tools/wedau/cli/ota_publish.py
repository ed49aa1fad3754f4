"""wedau ota publish"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from wedau.cli import options, ota_common
from wedau.cli.console import print_json, print_line, say
from wedau.errors import UsageError

_FLEET = "fleet"


def publish(
    folder: ota_common.Repository,
    url: Annotated[
        str | None,
        typer.Argument(help="With --to fleet: the server; default: that of 'wedau ota serve'."),
    ] = None,
    to: Annotated[
        str,
        typer.Option(
            "--to", help="Folder that a web server serves, or: fleet.", show_default=False
        ),
    ] = "",
    feed: Annotated[
        str | None, typer.Option(help="With --to fleet: only what is for this feed.")
    ] = None,
    again: Annotated[
        bool,
        typer.Option("--again", help="With --to fleet: what is there, too, with new signatures."),
    ] = False,
    json: options.Json = False,
) -> None:
    """Copy what nodes may see to where they look for it; the private keys stay."""
    if to == _FLEET:
        _to_fleet(folder, url, feed, again, json)
        return
    if not to:
        raise UsageError("--to is missing", "give --to FOLDER, or: --to fleet URL")
    if "://" in to:
        raise UsageError(
            f"{to} is no folder", f"give the folder that the web server serves, or: --to fleet {to}"
        )
    if url or feed or again:
        raise UsageError("a folder takes all that is released", "leave the other options out")
    _to_folder(folder, Path(to), json)


def _to_fleet(folder: Path, url: str | None, feed: str | None, again: bool, json: bool) -> None:
    from wedau.cli import ota_fleet, ota_payloads
    from wedau.ota import rollout

    client = ota_fleet.client(folder, url)
    boards = ota_payloads.boards_by_arch()
    done = rollout.publish(folder, client, boards, datetime.now(UTC), feed=feed, again=again)
    if json:
        print_json({"fleet": client.url, **vars(done)})
        return
    for name in done.uploaded:
        print_line(f"{name} is offered to its feed")
    print_line(f"{len(done.uploaded)} files new, {len(done.kept)} as before")
    for name in done.hidden:
        say(f"{name} waits behind a newer file for the same nodes: publish one after the other")
    if done.retried:
        say(f"nodes whose last update failed try again: {', '.join(done.retried)}")


def _to_folder(folder: Path, to: Path, json: bool) -> None:
    from wedau.cli import ota_payloads
    from wedau.ota import publishing

    done = publishing.publish(folder, to, ota_payloads.boards_by_arch(), datetime.now(UTC))
    if json:
        print_json({**vars(done), "folder": str(done.folder)})
        return
    print_line(f"{to} has what nodes need: {len(done.written)} files new, {done.kept} as before")
    say("serve this folder as plain files; .swu files for fleet servers are in its swu/")
