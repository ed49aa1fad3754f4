"""What happened to each payload, in records that survive a power cut at any moment.

Two sectors of flash. Records are appended to one of them; when it is full, the other is erased and
gets a copy of what still counts before anything else. The sector that holds the only copy of a record
that counts is never erased.

A record, little-endian: "WDJ1", sequence number, kind, state, slot, tries, losses of power, whether it
was reported, whether the payload is a .mpy, then the golden (wedau.ota.goldens: rows, exponent,
features, seed, CRC; zeros where there is none), serial, length, the server's action, SHA-256, name,
version, code of the failure, CRC-32 of all before it.
"""

import binascii
import struct

from wedau.ota.errors import OtaError

SECTOR_BYTES = 4096
_FORMAT = "<4sIBBBBBBBBbHIIIII32s32s40s12s"
RECORD_BYTES = struct.calcsize(_FORMAT) + 4
_MAGIC = b"WDJ1"
_ERASED = b"\xff" * RECORD_BYTES
_PLACES = SECTOR_BYTES // RECORD_BYTES
_MAX_SEQ = 0x7FFFFFFF  # more than any flash bears
_PRINTABLE = bytes(range(32, 127))
_LAST = 0  # the role of a kind's latest record, beside the states that are remembered

# Kinds
MODEL, APP, FIRMWARE = 1, 2, 3

# States, in the order in which a payload goes through them; FAILED can follow any but CONFIRMED.
WRITING, STORED, TRIAL, CONFIRMED, FAILED = 1, 2, 3, 4, 5
_ROLES = (_LAST, CONFIRMED, FAILED)
NO_GOLDEN = (0, 0, 0, 0, 0)


class Record:
    """One step of one payload. ``length``: bytes. ``sha256``: bytes. ``count``: tries so far, but
    those that a loss of power ended: ``cuts``.

    ``golden``: rows, features, seed, crc, exponent. ``is_mpy``: of a model. ``action``: the
    server's number of what it wants done. ``code``: one of wedau.ota.errors.CODES, or "".
    """

    def __init__(self, kind, state, slot, serial, length, sha256, name, version):
        self.seq = 0
        self.kind, self.state, self.slot, self.serial = kind, state, slot, serial
        self.length, self.sha256, self.name, self.version = length, sha256, name, version
        self.action = self.count = self.cuts = self.reported = self.is_mpy = 0
        self.golden, self.code = NO_GOLDEN, ""

    def next(self, state, count=0, code="", reported=0):
        """Return the record of the payload's next step."""
        new = Record(
            self.kind,
            state,
            self.slot,
            self.serial,
            self.length,
            self.sha256,
            self.name,
            self.version,
        )
        new.action, new.golden, new.is_mpy = self.action, self.golden, self.is_mpy
        new.count, new.code, new.reported = count, code, reported
        new.cuts = self.cuts
        return new

    def pack(self):
        """Return the bytes of it."""
        head = (_MAGIC, self.seq, self.kind, self.state, self.slot, self.count, self.cuts)
        rows, features, seed, crc, exponent = self.golden
        golden = (self.reported, self.is_mpy, rows, exponent, features, seed, crc)
        numbers = (self.serial, self.length, self.action)
        texts = (self.name.encode(), self.version.encode(), self.code.encode())
        data = struct.pack(_FORMAT, *(head + golden + numbers + (self.sha256,) + texts))
        return data + struct.pack("<I", binascii.crc32(data) & 0xFFFFFFFF)


