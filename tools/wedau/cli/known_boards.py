"""What the boards' definitions tell to those who look for a board at a port."""

import dataclasses

from serial.tools import list_ports

from wedau.build import boards
from wedau.device.chips import MB, Psram
from wedau.device.firmware import Firmware
from wedau.errors import UsageError


def usb_names() -> dict[tuple[int, int], str]:
    """Name the board, or boards, of each USB vendor and product that is a board's own."""
    found: dict[tuple[int, int], list[str]] = {}
    for name in boards.names():
        for number in _own_ids(name):
            found.setdefault(number, []).append(boards.load(name).title)
    return {number: " or ".join(titles) for number, titles in found.items()}


def at_ports(given: str | None = None) -> str:
    """Name the board that is plugged in, where its USB numbers are those of one board only.

    Args:
        given: look at this port only.

    Raises:
        UsageError: it cannot be told.
    """
    ports = [port for port in list_ports.comports() if given in (None, port.device)]
    numbers = {(port.vid, port.pid) for port in ports}
    found = [name for name in boards.names() if numbers & {*_own_ids(name)}]
    if len(found) == 1:
        return found[0]
    raise UsageError(
        f"it may be any of {', '.join(found)}"
        if found
        else "which board it is cannot be told from its USB numbers",
        "name it with --board; 'wedau boards' lists them",
    )


def complete(firmware: Firmware, name: str) -> Firmware:
    """Add what a board's definition tells and the firmware does not: USB numbers and PSRAM.

    Args:
        firmware: loaded.
        name: the board's; nothing is added where Wedau has no definition of it.

    Raises:
        BuildError: a definition cannot be read.
    """
    if name not in boards.names():
        return firmware
    board = boards.load(name)
    ids = firmware.usb_ids or tuple(_usb_id(text) for text in board.usb_ids)
    psram = firmware.psram or _psram(board)
    return dataclasses.replace(firmware, usb_ids=ids, psram=psram)


def by_machine(machine: str) -> str | None:
    """Name the board whose firmware says this of itself; None if Wedau has no definition of it.

    Args:
        machine: MicroPython's `sys.implementation._machine`: the board's name, "with", the chip's.
    """
    title = machine.split(" with ")[0]
    return next((name for name in boards.names() if boards.load(name).title == title), None)


def psram_bytes(name: str) -> int:
    """Return how much PSRAM a board has by its definition.

    Raises:
        BuildError: there is no such definition.
    """
    return _psram(boards.load(name)).size_bytes


def _own_ids(name: str) -> list[tuple[int, int]]:
    return [_usb_id(text) for text in boards.load(name).hardware["usb"]["ids"]]


def _psram(board: boards.Board) -> Psram:
    size_bytes = int(board.hardware["psram_mb"]) * MB
    kind = str(board.hardware["psram"]) if size_bytes else "none"
    return Psram(kind, size_bytes, Psram.exists_in_package(kind, size_bytes))


def _usb_id(text: str) -> tuple[int, int]:
    vendor, product = text.split(":")
    return int(vendor, 16), int(product, 16)
