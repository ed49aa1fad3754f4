"""Small flashes with partitions, and boards that run straight from power on to their end."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wedau.build.simboard import SimFirmware
from wedau.cli import ota_node
from wedau.flash_map import Partition
from wedau.sim import direct, flash_image, nor
from wedau.sim.direct import Ended

TABLE = (*ota_node.TABLE[:-1], Partition("vfs", 1, 0x81, 0x38000, 0x8000))
OTADATA = 0xD000
SLOTS = {"ota_0": 0x10000, "ota_1": 0x20000}


@dataclass
class Board:
    """A flash file and the firmware to run it with."""

    firmware: SimFirmware
    flash: Path

    def run(self, program: str, **options: Any) -> Ended:
        """Switch on and run a program; what it prints is in the result."""
        elf, plugin = self.firmware.elf, self.firmware.plugin
        return direct.run(elf, plugin, self.flash, program, **options)

    def says(self, program: str, cause: str = direct.EXITED) -> str:
        """Return what a program prints that ends as it should."""
        ended = self.run(program)
        assert ended.cause == cause, ended.output
        return ended.output

    def operations(self, log: Path) -> list[nor.Operation]:
        """Read the log of a run."""
        return nor.read_log(log.read_bytes(), self.flash.stat().st_size)

    def put(self, label: str, data: bytes, table: tuple[Partition, ...] = TABLE) -> None:
        """Write to a partition from outside."""
        flash = bytearray(self.flash.read_bytes())
        flash_image.put(flash, table, label, data)
        self.flash.write_bytes(flash)


def write_image(label: str, image: bytes) -> str:
    """Return a program that writes an image to a partition, as `p`."""
    return f"""
import esp32
p = esp32.Partition({label!r})
image = bytes.fromhex({image.hex()!r})
for i in range(0, len(image), 4096):
    block = bytearray(b"\\xff" * 4096)
    part = image[i : i + 4096]
    block[: len(part)] = part
    p.writeblocks(i // 4096, block)
"""