def unpack(data):
    """Return the record that bytes hold, None if they hold none.

    Args:
        data: RECORD_BYTES bytes of which nothing is known.
    """
    if data[:4] != _MAGIC:
        return None
    body = data[: RECORD_BYTES - 4]
    if struct.unpack("<I", data[RECORD_BYTES - 4 :])[0] != binascii.crc32(body) & 0xFFFFFFFF:
        return None
    values = struct.unpack(_FORMAT, body)
    _, seq, kind, state, slot, count, cuts, reported, is_mpy = values[:9]
    rows, exponent, features, seed, crc, serial, length, action = values[9:17]
    if not (MODEL <= kind <= FIRMWARE and WRITING <= state <= FAILED and slot <= 1):
        return None
    if reported > 1 or is_mpy > 1 or not 0 < seq <= _MAX_SEQ:
        return None
    name, version, code = [_text(field) for field in values[18:21]]
    if name is None or version is None or code is None:
        return None
    record = Record(kind, state, slot, serial, length, values[17], name, version)
    record.seq, record.count, record.code, record.reported = seq, count, code, reported
    record.cuts = cuts
    record.golden, record.is_mpy = (rows, features, seed, crc, exponent), is_mpy
    record.action = action
    return record


def _text(field):
    """Return the text of a field that zeros fill up, None if it is no ASCII."""
    text = field.rstrip(b"\0")
    if text.strip(_PRINTABLE):
        return None
    return text.decode()


class Journal:
    """The records of the payloads of all kinds.

    All that counts is in the sector with the highest sequence number: copies keep theirs and are made
    in its order, so that a sector that lacks one of them lacks the highest, too.
    """

    def __init__(self, sectors):
        """Read what is there.

        Args:
            sectors: two objects with read(offset, buffer), write(offset, data) and erase() for
                SECTOR_BYTES of flash each.

        Raises:
            OSError: the flash fails.
        """
        self._sectors = sectors
        self._counting = {}  # what still counts: record by (kind, role)
        self._seq = self._current = 0
        used = []
        for number in (0, 1):
            highest = self._scan(number, used)
            if highest > self._seq:
                self._seq, self._current = highest, number
        self._used = used[self._current]

    def last(self, kind):
        """Return the latest record of a kind, or None."""
        return self._counting.get((kind, _LAST))

    def confirmed(self, kind):
        """Return the latest record of a kind that says CONFIRMED, or None."""
        return self._counting.get((kind, CONFIRMED))

    def failed(self, kind):
        """Return the latest record of a kind that says FAILED, or None."""
        return self._counting.get((kind, FAILED))

    def append(self, record):
        """Write a record; when this returns, it is on the flash.

        Raises:
            OSError: the flash fails.
            OtaError: flash: what was written does not read back, or there are no more numbers.
        """
        if self._seq == _MAX_SEQ:
            raise OtaError("flash", "the journal has no more numbers")
        if self._used == _PLACES:
            self._change()
        record.seq = self._seq + 1
        self._put(record)
        self._seq = record.seq
        self._note(record)

    def _scan(self, number, used):
        """Take the records of a sector; return the highest sequence number in it, or 0."""
        data = bytearray(RECORD_BYTES)
        places, highest = 0, 0
        for place in range(_PLACES):
            self._sectors[number].read(place * RECORD_BYTES, data)
            if data != _ERASED:
                places = place + 1
                record = unpack(bytes(data))
                if record is not None:
                    self._note(record)
                    highest = max(highest, record.seq)
        used.append(places)
        return highest

    def _note(self, record):
        """Let a record count where it is newer than the one that does."""
        for role in (_LAST, record.state):
            old = self._counting.get((record.kind, role))
            if role in _ROLES and (old is None or record.seq > old.seq):
                self._counting[(record.kind, role)] = record

    def _change(self):
        """Go on in the other sector, with a copy of all that counts."""
        self._current = 1 - self._current
        self._sectors[self._current].erase()
        self._used = 0
        records = {record.seq: record for record in self._counting.values()}
        for seq in sorted(records):
            self._put(records[seq])

    def _put(self, record):
        data = record.pack()
        sector, offset = self._sectors[self._current], self._used * RECORD_BYTES
        self._used += 1
        sector.write(offset, data)
        back = bytearray(RECORD_BYTES)
        sector.read(offset, back)
        if back != data:
            raise OtaError("flash", "a record of the journal does not read back")
