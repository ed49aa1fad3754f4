"""The step before the firmware: which application starts; the way back from one not confirmed.

Source: ESP-IDF 5.5, components/bootloader_support/src/bootloader_utility.c, with
CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE.
"""

import contextlib
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from wedau.errors import SimError
from wedau.flash_map import SECTOR_BYTES, TABLE_BYTES, TABLE_OFFSET, Partition, TableError, parse
from wedau.sim import app_image
from wedau.sim.app_image import AppImage, ImageError
from wedau.sim.nor import Memory, Nor

NEW, PENDING_VERIFY, VALID, INVALID, ABORTED = range(5)
_UNDEFINED = 0xFFFFFFFF
_ERASED = 0xFFFFFFFF
_WORD = 1 << 32

_ENTRY = struct.Struct("<I20sII")
_TABLE_MAGIC = b"\xaa\x50"
_FILE_SYSTEM_AT_0 = b"littlefs"
_FACTORY, _OTA_0, _OTA_END, _TEST = 0x00, 0x10, 0x20, 0x20
_FACTORY_INDEX = -1


class NoAppError(SimError):
    """Nothing in the flash can be started; a chip would try for ever."""


@dataclass(frozen=True)
class Boot:
    """What starts.

    Attributes:
        partition: where the application lies.
        image: what it is.
    """

    partition: Partition
    image: AppImage


@dataclass(frozen=True)
class OtaEntry:
    """One of the two entries of otadata.

    Attributes:
        seq: grows with each change; it also says which slot, counted from 1.
        state: NEW, PENDING_VERIFY, VALID, INVALID, ABORTED or undefined (all ones).
        crc: as stored.
        label: unused by ESP-IDF.
    """

    seq: int
    state: int = _UNDEFINED
    crc: int | None = None
    label: bytes = b"\xff" * 20

    @property
    def usable(self) -> bool:
        """Whether it was written and its application was not rejected."""
        return self.seq != _ERASED and self.state not in (INVALID, ABORTED)

    @property
    def valid(self) -> bool:
        """Whether it is usable and whole."""
        return self.usable and self.whole

    @property
    def whole(self) -> bool:
        """Whether it was written to its end."""
        return self.seq != _ERASED and self.crc == _crc(self.seq)

    def encode(self) -> bytes:
        """Return it as it lies in the flash; the checksum is that of seq where none is given."""
        crc = _crc(self.seq) if self.crc is None else self.crc
        return _ENTRY.pack(self.seq, self.label, self.state, crc)


def _crc(seq: int) -> int:
    return zlib.crc32(seq.to_bytes(4, "little"), 0xFFFFFFFF)


def read_table(flash: Memory) -> tuple[Partition, ...]:
    """Return the partitions of a flash; none where the whole flash is one file system, or erased.

    Raises:
        SimError: there is a partition table, and it is damaged or does not fit the flash.
    """
    data = flash[TABLE_OFFSET : TABLE_OFFSET + TABLE_BYTES]
    if data[:2] != _TABLE_MAGIC or flash[8:16] == _FILE_SYSTEM_AT_0:
        return ()
    try:
        table = parse(bytes(data))
    except TableError as error:
        raise _damaged(str(error)) from None
    for partition in table:
        if partition.offset % SECTOR_BYTES or partition.size_bytes % SECTOR_BYTES:
            raise _damaged(f"{partition.label} does not begin and end with a sector")
        if partition.offset < TABLE_OFFSET + SECTOR_BYTES or partition.end > len(flash):
            raise _damaged(f"{partition.label} does not lie behind it in the flash")
    return table


def _damaged(why: str) -> SimError:
    return SimError(
        f"the flash's partition table is damaged: {why}",
        "delete the flash file to start with a new one",
    )


def read_otadata(flash: Memory, table: Sequence[Partition]) -> tuple[OtaEntry, OtaEntry] | None:
    """Return the two entries of otadata; None where the table has no such partition."""
    otadata = next((p for p in table if p.is_otadata and p.size_bytes >= 2 * SECTOR_BYTES), None)
    if otadata is None:
        return None
    first, second = (_entry(flash, otadata.offset + i * SECTOR_BYTES) for i in range(2))
    return first, second


