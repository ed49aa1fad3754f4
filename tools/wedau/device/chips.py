"""What a chip says about itself, and whether a firmware is for it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wedau.errors import CheckError, DeviceError

if TYPE_CHECKING:
    from wedau.device.firmware import Firmware

MB = 1024 * 1024
KINDS = ("none", "quad", "octal")

# The ESP32-S3's variants with PSRAM in the package: R2 is quad, R8 and R16 are octal.
_KIND_OF_SIZE = {2 * MB: "quad", 8 * MB: "octal", 16 * MB: "octal"}

_NAME = re.compile(r"Connected to (ESP\S+) on ")
_DETAIL = re.compile(r"Chip type:\s+(ESP.*)")
_FEATURES = re.compile(r"Features:\s+(.+)")
_MAC = re.compile(r"MAC:\s+((?:[0-9a-f]{2}:){5}[0-9a-f]{2})\b", re.IGNORECASE)
_FLASH = re.compile(r"Detected flash size:\s+(\d+)(KB|MB)\b")
_PSRAM = re.compile(r"Embedded PSRAM (\d+)MB")


@dataclass(frozen=True)
class Psram:
    """External memory of a chip.

    Attributes:
        kind: none, quad or octal; "unknown" where the chip does not tell.
        size_bytes: 0 if there is none or it is not known.
        in_package: whether it is in the chip's package, so that the chip knows of it.
    """

    kind: str
    size_bytes: int
    in_package: bool = True

    @staticmethod
    def exists_in_package(kind: str, size_bytes: int) -> bool:
        """Whether there is an ESP32-S3 with such a PSRAM in its package, or none is meant."""
        return kind == "none" or _KIND_OF_SIZE.get(size_bytes) == kind

    def __str__(self) -> str:
        if self.kind == "unknown":
            return f"{megabytes(self.size_bytes)} of PSRAM" if self.size_bytes else "unknown PSRAM"
        if self.kind == "none":
            return "no PSRAM"
        return f"{megabytes(self.size_bytes)} of {self.kind} PSRAM"


@dataclass(frozen=True)
class Chip:
    """A chip at a port, as its boot loader describes it.

    Attributes:
        port: where it is.
        name: such as "ESP32-S3".
        detail: package and revision.
        mac: its address, unique to the chip.
        flash_bytes: size of its flash.
        psram: the memory in its package; "none" may still mean one beside it.
    """

    port: str
    name: str
    detail: str
    mac: str
    flash_bytes: int
    psram: Psram

    @property
    def target(self) -> str:
        """ESP-IDF's name of it, such as "esp32s3"."""
        return self.name.lower().replace("-", "")

    def __str__(self) -> str:
        return f"{self.name} with {megabytes(self.flash_bytes)} of flash and {self.psram}"


def megabytes(size_bytes: int) -> str:
    """Write a size as people do."""
    return f"{size_bytes / MB:.3g} MB"


def parse(port: str, lines: Iterable[str]) -> Chip:
    """Read what esptool's flash-id printed.

    Raises:
        DeviceError: something is missing from it.
    """
    text = "\n".join(lines)
    name, detail = _NAME.search(text), _DETAIL.search(text)
    features, mac, flash = _FEATURES.search(text), _MAC.search(text), _FLASH.search(text)
    if not (name and features and mac and flash):
        raise DeviceError(
            f"the chip at {port} did not tell its type and the size of its flash",
            "hold BOOT while pressing RESET, then try again",
        )
    unit = MB if flash[2] == "MB" else 1024
    return Chip(
        port=port,
        name=name[1],
        detail=detail[1].strip() if detail else name[1],
        mac=mac[1].lower(),
        flash_bytes=int(flash[1]) * unit,
        psram=_psram(features[1]),
    )


def _psram(features: str) -> Psram:
    if "PSRAM" not in features:
        return Psram("none", 0)
    size = _PSRAM.search(features)
    if not size:
        return Psram("unknown", 0)
    return Psram(_KIND_OF_SIZE.get(int(size[1]) * MB, "unknown"), int(size[1]) * MB)


def check(chip: Chip, firmware: "Firmware") -> None:
    """Check that a firmware is for the chip.

    Raises:
        CheckError: chip, flash or PSRAM is another one.
    """
    problem = mismatch(chip, firmware)
    if problem:
        raise CheckError(
            f"{firmware.title} is not for the board at {chip.port}: {problem}",
            "choose the firmware that was built for this board, or the port of the other board",
        )


def mismatch(chip: Chip, firmware: "Firmware") -> str | None:
    """Say why a firmware is not for the chip; None if it is."""
    if chip.target != firmware.chip:
        return f"it is for the chip {firmware.chip}, and this is an {chip.name}"
    too_small = chip.flash_bytes < firmware.flash_bytes
    if too_small or (firmware.board and chip.flash_bytes != firmware.flash_bytes):
        return (
            f"it is for {megabytes(firmware.flash_bytes)} of flash, "
            f"and this chip has {megabytes(chip.flash_bytes)}"
        )
    wanted = firmware.psram
    if wanted is None or chip.psram.kind == "unknown":
        return None
    expected = wanted if wanted.in_package else Psram("none", 0)
    if (chip.psram.kind, chip.psram.size_bytes) != (expected.kind, expected.size_bytes):
        beside = "" if wanted.in_package else " beside the chip"
        return f"it is for {wanted}{beside}, and this chip has {chip.psram} in its package"
    return None
