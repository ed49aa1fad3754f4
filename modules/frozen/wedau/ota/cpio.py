"""Unpack an archive while it streams: an application's files, in the form "newc" of cpio.

Only plain files are taken; names are checked before anything is made of them.

Source: cpio(5), "New ASCII Format".
"""

from wedau.ota.errors import OtaError
from wedau.ota.fields import is_path

_HEADER_BYTES = 110
_MAGICS = (b"070701", b"070702")
_MODE, _SIZE, _NAME_SIZE = 1, 6, 11  # numbers of the fields behind the magic
_TYPE, _REGULAR = 0o170000, 0o100000
_MAX_NAME_BYTES = 256
_TRAILER = "TRAILER!!!"
_HEX = b"0123456789abcdefABCDEF"
_PRINTABLE = bytes(range(32, 127))


class Unpacker:
    """Takes an archive in pieces of any size.

    ``done``: whether its end was seen; what follows is ignored.
    """

    def __init__(self, on_file, on_data):
        """Nothing is unpacked yet.

        Args:
            on_file: called with name and length of each file, in order.
            on_data: called with the next bytes of that file, a memoryview.
        """
        self._on_file, self._on_data = on_file, on_data
        self._head = bytearray(_HEADER_BYTES + _MAX_NAME_BYTES + 3)
        self._filled, self._wanted = 0, _HEADER_BYTES
        self._left = self._padding = 0
        self.done = False

    def write(self, piece):
        """Take the next bytes.

        Raises:
            OtaError: format: it is no such archive, or a name is no plain path.
        """
        view = memoryview(piece)
        while len(view) and not self.done:
            if self._left:
                n = min(self._left, len(view))
                self._on_data(view[:n])
                self._left -= n
            elif self._padding:
                n = min(self._padding, len(view))
                self._padding -= n
            else:
                n = self._fill(view)
            view = view[n:]

    def _fill(self, view):
        """Collect a header with its name; return how many bytes were taken."""
        n = min(self._wanted - self._filled, len(view))
        self._head[self._filled : self._filled + n] = view[:n]
        self._filled += n
        if self._filled == self._wanted:
            if self._wanted == _HEADER_BYTES:
                self._wanted += _name_room(self._field(_NAME_SIZE))
            else:
                self._start()
        return n

    def _start(self):
        """Begin the file whose header and name are there."""
        self._need(bytes(self._head[:6]) in _MAGICS, "it is no archive")
        length = self._field(_NAME_SIZE)
        raw = bytes(self._head[_HEADER_BYTES : _HEADER_BYTES + length])
        self._need(raw[-1] == 0 and not raw[:-1].strip(_PRINTABLE), "bad name")
        name, size = raw[:-1].decode(), self._field(_SIZE)
        self._filled, self._wanted = 0, _HEADER_BYTES
        if name == _TRAILER:
            self.done = True
            return
        self._need(self._field(_MODE) & _TYPE == _REGULAR, "it holds more than files")
        self._need(is_path(name), "bad name")
        self._left, self._padding = size, -size % 4
        self._on_file(name, size)

    def _field(self, number):
        start = 6 + 8 * number
        digits = bytes(self._head[start : start + 8])
        self._need(not digits.strip(_HEX), "it is no archive")
        return int(digits, 16)

    def _need(self, condition, what):
        if not condition:
            raise OtaError("format", "the archive cannot be unpacked: " + what)


def _name_room(length):
    """Return the bytes of a name with what fills it up to a multiple of 4 from the header on."""
    if not 2 <= length <= _MAX_NAME_BYTES:
        raise OtaError("format", "the archive cannot be unpacked: bad name")
    return length + -(_HEADER_BYTES + length) % 4
