"""The architectures of native modules: one table of what each needs."""

from collections.abc import Mapping
from dataclasses import dataclass

from wedau.errors import UsageError

_PIC = ("-fpic", "-fno-common", "-U_FORTIFY_SOURCE")
_THUMB = ("-mthumb", "-mno-unaligned-access")


@dataclass(frozen=True)
class Target:
    """An architecture of native modules.

    Attributes:
        boards: what has it, for people.
        machine: its name in the header of an object file.
        double: whether a float of MicroPython is a double there.
        gcc: the command of its GCC; of xtensawin, which has more compilers, empty.
        flags: what that GCC needs.
        libgcc: whether GCC's own library has the run-time helpers, not firmware/xtensa/rt.
    """

    boards: str
    machine: str
    double: bool = False
    gcc: str = ""
    flags: tuple[str, ...] = ()
    libgcc: bool = False

    @property
    def package(self) -> str:
        """Debian's package of the GCC."""
        return "gcc" if self.gcc == "gcc" else f"gcc-{self.gcc.removesuffix('-gcc')}"


TARGETS: Mapping[str, Target] = {
    "xtensawin": Target("ESP32, ESP32-S2, ESP32-S3", "EM_XTENSA"),
    "armv6m": Target(
        "RP2040",
        "EM_ARM",
        gcc="arm-none-eabi-gcc",
        flags=(*_PIC, "-mthumb", "-mcpu=cortex-m0"),
        libgcc=True,
    ),
    "armv7m": Target(
        "Cortex-M3",
        "EM_ARM",
        gcc="arm-none-eabi-gcc",
        flags=(*_PIC, *_THUMB, "-mcpu=cortex-m3"),
        libgcc=True,
    ),
    "armv7emsp": Target(
        "STM32F4, nRF52840, RP2350",
        "EM_ARM",
        gcc="arm-none-eabi-gcc",
        flags=(*_PIC, *_THUMB, "-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"),
        libgcc=True,
    ),
    "rv32imc": Target(
        "ESP32-C3, ESP32-C6, RP2350 in RISC-V mode",
        "EM_RISCV",
        gcc="riscv64-unknown-elf-gcc",
        flags=(*_PIC, "-march=rv32imc", "-mabi=ilp32", "-mno-relax", "-msmall-data-limit=0"),
        libgcc=True,
    ),
    "x64": Target(
        "MicroPython for unix",
        "EM_X86_64",
        double=True,
        gcc="gcc",
        flags=(*_PIC, "-fno-stack-protector", "-fcf-protection=none"),
    ),
}
"""By MicroPython's names. Flags follow MicroPython's py/dynruntime.mk."""


def target(arch: str) -> Target:
    """Return what an architecture needs.

    Raises:
        UsageError: it is unknown.
    """
    if arch not in TARGETS:
        raise UsageError(f"unknown architecture {arch}", f"use one of: {', '.join(TARGETS)}")
    return TARGETS[arch]
