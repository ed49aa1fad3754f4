"""wedau flash"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wedau.cli import options
from wedau.cli.console import bar, print_json, print_line, say

if TYPE_CHECKING:
    from wedau.device.firmware import Firmware
    from wedau.device.flashing import Flashed

_BUILT = Path("build/firmware")


def flash(
    board: Annotated[
        str,
        typer.Option("--board", "-b", help="Name of the board's definition.", show_default=False),
    ],
    image: Annotated[
        Path,
        typer.Option(
            "--image",
            help="Folder that 'wedau firmware build' made, or a merged .bin file for offset 0.",
        ),
    ] = _BUILT,
    port: options.Port = None,
    erase: Annotated[
        bool,
        typer.Option("--erase", help="Erase the whole flash first, the user's files included."),
    ] = False,
    json: options.Json = False,
) -> None:
    """Put a firmware onto a board; the files on it stay as they are."""
    from wedau.cli.known_boards import complete
    from wedau.device import finding, firmware, flashing

    loaded = complete(firmware.load(image, board), board)
    place = finding.find(loaded, port, lambda name: say(f"asking the chip at {name}"))
    say(f"flashing {place}: leave the cable in")
    with bar("flashing") as on_progress:
        done = flashing.flash(loaded, place, erase=erase, on_progress=on_progress)
    _show(done, loaded, place, json)


def _show(done: "Flashed", firmware: "Firmware", port: str, json: bool) -> None:
    if json:
        print_json(
            {
                "port": port,
                "board": firmware.board,
                "version": firmware.version,
                "chip": done.chip.name,
                "mac": done.chip.mac,
                "flash_bytes": done.chip.flash_bytes,
                "psram_kind": done.chip.psram.kind,
                "psram_bytes": done.chip.psram.size_bytes,
                "written_bytes": done.written_bytes,
                "erased": done.erased,
            }
        )
        return
    files = "the flash was erased before" if done.erased else "the files on it were left alone"
    print_line(
        f"{firmware.title} is on the board at {port}: {done.written_bytes:,} bytes written and "
        f"verified, {files}"
    )
