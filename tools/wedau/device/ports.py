"""The serial ports of this machine that may have a board, and which one to take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from serial.tools import list_ports

from wedau.errors import NoDeviceError, UsageError

_ESPRESSIF_VID = 0x303A

# USB vendor and product numbers of the UART bridges on ESP32 boards.
_BRIDGES = {
    (0x10C4, 0xEA60): "CP210x bridge",
    (0x10C4, 0xEA70): "CP210x bridge",
    (0x1A86, 0x7523): "CH340 bridge",
    (0x1A86, 0x55D3): "CH343 bridge",
    (0x1A86, 0x55D4): "CH9102 bridge",
    (0x0403, 0x6001): "FTDI bridge",
    (0x0403, 0x6010): "FTDI bridge",
    (0x0403, 0x6014): "FTDI bridge",
    (0x0403, 0x6015): "FTDI bridge",
    (0x067B, 0x2303): "PL2303 bridge",
}


@dataclass(frozen=True)
class Port:
    """A serial port that may have a board.

    Attributes:
        name: what to give as --port.
        what: what is behind it, for people.
    """

    name: str
    what: str


def candidates(known: Mapping[tuple[int, int], str] | None = None) -> list[Port]:
    """List the ports behind which an ESP32-S3 may be, native USB before UART bridges.

    Args:
        known: what is behind further USB numbers of vendor and product.
    """
    native, bridges = [], []
    for port in list_ports.comports():
        if known and port.vid is not None and (port.vid, port.pid) in known:
            native.append(Port(port.device, known[port.vid, port.pid]))
        elif port.vid == _ESPRESSIF_VID:
            native.append(Port(port.device, "Espressif USB"))
        elif (port.vid, port.pid) in _BRIDGES:
            bridges.append(Port(port.device, _BRIDGES[port.vid, port.pid]))
    return native + bridges


def is_native_usb(port: str) -> bool:
    """Whether the port is the chip's own USB, which has flow control."""
    return any(p.device == port and p.vid == _ESPRESSIF_VID for p in list_ports.comports())


def choose(given: str | None, more: Sequence[Port] = ()) -> str:
    """Choose the port to use.

    Args:
        given: the user's choice, taken as it is; None to take the only one there is.
        more: further candidates, such as simulated boards.

    Raises:
        NoDeviceError: there is none.
        UsageError: there are several.
    """
    if given is not None:
        return given
    found = [*candidates(), *more]
    if not found:
        raise NoDeviceError(
            "no board found at any port",
            "plug one in (hold BOOT while pressing RESET if it stays away), "
            "or run 'wedau sim start'",
        )
    if len(found) > 1:
        listed = ", ".join(f"{port.name} ({port.what})" for port in found)
        raise UsageError(f"there are {len(found)} boards: {listed}", "choose one with --port")
    return found[0].name


def all_names() -> list[str]:
    """Name every serial port of this machine."""
    return [port.device for port in list_ports.comports()]
