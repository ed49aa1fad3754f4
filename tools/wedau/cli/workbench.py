"""What several commands put together from the packages below: sources, firmware, ports."""

from pathlib import Path

from wedau import flash_map
from wedau.build import boards as definitions
from wedau.build import simboard, sources
from wedau.cli.console import say
from wedau.device import ports
from wedau.sim import boards

# Its flash is the one of a simulated board that a person starts: 8 MB.
_SIMULATED_LIKE = "ESP32_S3_DEVKITC_1_N8R2"


def sim_partitions() -> tuple[flash_map.Partition, ...]:
    """Return the partitions for boards.start(): those of a board with 8 MB of flash."""
    table = definitions.table(definitions.load(_SIMULATED_LIKE))
    return tuple(
        flash_map.Partition(
            label=p.name,
            kind=flash_map.KINDS[p.kind],
            subtype=flash_map.SUBTYPES[p.kind][p.subtype],
            offset=p.offset,
            size_bytes=p.size,
        )
        for p in table
    )


def micropython_source(given: Path | None = None) -> sources.Source:
    """Return MicroPython's source: the given folder or the pinned version."""
    return sources.micropython(given, say=say)


def sim_firmware(given: Path | None = None, *, whole: bool = False) -> simboard.SimFirmware:
    """Return the simulated board's firmware, built if need be.

    Args:
        given: MicroPython's source; None: the pinned version.
        whole: with all C modules built in, as a real board has them.

    Raises:
        SimError: no simulated board could run here; said before a minute is spent on building.
        BuildError: it cannot be built.
    """
    boards.find_qemu()
    modules = () if whole else None
    return simboard.build(micropython_source(given).path, modules=modules, say=say)


def simulated_boards() -> list[boards.SimBoard]:
    """Return the simulated boards that a person started; not those of a running test or build."""
    return [board for board in boards.running() if not board.temporary]


def choose_port(port: str | None) -> str:
    """Return the given port, or the only board there is, simulated ones included.

    Raises:
        NoDeviceError: no port was given and there is no board.
        UsageError: there are several.
    """
    simulated = [ports.Port(b.port, f"simulated: {b.name}") for b in simulated_boards()]
    return ports.choose(port, simulated)