def _entry(flash: Memory, offset: int) -> OtaEntry:
    seq, label, state, crc = _ENTRY.unpack_from(flash, offset)
    return OtaEntry(seq, state, crc, label)


def active(entries: Sequence[OtaEntry]) -> int | None:
    """Return which entry counts: the valid one, of two the later; None: neither is valid."""
    valid = [i for i, entry in enumerate(entries) if entry.valid]
    return max(valid, key=lambda i: (entries[i].seq, -i)) if valid else None


class BootLoader:
    """Chooses the application; a flash without partitions has none to choose.

    Raises:
        SimError: the partition table is damaged.
    """

    def __init__(self, nor: Nor) -> None:
        self._nor = nor
        nor.read(0, TABLE_OFFSET + TABLE_BYTES)
        self._table = read_table(nor.memory)

    def run(self) -> Boot | None:
        """Choose the application to start and mark in otadata what that means for it.

        Returns:
            What starts; None where the flash has no partitions.

        Raises:
            NoAppError: no slot holds an image that is whole.
            PowerLoss: see Nor.
        """
        if not self._table:
            return None
        chosen, initial = self._select()
        for index, partition in self._order(chosen):
            image = self._load(partition)
            if image is not None:
                if initial and index > _FACTORY_INDEX:
                    self._write(0, OtaEntry(index + 1, VALID))
                return Boot(partition, image)
        raise NoAppError(
            "no partition holds an application that can be started",
            "delete the flash file to start with a new one",
        )

    def _slots(self) -> dict[int, Partition]:
        """Return the applications' partitions: -1 is the factory's, from 0 on those of OTA."""
        apps = {p.subtype: p for p in self._table if p.is_app}
        slots = {_FACTORY_INDEX: apps[_FACTORY]} if _FACTORY in apps else {}
        count = sum(_OTA_0 <= subtype < _OTA_END for subtype in apps)
        indices = (s - _OTA_0 for s in apps if _OTA_0 <= s < _OTA_0 + count)
        return slots | {i: apps[_OTA_0 + i] for i in indices}

    def _select(self) -> tuple[int, bool]:
        """Return which application otadata chooses, and whether otadata has to be written first."""
        slots = self._slots()
        count = sum(index >= 0 for index in slots)
        found = read_otadata(self._nor.memory, self._table)
        if found is None:
            return _FACTORY_INDEX, False
        for index in range(len(found)):
            self._nor.read(self._address(index), _ENTRY.size)
        entries = [self._abort_unconfirmed(i, entry) for i, entry in enumerate(found)]
        if count == 0 or not any(entry.usable for entry in entries):
            if _FACTORY_INDEX in slots:
                return _FACTORY_INDEX, False
            return 0, not any(entry.whole for entry in entries)
        chosen = active(entries)
        if chosen is None:
            return _FACTORY_INDEX, False
        if entries[chosen].state == NEW:
            self._write(chosen, replace(entries[chosen], state=PENDING_VERIFY))
        return (entries[chosen].seq - 1) % _WORD % count, False

    def _abort_unconfirmed(self, index: int, entry: OtaEntry) -> OtaEntry:
        """Reject an application that ran before and was not confirmed."""
        if entry.state != PENDING_VERIFY:
            return entry
        entry = replace(entry, state=ABORTED)
        self._write(index, entry)
        return entry

    def _write(self, index: int, entry: OtaEntry) -> None:
        address = self._address(index)
        self._nor.erase(address)
        self._nor.program(address, entry.encode())

    def _address(self, index: int) -> int:
        otadata = next(p for p in self._table if p.is_otadata)
        return otadata.offset + index * SECTOR_BYTES

    def _order(self, index: int) -> Iterator[tuple[int, Partition]]:
        """Yield index and partition: from the chosen one down, then up, then the test's."""
        slots = self._slots()
        down = sorted((i for i in slots if i <= index), reverse=True)
        up = sorted(i for i in slots if i > index)
        yield from ((i, slots[i]) for i in (*down, *up))
        yield from ((_FACTORY_INDEX, p) for p in self._table if p.is_app and p.subtype == _TEST)

    def _load(self, partition: Partition) -> AppImage | None:
        with contextlib.suppress(ImageError):
            return app_image.read(self._nor.read(partition.offset, partition.size_bytes))
        return None
