"""wedau ota provision"""

from typing import Annotated, Any

import typer

from wedau.cli import options, ota_common
from wedau.cli.console import bar, print_json, print_line, print_rows, say

_TOKEN_ENV = "WEDAU_OTA_TOKEN"


def provision(
    folder: ota_common.Repository,
    port: options.Port = None,
    id: Annotated[
        str | None, typer.Option("--id", help="Name of the node; default: its own number.")
    ] = None,
    url: Annotated[str | None, typer.Option(help="Where it finds updates.")] = None,
    carrier: Annotated[
        str | None, typer.Option(help="static (web server) or ddi (fleet server).")
    ] = None,
    feed: Annotated[str | None, typer.Option(help="Which releases are for it.")] = None,
    token: Annotated[
        str | None,
        typer.Option(envvar=_TOKEN_ENV, help="What it tells a fleet server to be let in."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Also if it trusts another repository so far.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Put the trust in a repository, and the settings, onto a board over USB; once."""
    from wedau.cli import provisioning
    from wedau.cli.workbench import choose_port
    from wedau.device import link
    from wedau.ota import repository

    state = repository.load(folder)
    given: dict[str, Any] = {"id": id, "url": url, "carrier": carrier, "feed": feed, "token": token}
    given = {name: value for name, value in given.items() if value is not None}
    with link.Board(choose_port(port)) as board, bar("provisioning") as on_progress:
        done = provisioning.provision(board, state, given, replace, on_progress)
        where = board.port
    if json:
        shown = {**done.settings, "token": "set" if done.settings["token"] else ""}
        print_json({"port": where, "root_version": done.root_version, "settings": shown})
        return
    print_line(f"the node {done.settings['id']} at {where} trusts {folder} now")
    print_rows([(name, str(done.settings[name])) for name in ("carrier", "url", "feed")])
    if not done.settings["url"]:
        say("it does not know where to look for updates: give --url")
