"""The model: from a payload that was verified to one that decides, and back if it does not do well."""

import gc
import sys
import vfs

from wedau.ota import goldens, report, slots
from wedau.ota.errors import OtaError
from wedau.ota.install import WOKEN, Installer, check_hash
from wedau.ota.journal import MODEL, STORED, TRIAL

MOUNT = "/model"
SPARE_BYTES = 8192  # of heap that have to be left when the model is loaded
_SHIM = """\
import wedau_trees
_model = wedau_trees.load("/model/{0}.wdt")
predict = _model.predict
predict_proba = _model.predict_proba
labels = _model.labels
def __getattr__(name):
    if name == "info":
        return _model.info
    raise AttributeError(name)
"""


class Models(Installer):
    """The two slots. ``live``: the record of the model that is mounted, or None.

    ``problem``: why the model that was confirmed is not, or None.
    """

    kind = MODEL
    name = "model"

    def __init__(self, journal, areas, buffer):
        """Nothing is read or decided yet.

        Args:
            journal: wedau.ota.journal.Journal.
            areas: of the two slots.
            buffer: bytearray for pieces.
        """
        super().__init__(journal, buffer)
        self._areas = areas
        self.live = self.problem = None

    def resume(self, began):
        """Mount the model that this run uses: one on trial, else the one that was confirmed.

        Args:
            began: RESTARTED, WOKEN or POWERED: how this run did.
        """
        last = self._journal.last(MODEL)
        if last is not None and last.state in (STORED, TRIAL) and self._try(last, began):
            return
        confirmed = self._journal.confirmed(MODEL)
        if confirmed is None:
            return
        try:
            check_hash(self._areas[confirmed.slot], confirmed, self._buffer)
        except OtaError as error:
            self.problem, self.damaged = error, True
            return
        self._mount(confirmed)

    def selftest(self):
        """Raise OtaError (selftest, memory) unless the model that is mounted answers as it did."""
        if self.problem is not None:
            raise self.problem
        if self.live is not None:
            _selftest(self.live)

    def check(self, custom):
        """Raise OtaError (architecture) unless the model runs here."""
        if "arch" not in custom:
            try:
                import wedau_trees  # noqa: F401
            except ImportError:
                raise OtaError("architecture", "this firmware runs no data files")
            return
        arch, version, sub_version = report.mpy()
        wanted, mpy = custom["arch"], custom["mpy"]
        bytecode = wanted == "bytecode"
        if mpy[0] != version or (not bytecode and (wanted != arch or mpy[1] != sub_version)):
            raise OtaError("architecture", "the model is for %s, .mpy %s" % (wanted, mpy))

    def fail(self, code):
        """Give the model up that is stored or on trial; see Installer."""
        super().fail(code)
        self._unmount()

    def area(self, record):
        """Return where the payload of a record lies."""
        return self._areas[record.slot]

    def _try(self, last, began):
        """Put a new model on trial; return whether it is mounted now."""
        woken = last.state == TRIAL and began == WOKEN
        record = last if woken else self._next_try(last, TRIAL, began)
        if record is None:
            self.fail("crash")
            return False
        try:
            check_hash(self._areas[record.slot], record, self._buffer)
            self._mount(record)
            _selftest(record)
        except OtaError as error:
            self.fail(error.code)
            return False
        self.trial = record
        return True

    def _mount(self, record):
        texts = {}
        file = record.name + (".mpy" if record.is_mpy else ".wdt")
        if not record.is_mpy:
            texts[record.name + ".py"] = _SHIM.format(record.name)
        vfs.mount(slots.SlotFs(self.area(record), record.length, file, texts), MOUNT)
        if MOUNT not in sys.path:
            sys.path.insert(0, MOUNT)
        self.live = record

    def _unmount(self):
        if self.live is not None:
            vfs.umount(MOUNT)
            sys.modules.pop(self.live.name, None)
            self.live = None
        gc.collect()

    def _open(self):
        return slots.Writer(self._areas[self._free()])

    def _read_back(self, record):
        check_hash(self._areas[record.slot], record, self._buffer)

    def _describe(self, record, custom):
        record.golden = tuple(custom["golden"])
        record.is_mpy = 1 if "arch" in custom else 0


def _selftest(record):
    """Raise OtaError unless a model answers as it did on the laptop, and leaves room."""
    try:
        answers = goldens.answers(__import__(record.name), record.golden)
    except MemoryError:
        raise OtaError("memory", "the heap is too small for the model")
    except Exception as error:  # it is other people's code: anything may come
        raise OtaError("selftest", "the model does not run: %r" % error)
    if answers != record.golden[3]:
        raise OtaError("selftest", "the model answers otherwise than on the laptop")
    gc.collect()
    if gc.mem_free() < SPARE_BYTES:
        raise OtaError("memory", "the model leaves only %d bytes of heap" % gc.mem_free())
