"""Options that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """What a model is on the board."""

    NATIVE = "native"
    DATA = "data"


class Backend(StrEnum):
    """Who hands out the trials of a search."""

    JOBLIB = "joblib"
    DASK = "dask"


Json = Annotated[bool, typer.Option("--json", help="Print one JSON document to stdout.")]
Port = Annotated[
    str | None,
    typer.Option("--port", "-p", help="Serial port of the board; may be left out if it is alone."),
]
ModelFolder = Annotated[
    Path, typer.Argument(help="Folder that 'wedau train' made.", show_default=False)
]
Arch = Annotated[
    str,
    typer.Option(
        "--arch",
        help="xtensawin (ESP32-S3), armv6m, armv7m, armv7emsp, rv32imc or x64 (unix).",
    ),
]
Micropython = Annotated[
    Path | None,
    typer.Option("--micropython", help="Folder with MicroPython's source, instead of the pin."),
]
ReleaseKey = Annotated[
    Path | None,
    typer.Option(
        "--key",
        help="Public key (PEM) of the release's publisher, instead of those that Wedau trusts.",
    ),
]
