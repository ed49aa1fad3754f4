"""What several commands put together from the packages below: sources, firmware, ports."""

from pathlib import Path

from wedau.build import simboard, sources
from wedau.cli.console import say
from wedau.device import ports
from wedau.sim import boards


def micropython_source(given: Path | None = None) -> sources.Source:
    """Return MicroPython's source: the given folder or the pinned version."""
    return sources.micropython(given, say=say)


def sim_firmware(given: Path | None = None) -> simboard.SimFirmware:
    """Return the simulated board's firmware, built if need be.

    Raises:
        SimError: no simulated board could run here; said before a minute is spent on building.
        BuildError: it cannot be built.
    """
    boards.find_qemu()
    return simboard.build(micropython_source(given).path, say=say)


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
