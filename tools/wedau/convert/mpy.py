"""What the first bytes of a `.mpy` file say about where it runs."""

from dataclasses import dataclass

from wedau.errors import ConvertError

# Source: MP_NATIVE_ARCH_* in MicroPython's py/persistentcode.h; the index is the number.
ARCH_NAMES = (
    "none",
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

_HEADER_BYTES = 4


@dataclass(frozen=True)
class MpyHeader:
    """The header of a `.mpy` file.

    Attributes:
        version: format version; the board's has to be the same.
        sub_version: of the native interface; the board's has to be the same if `native`.
        arch: a name of ARCH_NAMES; "none" for byte code, which runs on every architecture.
        small_int_bits: at most as many as the board's small integers have.
    """

    version: int
    sub_version: int
    arch: str
    small_int_bits: int

    @property
    def native(self) -> bool:
        """Whether the file holds machine code."""
        return self.arch != ARCH_NAMES[0]


def arch_name(number: int) -> str:
    """Name an architecture number; "arch NUMBER" if MicroPython added it after this list."""
    return ARCH_NAMES[number] if number < len(ARCH_NAMES) else f"arch {number}"


def features(value: int) -> tuple[int, str]:
    """Split the feature byte of a header, or of `sys.implementation._mpy >> 8`.

    Returns:
        sub-version and architecture name.

    Source: MPY_FEATURE_DECODE_* in MicroPython's py/persistentcode.h.
    """
    return value & 3, arch_name((value >> 2) & 0x2F)


def inspect_bytes(data: bytes, name: str = "the file") -> MpyHeader:
    """Read the header of a `.mpy` file.

    Args:
        data: the whole file or its beginning.
        name: what to call it in an error.

    Raises:
        ConvertError: it is not a `.mpy` file.
    """
    if len(data) < _HEADER_BYTES or data[:1] != b"M":
        raise ConvertError(
            f"{name} is not a .mpy file",
            "make one with 'wedau build', or with mpy-cross for plain Python",
        )
    sub_version, arch = features(data[2])
    return MpyHeader(data[1], sub_version, arch, data[3])
