"""wedau ota provision"""

from pathlib import Path
from typing import Annotated, Any

import typer

from wedau.cli import options, ota_common, ota_fleet
from wedau.cli.console import bar, print_json, print_line, print_rows, say
from wedau.errors import DeviceError

_TOKEN_ENV = "WEDAU_OTA_TOKEN"
_FEED = "stable"


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
    board_name: Annotated[
        str | None,
        typer.Option("--board", help="What board it is; decides which firmware it gets."),
    ] = None,
    fleet: Annotated[
        str | None,
        typer.Option("--fleet", help="Address of a fleet server: it is told of the node."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Also if it trusts another repository so far.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Put the trust in a repository, and the settings, onto a board over USB; once."""
    from wedau.cli import ota_payloads, provisioning
    from wedau.cli.workbench import choose_port
    from wedau.device import link
    from wedau.ota import repository

    state = repository.load(folder)
    given: dict[str, Any] = {"id": id, "url": url, "carrier": carrier, "feed": feed, "token": token}
    if board_name is not None:
        given["board"] = ota_payloads.known_board(board_name)
    given = {name: value for name, value in given.items() if value is not None}
    with link.Board(choose_port(port)) as board, bar("provisioning") as on_progress:
        if fleet:
            given["id"] = given.get("id") or provisioning.node_id(board)
            given |= _registered(folder, fleet, given["id"], given.get("feed", _FEED))
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


def _registered(folder: Path, url: str, id: str, feed: str) -> dict[str, Any]:
    """Let a node in at a fleet server; return the settings that lead it there."""
    from wedau.ota import fleet

    if not id:
        raise DeviceError("the board has no number of its own", "give --id NAME")
    token = ota_fleet.client(folder, url).register(id, feed)
    settings = {"carrier": "ddi", "url": url, "tenant": fleet.TENANT}
    return {**settings, "feed": feed, "token": token}
