"""What is at the ports of this machine: chip, flash, PSRAM, and what runs there."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from wedau.device import flashing
from wedau.device.chips import MB, Chip, Psram
from wedau.device.link import Board
from wedau.device.ports import Port
from wedau.errors import DeviceError, NoDeviceError

_PSRAM_AT_LEAST = MB

# Runs on the board. PSRAM is the largest region of ESP-IDF's heap, if it is larger than the
# memory in the chip.
_PROBE = """
def _w():
 flash = psram = 0
 try:
  import esp
  flash = esp.flash_size()
 except (ImportError, AttributeError):
  pass
 try:
  import esp32
  psram = max(region[0] for region in esp32.idf_heap_info(esp32.HEAP_DATA))
 except (ImportError, AttributeError, ValueError):
  pass
 return flash, psram
print(repr(_w()))
del _w
"""


@dataclass(frozen=True)
class Device:
    """What is at a port.

    Attributes:
        port: its name.
        what: what the system says is there, such as "CP210x bridge".
        chip: the chip's name; None if it did not tell.
        flash_bytes: size of the flash; None if it is not known.
        psram: the memory beside the chip's own; None if it is not known.
        runs: what runs there, such as "MicroPython 1.28.0"; None if it did not tell.
        board: the board's name as MicroPython says it.
        problem: why nothing could be asked; None if something answered.
    """

    port: str
    what: str
    chip: str | None = None
    flash_bytes: int | None = None
    psram: Psram | None = None
    runs: str | None = None
    board: str | None = None
    problem: str | None = None


def survey(ports: Iterable[Port]) -> Iterator[Device]:
    """Look at ports one after the other; this stops what runs there.

    MicroPython is asked first. Where it does not answer, the chip's boot loader is asked.

    Args:
        ports: where to look.
    """
    for port in ports:
        yield look(port)


def look(port: Port) -> Device:
    """Look at one port; see survey()."""
    try:
        return _ask_micropython(port)
    except NoDeviceError as silent:
        try:
            return _from_chip(port, flashing.ask(port.name))
        except DeviceError:
            return Device(port.name, port.what, problem=silent.message)
    except DeviceError as error:
        return Device(port.name, port.what, problem=error.message)


def _ask_micropython(port: Port) -> Device:
    with Board(port.name) as board:
        flash_bytes, region_bytes = board.literal(board.run(_PROBE))
        info = board.info
    name, _, chip = info.machine.rpartition(" with ")
    return Device(
        port.name,
        port.what,
        chip=chip,
        flash_bytes=flash_bytes or info.flash_total_bytes or None,
        psram=_psram(region_bytes, info.machine) if info.platform == "esp32" else None,
        runs=f"MicroPython {info.version}",
        board=name or None,
    )


def _psram(region_bytes: int, machine: str) -> Psram:
    """The region is smaller than the PSRAM, which has a power of two in bytes."""
    if region_bytes < _PSRAM_AT_LEAST:
        return Psram("none", 0)
    size = 1 << (region_bytes - 1).bit_length()
    return Psram("octal" if "Octal" in machine else "unknown", size)


def _from_chip(port: Port, chip: Chip) -> Device:
    return Device(
        port.name,
        port.what,
        chip=chip.name,
        flash_bytes=chip.flash_bytes,
        psram=chip.psram,
        runs=None,
    )
