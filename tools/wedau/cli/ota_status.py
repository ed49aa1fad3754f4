"""wedau ota status"""

from pathlib import Path
from typing import Annotated, Any

import typer

from wedau.cli import options, ota_fleet
from wedau.cli.console import print_json, print_rows, say


def status(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Repository whose own server is asked.", show_default=False),
    ] = None,
    fleet: Annotated[
        str | None, typer.Option("--fleet", help="Address of the fleet server.")
    ] = None,
    json: options.Json = False,
) -> None:
    """Show which node has what, and what happened to its last update."""
    client = ota_fleet.client(folder, fleet)
    nodes = [_node(each, client.log(each["id"])) for each in client.devices()]
    rollouts = [_rollout(each) for each in client.rollouts()]
    if json:
        print_json({"fleet": client.url, "nodes": nodes, "rollouts": rollouts})
        return
    print_rows([(each["id"], _words(each)) for each in nodes])
    print_rows([(each["name"], _numbers(each)) for each in rollouts])
    if not nodes:
        say("no node is known there: wedau ota provision FOLDER --fleet URL")


def _node(device: dict[str, Any], log: str) -> dict[str, Any]:
    """Return what matters of a node; its last report, by name."""
    said = dict(line.split(": ", 1) for line in log.splitlines() if ": " in line)
    return {
        "id": device["id"],
        "feed": device["feed"],
        "board": (device["hardware"] or {}).get("model"),
        "has": device["sw_version"],
        "state": device["last_state"].lower(),
        "seen_s": device["last_seen"],
        "said": said,
    }


def _rollout(rollout: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": rollout["name"],
        "feed": rollout["feed"],
        "file": rollout["software"]["name"],
        "paused": rollout["paused"],
        "succeeded": rollout["success_count"],
        "failed": rollout["failure_count"],
    }


def _words(node: dict[str, Any]) -> str:
    seen = "never seen" if node["seen_s"] is None else f"seen {node['seen_s']} s ago"
    said = node["said"]
    why = f" ({said['code']})" if said.get("code") else ""
    return f"{node['feed']}, {node['has'] or 'nothing yet'}, {node['state']}{why}, {seen}"


def _numbers(rollout: dict[str, Any]) -> str:
    paused = ", paused" if rollout["paused"] else ""
    return (
        f"{rollout['feed']}, {rollout['file']}{paused}: "
        f"{rollout['succeeded']} succeeded, {rollout['failed']} failed"
    )
