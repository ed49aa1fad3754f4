"""The firmware: into the other OTA partition, a start on trial, and back if it does not do well.

The boot loader does the rest: it goes back from a firmware that was not marked valid in its run. A
loss of power looks to it like a crash, so it is asked for the new one again: the node can tell one
from the other.
"""

from wedau.ota import slots
from wedau.ota.errors import OtaError
from wedau.ota.install import RESTARTED, WOKEN, Installer, check_hash
from wedau.ota.journal import FIRMWARE, STORED, TRIAL

_BLOCKS = 4  # ioctl of a block device


class Firmware(Installer):
    """The two OTA partitions."""

    kind = FIRMWARE
    name = "firmware"

    def __init__(self, journal, partition_type, board, buffer):
        """Nothing is read or decided yet.

        Args:
            journal: wedau.ota.journal.Journal.
            partition_type: esp32.Partition.
            board: name of this board.
            buffer: bytearray for pieces.
        """
        super().__init__(journal, buffer)
        self._type, self._board = partition_type, board

    def resume(self, began):
        """See what became of a new firmware; return whether the board has to restart now.

        Args:
            began: RESTARTED, WOKEN or POWERED: how this run did.
        """
        last = self._journal.last(FIRMWARE)
        if last is None or last.state not in (STORED, TRIAL):
            return False
        if last.slot == self._running():
            return self._try(last, began)
        return self._switch(last, began)  # the boot loader went back, or was never asked

    def _try(self, last, began):
        """Put the firmware that runs on trial; return whether the board has to restart now."""
        if last.state == STORED:
            self.trial = last.next(TRIAL, count=last.count)
            self._journal.append(self.trial)
            return False
        self.trial = last if began == WOKEN else self._next_try(last, TRIAL, began)
        if self.trial is None:
            self.fail("crash")
        return self.trial is None

    def check(self, custom):
        """Raise OtaError (board) unless the firmware is for this board."""
        if custom["board"] != self._board:
            raise OtaError("board", "the firmware is for %s" % custom["board"])

    def store(self):
        """Note that the firmware is whole, and let the boot loader start it next.

        Raises:
            OtaError: flash: it does not read back; format: the boot loader does not take it.
        """
        super().store()
        if not self._switch(self._journal.last(FIRMWARE), RESTARTED):
            raise OtaError("format", "the boot loader does not take the firmware")

    def confirm(self):
        """Mark the firmware valid; the boot loader keeps it."""
        self._type.mark_app_valid_cancel_rollback()
        super().confirm()

    def fail(self, code):
        """Give the firmware up; the board has to restart into the other one."""
        running = self._type(self._type.RUNNING)
        if self._running() == self._journal.last(FIRMWARE).slot:
            running.get_next_update().set_boot()
        super().fail(code)

    def source(self):
        """Return the record of the firmware that runs, if it came as an update, else None."""
        confirmed = super().source()
        return confirmed if confirmed is not None and confirmed.slot == self._running() else None

    def area(self, record):
        """Return where the payload of a record lies."""
        return _area(self._type("ota_%d" % record.slot))

    def _switch(self, last, began):
        """Let the boot loader start it next; False: too often, not whole, or it does not take it."""
        if self._next_try(last, STORED, began) is None:
            super().fail("crash")
            return False
        try:
            check_hash(self.area(last), last, self._buffer)
            self._type("ota_%d" % last.slot).set_boot()
        except (OSError, OtaError):
            super().fail("format")
            return False
        return True

    def _running(self):
        return _index(self._type(self._type.RUNNING))

    def _free(self):
        return _index(self._type(self._type.RUNNING).get_next_update())

    def _open(self):
        return slots.Writer(_area(self._type("ota_%d" % self._free())))

    def _read_back(self, record):
        check_hash(self.area(record), record, self._buffer)


def _area(partition):
    return slots.Area(partition, 0, partition.ioctl(_BLOCKS, 0))


def _index(partition):
    """Return 0 for ota_0, 1 for ota_1."""
    return 1 if partition.info()[4] == "ota_1" else 0
