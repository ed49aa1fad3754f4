"""The two slots for models in the flash, and the file system that lets `import` find the model."""

import hashlib
import io

from wedau.ota.errors import OtaError

SECTOR_BYTES = 4096
LABELS = ("model_0", "model_1")
_ERASE = 6  # ioctl of a block device
_BLOCKS = 4
_FILE, _FOLDER = 0x8000, 0x4000
_GET_BUFFER_SIZE = 11
_CLOSE = 4


class Area:
    """Bytes of a partition from a sector on: of a slot's payload, or of the journal."""

    def __init__(self, partition, first, sectors):
        """Take an area.

        Args:
            partition: esp32.Partition with blocks of SECTOR_BYTES, or what behaves as one.
            first: its first sector.
            sectors: how many.
        """
        self._partition, self._first = partition, first
        self.length = sectors * SECTOR_BYTES

    def read(self, offset, buffer):
        """Fill a buffer."""
        block, offset = divmod(offset, SECTOR_BYTES)
        self._partition.readblocks(self._first + block, buffer, offset)

    def write(self, offset, data):
        """Write to bytes that are erased."""
        block, offset = divmod(offset, SECTOR_BYTES)
        self._partition.writeblocks(self._first + block, data, offset)

    def erase(self, offset=0):
        """Erase the sector at an offset."""
        self._partition.ioctl(_ERASE, self._first + offset // SECTOR_BYTES)


def find(partition_type):
    """Return the journal's two sectors and the two slots.

    Args:
        partition_type: esp32.Partition.

    Raises:
        OtaError: settings: the board has no partitions for models.
    """
    sectors, slots = [], []
    for label in LABELS:
        found = partition_type.find(partition_type.TYPE_DATA, label=label)
        if not found:
            raise OtaError("settings", "this firmware has no partition " + label)
        blocks = found[0].ioctl(_BLOCKS, 0)
        sectors.append(Area(found[0], 0, 1))
        slots.append(Area(found[0], 1, blocks - 1))
    return sectors, slots


class Writer:
    """Takes a payload sector by sector, erasing just before it writes."""

    def __init__(self, area):
        """Nothing is written yet.

        Args:
            area: of the flash.
        """
        self._area = area
        self._at = 0

    def check(self, length):
        """Raise OtaError (space) if a payload is longer than the slot."""
        if length > self._area.length:
            raise OtaError("space", "it has %d bytes, the slot %d" % (length, self._area.length))

    def begin(self, length):
        """Start, or start anew.

        Raises:
            OtaError: space: the payload is longer than the slot.
        """
        self.check(length)
        self._at = 0

    def write(self, piece):
        """Take the next sector; only the last one may be shorter.

        Raises:
            OSError: the flash fails.
            ValueError: there was a shorter one, or it is longer than a sector.
        """
        if self._at % SECTOR_BYTES or len(piece) > SECTOR_BYTES:
            raise ValueError("not a sector")
        self._area.erase(self._at)
        self._area.write(self._at, piece)
        self._at += len(piece)

    def finish(self):
        """Do nothing: all is written."""

    def close(self):
        """Do nothing; what was written so far counts for nothing."""


def digest(area, length, buffer):
    """Return the SHA-256 of the first bytes of an area, as they read back.

    Args:
        area: of the flash.
        length: how many bytes.
        buffer: bytearray for the pieces.
    """
    sha = hashlib.sha256()
    view = memoryview(buffer)
    for offset in range(0, length, len(buffer)):
        piece = view[: min(len(buffer), length - offset)]
        area.read(offset, piece)
        sha.update(piece)
    return sha.digest()


class _File(io.IOBase):
    """The payload as a file that is open for reading."""

    def __init__(self, area, length):
        self._area, self._length, self._at = area, length, 0

    def readinto(self, buffer):
        """Read the next bytes; see io.IOBase."""
        n = min(len(buffer), self._length - self._at)
        if n:
            self._area.read(self._at, memoryview(buffer)[:n])
            self._at += n
        return n

    def seek(self, offset, whence=0):
        """Move; see io.IOBase."""
        start = (0, self._at, self._length)[whence]
        self._at = max(0, min(self._length, start + offset))
        return self._at

    def tell(self):
        """Return where the next read begins."""
        return self._at

    def close(self):
        """Do nothing; there is nothing to let go."""

    def ioctl(self, request, argument):
        """Answer what MicroPython's own readers ask a stream for."""
        if request == _GET_BUFFER_SIZE:
            return 256
        return 0 if request == _CLOSE else -1


class SlotFs:
    """A read-only file system of the one model that is live: mount it with vfs.mount()."""

    def __init__(self, area, length, name, texts):
        """Take what there is.

        Args:
            area: the slot.
            length: of the payload.
            name: of the file that the payload is.
            texts: further files that hold text, by name.
        """
        self._area, self._length, self._name, self._texts = area, length, name, texts

    def mount(self, readonly, mkfs):
        """Do nothing; see vfs.mount()."""

    def umount(self):
        """Do nothing; see vfs.umount()."""

    def chdir(self, path):
        """Stay where it is."""

    def getcwd(self):
        """Return the only folder."""
        return "/"

    def stat(self, path):
        """Return mode and size of a file; see os.stat().

        Raises:
            OSError: there is no such file.
        """
        name = path.strip("/")
        if not name:
            return (_FOLDER, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        return (_FILE, 0, 0, 0, 0, 0, self._size(name), 0, 0, 0)

    def open(self, path, mode):
        """Open a file for reading; see open().

        Raises:
            OSError: there is no such file, or it is not opened for reading.
        """
        name = path.strip("/")
        self._size(name)
        if "w" in mode or "a" in mode or "+" in mode:
            raise OSError(30)  # read-only file system
        if name == self._name:
            return _File(self._area, self._length)
        text = self._texts[name]
        return io.BytesIO(text.encode()) if "b" in mode else io.StringIO(text)

    def ilistdir(self, path):
        """Yield the files; see os.ilistdir()."""
        for name in (self._name,) + tuple(self._texts):
            yield (name, _FILE, 0, self._size(name))

    def _size(self, name):
        if name == self._name:
            return self._length
        if name in self._texts:
            return len(self._texts[name])
        raise OSError(2)  # there is no such file
