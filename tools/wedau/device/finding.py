"""Find the board that a firmware is for: by its USB numbers, then by asking the chips."""

import contextlib
from collections.abc import Callable, Sequence

from serial.tools import list_ports

from wedau.device import chips, flashing, ports
from wedau.device.firmware import Firmware
from wedau.device.ports import Port
from wedau.errors import DeviceError, NoDeviceError, UsageError

# The chip's own boot loader at USB: a board that waits for a firmware has these numbers.
_BOOT_LOADERS = ((0x303A, 0x1001), (0x303A, 0x0002))


def find(
    firmware: Firmware, given: str | None, on_ask: Callable[[str], None] = lambda port: None
) -> str:
    """Find the port of the board that a firmware is for.

    Args:
        firmware: loaded.
        given: the user's choice, taken as it is.
        on_ask: called with each port whose chip is asked; that stops what runs there.

    Raises:
        NoDeviceError: there is no board, or none that the firmware is for.
        UsageError: there are several.
    """
    if given is not None:
        return given
    found = _by_usb(firmware)
    if not found:
        raise NoDeviceError(
            "no board found at any port",
            "plug one in; hold BOOT while pressing RESET if it stays away",
        )
    if len(found) == 1:
        return found[0].name
    fitting = [port for port in found if _fits(port, firmware, on_ask)]
    if not fitting:
        raise NoDeviceError(
            f"{firmware.title} is for none of the boards at {_listed(found)}",
            "hold BOOT while pressing RESET on the right one, or choose it with --port",
        )
    if len(fitting) > 1:
        raise UsageError(
            f"{firmware.title} is for any of the boards at {_listed(fitting)}",
            "choose one with --port",
        )
    return fitting[0].name


def _by_usb(firmware: Firmware) -> list[Port]:
    """Ports with the USB numbers of the board or of a boot loader; all candidates if none has."""
    wanted = (*firmware.usb_ids, *_BOOT_LOADERS)
    own = [port.device for port in list_ports.comports() if (port.vid, port.pid) in wanted]
    known = {port.name: port for port in ports.candidates()}
    return [known.get(name, Port(name, "the board's USB")) for name in own] or [*known.values()]


def _fits(port: Port, firmware: Firmware, on_ask: Callable[[str], None]) -> bool:
    on_ask(port.name)
    with contextlib.suppress(DeviceError):  # what does not answer is not the board
        return chips.mismatch(flashing.ask(port.name), firmware) is None
    return False


def _listed(found: Sequence[Port]) -> str:
    return ", ".join(f"{port.name} ({port.what})" for port in found)
