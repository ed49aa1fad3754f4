"""wedau ota init"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from wedau.cli import ota_common
from wedau.cli.console import print_line, print_rows, say


def init(
    folder: Annotated[Path, typer.Argument(help="New folder.", show_default=False)],
    url: Annotated[
        str, typer.Option(help="Where nodes will find it, such as https://example.com/updates.")
    ] = "",
    no_passphrase: ota_common.NoPassphrase = False,
    root_key_out: Annotated[
        Path | None, typer.Option(help="Folder for the keys of root, such as a USB stick.")
    ] = None,
    root_keys: Annotated[int, typer.Option(help="How many keys root has, 1 to 9.")] = 1,
    root_threshold: Annotated[int, typer.Option(help="How many of them sign a new root.")] = 1,
    timestamp_days: Annotated[
        int, typer.Option(help="Days after which nodes refuse what was not signed anew.")
    ] = 400,
) -> None:
    """Make keys and an empty repository of updates; says where each key should live."""
    from wedau.ota import creating

    days = {"timestamp": timestamp_days, "snapshot": max(timestamp_days, 400)}
    plan = creating.Plan(
        passphrase=ota_common.new_passphrase(no_passphrase),
        root_keys=root_keys,
        root_threshold=root_threshold,
        root_folder=root_key_out,
        days=days,
        node={"url": url},
    )
    creating.create(folder, plan, datetime.now(UTC))
    print_line(f"{folder} is a repository of updates, and its keys are these:")
    here, root = folder / "keys", root_key_out or folder / "keys"
    print_rows(
        [
            (f"{root}/root*.pem", "decides which keys count: move it to a USB stick in a drawer"),
            (f"{here}/targets.pem", "signs releases: with the person who releases"),
            (f"{here}/snapshot.pem", "vouches for what belongs together: where you publish"),
            (f"{here}/timestamp.pem", "vouches for what is newest: where you publish"),
        ]
    )
    say("keep copies of all four elsewhere: without root, nodes have to be provisioned by cable")
    if no_passphrase:
        say("the keys are not encrypted: whoever can read these files can update your nodes")
