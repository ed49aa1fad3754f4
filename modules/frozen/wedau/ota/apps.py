"""The application: files unpacked into one of two folders, of which one is on sys.path."""

import hashlib
import os
import sys

from wedau.ota.cpio import Unpacker
from wedau.ota.errors import OtaError
from wedau.ota.install import WOKEN, Installer
from wedau.ota.journal import APP, STORED, TRIAL

FOLDERS = ("/app/0", "/app/1")
_FOLDER_MODE = 0x4000
_MOST_FILES = 256


class Apps(Installer):
    """The two folders. ``live``: the record of the application that is on sys.path, or None."""

    kind = APP
    name = "app"

    def __init__(self, journal, buffer):
        """Nothing is read or decided yet; see Installer."""
        super().__init__(journal, buffer)
        self.live = None

    def resume(self, began):
        """Put the folder that this run uses on sys.path.

        Args:
            began: RESTARTED, WOKEN or POWERED: how this run did.
        """
        record = self._journal.confirmed(APP)
        last = self._journal.last(APP)
        if last is not None and last.state in (STORED, TRIAL):
            woken = last.state == TRIAL and began == WOKEN
            self.trial = last if woken else self._next_try(last, TRIAL, began)
            if self.trial is None:
                self.fail("crash")
            record = self.trial or record
        self.live = record
        if record is not None and FOLDERS[record.slot] not in sys.path:
            sys.path.insert(0, FOLDERS[record.slot])

    def source(self):
        """Return None: of an application only its files are kept, not its archive."""
        return None

    def _open(self):
        return _Folder(FOLDERS[self._free()], self._buffer)

    def _read_back(self, record):
        """Its files were read back when the archive was finished."""


class _Folder:
    """Takes an archive and writes its files."""

    def __init__(self, folder, buffer):
        self._folder, self._buffer = folder, buffer
        self._file = None

    def check(self, length):
        """Any length will do: the file system says when it is full."""

    def begin(self, length):
        """Start, or start anew, with an empty folder."""
        self._end_file()
        _remove(self._folder)
        _make_folders(self._folder + "/")
        self._unpacker = Unpacker(self._on_file, self._on_data)
        self._digests = {}

    def write(self, piece):
        """Take the next bytes.

        Raises:
            OtaError: format: it is no archive of files; space: the file system is full.
        """
        try:
            self._unpacker.write(piece)
        except OSError as error:
            raise OtaError("space", "the files do not fit: %r" % error)

    def finish(self):
        """Read every file back.

        Raises:
            OtaError: format: the archive has no end; flash: a file is not what was written.
        """
        self._end_file()
        if not self._unpacker.done or not self._digests:
            raise OtaError("format", "the archive is cut off, or empty")
        for path, digest in self._digests.items():
            if self._digest(path) != digest:
                raise OtaError("flash", "%s does not hold what was written" % path)

    def close(self):
        """Close what is open."""
        self._end_file()

    def _on_file(self, name, length):
        self._end_file()
        path = self._folder + "/" + name
        if path in self._digests or len(self._digests) == _MOST_FILES:
            raise OtaError("format", "the archive holds a file twice, or too many")
        _make_folders(path)
        self._file, self._sha = open(path, "wb"), hashlib.sha256()
        self._path = path
        self._digests[path] = None

    def _on_data(self, view):
        self._sha.update(view)
        if self._file.write(view) != len(view):
            raise OSError(28)  # no space left

    def _end_file(self):
        if self._file is not None:
            self._file.close()
            self._digests[self._path] = self._sha.digest()
            self._file = None

    def _digest(self, path):
        sha, view = hashlib.sha256(), memoryview(self._buffer)
        with open(path, "rb") as file:
            while True:
                n = file.readinto(view)
                if not n:
                    return sha.digest()
                sha.update(view[:n])


def _make_folders(path):
    """Make the folders above a path."""
    at = path.find("/", 1)
    while at > 0:
        try:
            os.mkdir(path[:at])
        except OSError:
            pass  # it is there; if not, open() says so
        at = path.find("/", at + 1)


def _remove(path):
    """Remove a folder with all that is in it, if it is there."""
    try:
        entries = list(os.ilistdir(path))
    except OSError:
        return
    for entry in entries:
        inside = path + "/" + entry[0]
        if entry[1] == _FOLDER_MODE:
            _remove(inside)
        else:
            os.remove(inside)
    os.rmdir(path)
