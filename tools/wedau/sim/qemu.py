"""One boot of a simulated board: boot loader, QEMU's process, its exit code. For Linux only."""

import contextlib
import ctypes
import mmap
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

from wedau.sim.bootloader import Boot, BootLoader
from wedau.sim.nor import Cut, Nor
from wedau.sim.protocol import number

_PR_SET_PDEATHSIG = 1


def prepare_child() -> None:
    """In QEMU's process: no core files, and no life after its parent's."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def reset_cause(code: int) -> int | None:
    """Return the cause of the reset that an exit code stands for; None: it stands for none."""
    cause = code - number("SIM_EXIT_REBOOT")
    return cause if 0 < cause < number("SIM_EXIT_FATAL") - number("SIM_EXIT_REBOOT") else None


def explain(code: int) -> str:
    """Say why a board stands still."""
    if code < 0:
        return f"qemu-xtensa was ended by {signal.Signals(-code).name}"
    if code == number("SIM_EXIT_FATAL"):
        return "its firmware stopped with a fatal error"
    return f"qemu-xtensa ended with exit code {code}"


@contextlib.contextmanager
def mapped(flash: Path) -> Iterator[mmap.mmap]:
    """Map a flash file for reading and writing."""
    with flash.open("r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        yield memory


def boot(flash: Path, log: Path | None = None, cut: Cut | None = None) -> tuple[Boot | None, int]:
    """Run the boot loader on a flash file.

    Returns:
        What starts, None where the flash has no partitions; and how many flash operations it took.

    Raises:
        NoAppError: there is nothing to start.
        PowerLoss: the cut lies here.
        SimError: the partition table is damaged.
    """
    with mapped(flash) as memory:
        nor = Nor(memory, log, cut)
        return BootLoader(nor).run(), nor.operations


def firmware(boot: Boot | None, given: Path, unpacked: Path) -> tuple[Path, dict[str, object]]:
    """Return the ELF file to run and what it has to be told.

    Args:
        boot: what the boot loader chose.
        given: the board's own firmware.
        unpacked: where to write the firmware that an image carries.
    """
    if boot is None:
        return given, {}
    arguments: dict[str, object] = {"app": boot.partition.offset}
    if boot.image.elf is None:
        return given, arguments
    unpacked.write_bytes(boot.image.elf)
    unpacked.chmod(0o755)
    return unpacked, arguments
