"""wedau devices"""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from wedau.cli import options
from wedau.cli.console import print_json, print_line, say
from wedau.errors import NoDeviceError

if TYPE_CHECKING:
    from wedau.device.survey import Device


def devices(
    port: Annotated[
        list[str] | None,
        typer.Option("--port", "-p", help="Look at this port only; repeatable."),
    ] = None,
    json: options.Json = False,
) -> None:
    """Show the boards at the ports: chip, flash, PSRAM, and what runs there; it is stopped."""
    from wedau.cli.known_boards import usb_names
    from wedau.cli.workbench import simulated_boards
    from wedau.device import ports, survey

    simulated = [ports.Port(b.port, f"simulated: {b.name}") for b in simulated_boards()]
    known = [*ports.candidates(usb_names()), *simulated]
    if port:
        named = {p.name: p for p in known}
        known = [named.get(name, ports.Port(name, "given")) for name in port]
    if not known and not json:
        say("no board found; plug one in, or start a simulated one with: wedau sim start")
    found = list(survey.survey(known))
    if json:
        print_json([_document(device) for device in found])
    else:
        for device in found:
            print_line(_line(device))
    if port and all(device.problem for device in found):
        raise typer.Exit(NoDeviceError.exit_code)


def _document(device: "Device") -> dict[str, Any]:
    psram = device.psram
    plain = {key: value for key, value in vars(device).items() if key != "psram"}
    return plain | {
        "psram_kind": psram.kind if psram else None,
        "psram_bytes": psram.size_bytes if psram else None,
    }


def _line(device: "Device") -> str:
    from wedau.device.chips import megabytes

    if device.problem:
        return f"{device.port}  {device.what}: {device.problem}"
    parts = [device.chip or "unknown chip"]
    if device.flash_bytes is not None:
        parts.append(f"{megabytes(device.flash_bytes)} of flash")
    if device.psram is not None:
        parts.append(str(device.psram))
    parts.append(device.runs or "no MicroPython answers")
    if device.board:
        parts.append(device.board)
    return f"{device.port}  {device.what}: {', '.join(parts)}"
