"""wedau ota release"""

from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wedau.cli import options, ota_common
from wedau.cli.console import print_json, print_line, say
from wedau.errors import UsageError

if TYPE_CHECKING:
    from wedau.ota.payloads import Payload
    from wedau.ota.releasing import MakePatch, Released


def release(
    folders: Annotated[
        list[Path],
        typer.Argument(
            metavar="[MODEL] FOLDER",
            help="Folder of a built model, unless --firmware or --app is given; the repository.",
            show_default=False,
        ),
    ],
    firmware: Annotated[
        Path | None, typer.Option(help="Release a firmware: the application's image, a .bin file.")
    ] = None,
    board: Annotated[str | None, typer.Option(help="With --firmware: the board it is for.")] = None,
    app: Annotated[
        Path | None, typer.Option(help="Release an application: a folder with its files.")
    ] = None,
    version: Annotated[
        str | None, typer.Option(help="Version of a firmware or an application, for people.")
    ] = None,
    to: Annotated[str, typer.Option("--to", help="Feed: which nodes are to get it.")] = "stable",
    delta: Annotated[
        bool, typer.Option("--delta", help="Sign patches from the last releases as well.")
    ] = False,
    key: ota_common.KeyFiles = None,
    json: options.Json = False,
) -> None:
    """Sign a model, a firmware or an application for the nodes of a feed."""
    from wedau.ota import releasing

    model, folder = _folders(folders, firmware, app)
    payloads = _payloads(model, firmware, board, app, version)
    keys = ota_common.keys(folder, key)
    patch = _make_patch() if delta else None
    done = releasing.release(folder, payloads, to, keys, datetime.now(UTC), patch)
    _show(done, folder, json)


def _folders(
    folders: list[Path], firmware: Path | None, app: Path | None
) -> tuple[Path | None, Path]:
    if firmware and app:
        raise UsageError("--firmware and --app were given both", "release one after the other")
    expected = 1 if firmware or app else 2
    if len(folders) != expected:
        raise UsageError(
            f"{expected} folder{'s' * (expected > 1)} expected, not {len(folders)}",
            "wedau ota release MODEL releases/, or: wedau ota release releases/ --firmware FILE",
        )
    return (folders[0] if expected > 1 else None), folders[-1]


def _payloads(
    model: Path | None,
    firmware: Path | None,
    board: str | None,
    app: Path | None,
    version: str | None,
) -> "list[Payload]":
    from wedau.cli import ota_payloads
    from wedau.ota import payloads

    if firmware:
        return [payloads.firmware(firmware, ota_payloads.known_board(board), version)]
    if board:
        raise UsageError("--board belongs to --firmware", "leave it out")
    if app:
        return [payloads.app(app, None, version)]
    if version:
        raise UsageError("a model has its version from its training", "leave --version out")
    assert model is not None
    return ota_payloads.of_model(model)


def _make_patch() -> "MakePatch":
    make: MakePatch = import_module("wedau.ota.delta").make
    return make


def _show(done: "list[Released]", folder: Path, json: bool) -> None:
    if json:
        print_json([vars(each) for each in done])
        return
    for each in done:
        what = f"{each.custom['name']} {each.custom['version']}"
        kept = "" if each.is_new else " (released before, left as it is)"
        print_line(f"{what} is signed as {each.path}: {each.length:,} bytes{kept}")
        for old, length in each.patches.items():
            print_line(f"  patch from {old[:12]}: {length:,} bytes")
    if any(each.waits for each in done):
        say(f"nodes see it after 'wedau ota renew {folder}' where the other keys are")
    else:
        say(f"next: wedau ota publish {folder} --to WEB_FOLDER")
