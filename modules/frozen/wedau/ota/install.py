"""What models, applications and firmware have in common on their way through the journal."""

import binascii

from wedau.ota import slots
from wedau.ota.errors import OtaError
from wedau.ota.fields import MAX_SERIAL
from wedau.ota.journal import CONFIRMED, FAILED, STORED, TRIAL, WRITING, Record

MAX_TRIES = 3  # that end in a restart which nobody but the payload can be blamed for
MAX_CUTS = 10  # that a loss of power or a sleep ended: nobody's fault, until there are too many

# How a run began, which says how the one before it ended.
RESTARTED, WOKEN, POWERED = 0, 1, 2


class Installer:
    """One kind of payload. ``trial``: the record of the one that is on trial, or None.

    ``record``: of the one that is being received.
    """

    kind = 0
    name = ""  # of the kind, as in fields.py

    def __init__(self, journal, buffer):
        """Nothing is read or decided yet.

        Args:
            journal: wedau.ota.journal.Journal.
            buffer: bytearray for pieces.
        """
        self._journal, self._buffer = journal, buffer
        self.trial = self.record = self._sink = None
        self.damaged = False  # what was confirmed is not there any more

    def check(self, custom):
        """Raise OtaError (architecture, board) unless the payload is for this node."""

    def verdict(self, target, custom):
        """Return None if the node wants it; "confirmed" if it has it; else the code of a refusal."""
        sha256 = binascii.unhexlify(target["hashes"]["sha256"])
        failed, confirmed = self._journal.failed(self.kind), self._journal.confirmed(self.kind)
        if failed is not None and failed.sha256 == sha256:
            return failed.code
        if confirmed is None or confirmed.name != custom["name"]:
            return None
        if custom["serial"] > confirmed.serial:
            return None
        if confirmed.sha256 == sha256:
            return None if self.damaged else "confirmed"
        return "rollback"

    def prepare(self, target, custom, action):
        """Note that a payload comes; what the slot held counts no more.

        Raises:
            OtaError: space.
        """
        self._sink = self._open()
        self._sink.check(target["length"])
        sha256 = binascii.unhexlify(target["hashes"]["sha256"])
        record = Record(
            self.kind,
            WRITING,
            self._free(),
            custom["serial"],
            target["length"],
            sha256,
            custom["name"],
            custom["version"],
        )
        record.action = min(action, MAX_SERIAL)
        self._describe(record, custom)
        self._journal.append(record)
        self.record = record

    def begin(self, length):
        """Start to receive, or start anew; see wedau.ota.download."""
        self._sink.begin(length)

    def write(self, piece):
        """Receive the next bytes."""
        self._sink.write(piece)

    def store(self):
        """Note that the payload is whole, after it was read back.

        Raises:
            OtaError: flash: it does not read back; format: it is not what its kind has to be.
        """
        self._sink.finish()
        self._read_back(self.record)
        self._sink = None
        self._journal.append(self.record.next(STORED))

    def abort(self):
        """Give up what is being received."""
        if self._sink is not None:
            self._sink.close()
            self._sink = None

    def confirm(self):
        """Let the payload that is on trial be the one that counts."""
        self._journal.append(self.trial.next(CONFIRMED, count=self.trial.count))
        self.trial = None

    def fail(self, code):
        """Give the payload up that is stored or on trial; it is never tried again."""
        last = self._journal.last(self.kind)
        self._journal.append(last.next(FAILED, count=last.count, code=code))
        self.trial = None

    def source(self):
        """Return the record of the payload that a patch can apply to, or None."""
        return None if self.damaged else self._journal.confirmed(self.kind)

    def _next_try(self, last, state, began):
        """Return the record of one more try, written to the flash; None: there were too many.

        Args:
            last: the record so far.
            state: of the new one.
            began: how this run did, which says how the last try ended.
        """
        record = last.next(state, count=last.count)
        if began != RESTARTED and last.count:
            record.cuts += 1
        else:
            record.count += 1
        if record.count > MAX_TRIES or record.cuts > MAX_CUTS:
            return None
        self._journal.append(record)
        return record

    def _free(self):
        """Return the slot that does not hold what was confirmed."""
        confirmed = self._journal.confirmed(self.kind)
        return 0 if confirmed is None else 1 - confirmed.slot

    def _describe(self, record, custom):
        """Add to a record what only this kind has."""


def check_hash(area, record, buffer):
    """Raise OtaError (flash) unless an area holds what was signed."""
    if record.length > area.length:
        raise OtaError("flash", "the journal and the slot do not belong together")
    if slots.digest(area, record.length, buffer) != record.sha256:
        raise OtaError("flash", "the slot does not hold what was signed")
