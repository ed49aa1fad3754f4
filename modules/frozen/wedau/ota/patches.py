"""A payload made of the one that is live and a patch that streams."""

import binascii

from wedau.ota.errors import OtaError

_PIECE_BYTES = 256


def source(installer):
    """Return area and record of what a patch can apply to, or None."""
    try:
        import wedau_delta  # noqa: F401
    except ImportError:
        return None
    record = installer.source()
    return None if record is None else (installer.area(record), record)


def find(target, live, targets):
    """Return the path of the patch from what is live to a target, or None."""
    sha256 = binascii.hexlify(live[1].sha256).decode()
    for delta in target["custom"].get("delta", ()):
        path = delta["path"]
        if delta["from"] == sha256 and path in targets and "sha256" in targets[path]["hashes"]:
            return path
    return None


class Sink:
    """Takes a patch and gives an installer the payload; see wedau.ota.download.

    ``piece``: bytearray for the next bytes of the patch.
    """

    def __init__(self, installer, live, length, out):
        """Allocate what applying a patch needs.

        Args:
            installer: that was prepared.
            live: area and record of what the patch applies to.
            length: of the payload.
            out: bytearray of a sector, for the payload.
        """
        import wedau_delta

        self._new = wedau_delta.patch
        self._window = bytearray(wedau_delta.WINDOW_BYTES)
        self._installer, self._length = installer, length
        self._area, self._record = live
        self._old, self.piece = bytearray(_PIECE_BYTES), bytearray(_PIECE_BYTES)
        self._out = out

    def begin(self, length):
        """Start, or start anew; length is the patch's."""
        self._installer.begin(self._length)
        sizes = (self._record.length, self._length)
        buffers = (self._window, self._old, self._out)
        self._patch = self._new(self._read, self._write, *(sizes + buffers))

    def write(self, piece):
        """Take the next bytes of the patch.

        Raises:
            OtaError: patch: it is damaged, or one between other payloads.
        """
        try:
            self._patch.feed(piece)
        except ValueError as error:
            raise OtaError("patch", "the patch is damaged: %r" % error)

    def _read(self, offset, n):
        self._area.read(offset, memoryview(self._old)[:n])

    def _write(self, n):
        self._installer.write(memoryview(self._out)[:n])
