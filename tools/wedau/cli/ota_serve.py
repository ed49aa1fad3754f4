"""wedau ota serve"""

import json as json_format
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from wedau.cli import options, ota_common, ota_fleet
from wedau.cli.console import print_json, print_rows, say
from wedau.errors import OtaError

if TYPE_CHECKING:
    from wedau.ota.fleet import Server


def serve(
    folder: ota_common.Repository,
    host: Annotated[
        str, typer.Option(help="Address to listen at; 0.0.0.0: all of this machine's.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0: a free one.", min=0, max=65535)] = 60053,
    poll_s: Annotated[int, typer.Option(help="How often nodes are to ask, in seconds.")] = 600,
    json: options.Json = False,
) -> None:
    """Run a fleet server (goosebit on SQLite) for a repository, with its web page, until Ctrl-C."""
    from wedau.cli import ota_payloads
    from wedau.ota import files, fleet, repository

    repository.load(folder)
    where = fleet.prepare(folder, poll_s)
    say("starting goosebit; Ctrl-C ends it")
    with fleet.serve(where, host, port, ota_payloads.every_board()) as server:
        address = {"url": server.url}
        files.write(where / ota_fleet.ADDRESS, json_format.dumps(address).encode("ascii"))
        shown = {"url": server.url, "user": server.user, "password": f"in {where / fleet.ADMIN}"}
        if json:
            print_json(shown)
        else:
            print_rows(shown.items())
        _warn(host)
        sys.stdout.flush()
        if _was_interrupted(server):
            return
    raise OtaError("the fleet server has ended by itself", f"see {where / fleet.LOG}")


def _was_interrupted(server: "Server") -> bool:
    """Wait until somebody ends the server, or it ends by itself."""
    try:
        server.process.wait()
    except KeyboardInterrupt:
        say("the fleet server ends")
        return True
    return False


def _warn(host: str) -> None:
    if host not in ("127.0.0.1", "localhost", "::1"):
        say("what nodes and browsers say to it is not encrypted: put it behind a proxy with TLS")
