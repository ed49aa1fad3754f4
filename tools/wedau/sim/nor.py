"""NOR flash in bytes or in a file: its operations, their log, and the loss of power.

An operation erases one sector or programs one range. Programming only clears bits. What the board
does (firmware/sim/flash.c) and what the boot loader does here obey the same rules, in one log.
"""

import mmap
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wedau.errors import SimError
from wedau.flash_map import SECTOR_BYTES
from wedau.sim.protocol import number

# A flash's bytes, in memory or as a mapped file.
Memory = bytearray | mmap.mmap

_RECORD = struct.Struct("<III")

BEFORE = number("SIM_CUT_BEFORE")
HALF = number("SIM_CUT_HALF")
AFTER = number("SIM_CUT_AFTER")
# The ways in which power can be lost at an operation: not done, half done, done.
MODES = (BEFORE, HALF, AFTER)


@dataclass(frozen=True)
class Operation:
    """One operation of the flash.

    Attributes:
        address: the first byte that it touches.
        data: what is programmed; None: the sector at address is erased.
    """

    address: int
    data: bytes | None


@dataclass(frozen=True)
class Read:
    """A read of the flash; it changes nothing and is not counted.

    Attributes:
        address: the first byte.
        length: how many.
    """

    address: int
    length: int


@dataclass(frozen=True)
class Cut:
    """Where power is lost.

    Attributes:
        operation: number of the flash operation, counted from 0.
        mode: BEFORE, HALF or AFTER.
    """

    operation: int
    mode: int


class PowerLoss(Exception):  # noqa: N818  what happens to the board is no error of the program's
    """Power was lost at the operation that had been chosen."""


class Nor:
    """A flash that the host writes to as the board would.

    Args:
        memory: the flash's bytes.
        log: file that each operation and each read is appended to.
        cut: where power is lost, or None.
    """

    def __init__(self, memory: Memory, log: Path | None = None, cut: Cut | None = None) -> None:
        self.memory = memory
        self.operations = 0
        self._log = log
        self._cut = cut

    def read(self, address: int, length: int) -> bytes:
        """Return bytes."""
        self._note(Read(address, length))
        return bytes(self.memory[address : address + length])

    def erase(self, address: int) -> None:
        """Erase the sector at an address.

        Raises:
            PowerLoss: the cut is at this operation.
        """
        self._do(Operation(address, None))

    def program(self, address: int, data: bytes) -> None:
        """Clear the bits that are 0 in data.

        Raises:
            PowerLoss: the cut is at this operation.
        """
        self._do(Operation(address, data))

    def _do(self, operation: Operation) -> None:
        self._note(operation)
        at_cut = self._cut is not None and self._cut.operation == self.operations
        self.operations += 1
        apply(self.memory, operation, self._cut.mode if self._cut and at_cut else AFTER)
        if at_cut:
            raise PowerLoss

    def _note(self, step: Operation | Read) -> None:
        if self._log is not None:
            with self._log.open("ab") as log:
                log.write(encode(step))


def apply(memory: Memory, operation: Operation, mode: int = AFTER) -> None:
    """Do an operation to a flash's bytes: not, by half, or whole.

    Half erased is the first half of the sector; half programmed are the first half of the bytes
    and, where their number is odd, the upper half of the byte in the middle.
    """
    if mode == BEFORE:
        return
    start, data = operation.address, operation.data
    if data is None:
        length = SECTOR_BYTES // (2 if mode == HALF else 1)
        memory[start : start + length] = b"\xff" * length
        return
    if mode == HALF:
        middle = bytes(byte | 0x0F for byte in data[len(data) // 2 : (len(data) + 1) // 2])
        data = data[: len(data) // 2] + (middle if len(data) % 2 else b"")
    there = bytes(memory[start : start + len(data)])
    both = int.from_bytes(there, "little") & int.from_bytes(data, "little")
    memory[start : start + len(data)] = both.to_bytes(len(data), "little")


def encode(step: Operation | Read) -> bytes:
    """Return a step as a record of the log; read_steps() reads it."""
    if isinstance(step, Read):
        return _RECORD.pack(number("SIM_OP_READ"), step.address, step.length)
    if step.data is None:
        return _RECORD.pack(number("SIM_OP_ERASE"), step.address, SECTOR_BYTES)
    return _RECORD.pack(number("SIM_OP_PROGRAM"), step.address, len(step.data)) + step.data


def read_log(data: bytes, flash_bytes: int) -> list[Operation]:
    """Read the operations of a log; see read_steps()."""
    return [each for each in read_steps(data, flash_bytes) if isinstance(each, Operation)]


def read_steps(data: bytes, flash_bytes: int) -> list[Operation | Read]:
    """Read a log of operations and reads.

    Args:
        data: the log's bytes.
        flash_bytes: size of the flash that it belongs to.

    Raises:
        SimError: it is cut off, or is not a log of such a flash.
    """
    found: list[Operation | Read] = []
    at = 0
    while at < len(data):
        step, at = _read_record(data, at)
        if not _fits(step, flash_bytes):
            raise _damaged(len(found))
        found.append(step)
    return found


def _fits(step: Operation | Read, flash_bytes: int) -> bool:
    if isinstance(step, Read):
        return step.address + step.length <= flash_bytes
    if step.data is None:
        return step.address % SECTOR_BYTES == 0 and step.address + SECTOR_BYTES <= flash_bytes
    return step.address + len(step.data) <= flash_bytes


def _read_record(data: bytes, at: int) -> tuple[Operation | Read, int]:
    if len(data) - at < _RECORD.size:
        raise _damaged(at)
    kind, address, length = _RECORD.unpack_from(data, at)
    at += _RECORD.size
    if kind == number("SIM_OP_READ"):
        return Read(address, length), at
    if kind == number("SIM_OP_ERASE") and length == SECTOR_BYTES:
        return Operation(address, None), at
    if kind != number("SIM_OP_PROGRAM") or not 0 < length <= len(data) - at:
        raise _damaged(at)
    return Operation(address, data[at : at + length]), at + length


def _damaged(where: int) -> SimError:
    return SimError(
        f"the log of flash operations is damaged near {where}", "delete it and run the board again"
    )


def cut_images(
    start: bytes, operations: Sequence[Operation], modes: Iterable[int] = MODES
) -> Iterator[tuple[Cut, bytes]]:
    """Yield what is in the flash after each loss of power, as if it had been cut there.

    Args:
        start: the flash before the first operation.
        operations: what the board did to it, uncut (read_log()).
        modes: which modes to yield at each operation.

    Yields:
        The cut and the flash's bytes, by operation and mode.
    """
    memory = bytearray(start)
    for index, operation in enumerate(operations):
        for mode in modes:
            torn = bytearray(memory)
            apply(torn, operation, mode)
            yield Cut(index, mode), bytes(torn)
        apply(memory, operation)
