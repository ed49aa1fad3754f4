"""Read the header of a `.mpy` file: what it needs from the board that is to import it."""

from dataclasses import dataclass

from wedau.errors import DataError

# Bytes of the header: the letter M, version, feature flags, bits of a small integer.
_HEADER_BYTES = 4

# Source: MP_NATIVE_ARCH_* in MicroPython's py/persistentcode.h; the index is the number.
_ARCHITECTURES = (
    "bytecode",
    "x86",
    "x64",
    "armv6",
    "armv6m",
    "armv7m",
    "armv7em",
    "armv7emsp",
    "armv7emdp",
    "xtensa",
    "xtensawin",
    "rv32imc",
    "rv64imc",
)


@dataclass(frozen=True)
class MpyHeader:
    """The header of a `.mpy` file.

    Attributes:
        version: format version, 6 in 6.3; the board's has to be the same.
        sub_version: of the native interface, 3 in 6.3; the board's has to be the same if native.
        arch: architecture, "bytecode" where there is no native code.
        small_int_bits: a board's small integers need at least as many.
    """

    version: int
    sub_version: int
    arch: str
    small_int_bits: int

    @property
    def native(self) -> bool:
        """Whether the file holds machine code."""
        return self.arch != _ARCHITECTURES[0]

    @property
    def arch_number(self) -> int:
        """The number of the architecture in the file and in `sys.implementation._mpy >> 10`."""
        return _ARCHITECTURES.index(self.arch)


def loads(board: str, module: str) -> bool:
    """Return whether a board of one architecture loads a module for another and calls it rightly.

    MicroPython on ARM loads modules for any lesser ARM, but one of software floats hands floats
    over otherwise than one of hardware floats.

    Source: MPY_FEATURE_ARCH_TEST in MicroPython's py/persistentcode.h.
    """
    return board == module or (board, module) == ("armv7emdp", "armv7emsp")


def features(flags: int) -> tuple[int, str]:
    """Split feature flags, of a header or of `sys.implementation._mpy >> 8`.

    Returns:
        sub-version, and architecture; "arch NUMBER" for one that is not known here.

    Source: MPY_FEATURE_DECODE_* in MicroPython's py/persistentcode.h.
    """
    number = flags >> 2 & 0x2F
    known = number < len(_ARCHITECTURES)
    return flags & 3, _ARCHITECTURES[number] if known else f"arch {number}"


def inspect_bytes(data: bytes, name: str = "this") -> MpyHeader:
    """Return what the first bytes of a `.mpy` file say.

    Args:
        data: the file, or at least its first four bytes.
        name: what to call it in an error.

    Raises:
        DataError: it is not a .mpy file, or is for an architecture that is not known here.
    """
    if len(data) < _HEADER_BYTES or data[0] != ord("M"):
        raise DataError(f"{name} is not a .mpy file", "build it again: wedau build")
    sub_version, arch = features(data[2])
    if arch not in _ARCHITECTURES:
        raise DataError(
            f"{name} is a .mpy file for an unknown architecture, {arch}",
            "update wedau, or build the module again: wedau build",
        )
    return MpyHeader(data[1], sub_version, arch, data[3])
