"""wedau flash"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wedau.cli import options
from wedau.cli.console import bar, print_json, print_line, say
from wedau.errors import UsageError

if TYPE_CHECKING:
    from wedau.device.firmware import Firmware
    from wedau.device.flashing import Flashed

_BUILT = "build/firmware"


def flash(
    board: Annotated[
        str | None,
        typer.Option(
            "--board",
            "-b",
            help="Name of the board's definition; may be left out if its USB numbers tell.",
        ),
    ] = None,
    image: Annotated[
        str,
        typer.Option(
            "--image",
            help="Folder that 'wedau firmware build' made, merged .bin file for offset 0, "
            "or a release: its folder or https address.",
        ),
    ] = _BUILT,
    key: options.ReleaseKey = None,
    port: options.Port = None,
    erase: Annotated[
        bool,
        typer.Option("--erase", help="Erase the whole flash first, the user's files included."),
    ] = False,
    json: options.Json = False,
) -> None:
    """Put a firmware onto a board; the files on it stay as they are."""
    from wedau.cli.known_boards import at_ports, complete
    from wedau.device import finding, firmware, flashing

    board = board or at_ports(port)
    loaded = complete(firmware.load(_local(image, board, key), board), board)
    place = finding.find(loaded, port, lambda name: say(f"asking the chip at {name}"))
    say(f"flashing {place}: leave the cable in")
    with bar("flashing") as on_progress:
        done = flashing.flash(loaded, place, erase=erase, on_progress=on_progress)
    _show(done, loaded, place, json)


def _local(image: str, board: str, key: Path | None) -> Path:
    """Return where the firmware lies on this machine; that of a release is fetched and verified."""
    from wedau.device import release_keys, releases
    from wedau.paths import cache_dir

    if not releases.is_release(image):
        if key is not None:
            raise UsageError(
                f"{image} is no release: it has no signed index.json for --key to check",
                "leave out --key to flash what was built here, or give the release's folder",
            )
        return Path(image)
    release = releases.find(image, release_keys.trusted(key))
    say(f"release {release.index.release}, signed by {release.signed_by}")
    with bar("fetching") as on_progress:
        return releases.fetch(release, board, cache_dir("releases"), on_progress)


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
