"""Archives of the form cpio newc: written the same for the same content, and read.

Source: cpio(5), "New ASCII Format".
"""

from collections.abc import Iterable

from wedau.errors import OtaError

_MAGIC = b"070701"
_HEADER_BYTES = 110
_END = "TRAILER!!!"
_FILE_MODE = 0o100644


def pack(entries: Iterable[tuple[str, bytes]]) -> bytes:
    """Return an archive of files, in the order given; no times, no owners."""
    parts = [
        _entry(number, name, _FILE_MODE, data) for number, (name, data) in enumerate(entries, 1)
    ]
    return b"".join([*parts, _entry(0, _END, 0, b"")])


def _entry(number: int, name: str, mode: int, data: bytes) -> bytes:
    encoded = name.encode("ascii") + b"\0"
    # inode, mode, uid, gid, links, time, size, 2 x device, 2 x special device, name's size, check
    values = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(encoded), 0)
    header = _MAGIC + b"".join(b"%08X" % value for value in values)
    return _padded(header + encoded) + _padded(data)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def unpack(archive: bytes) -> list[tuple[str, bytes]]:
    """Return the files of an archive, in order.

    Raises:
        OtaError: it is no such archive or ends too early.
    """
    found: list[tuple[str, bytes]] = []
    at = 0
    while True:
        name, data, at = _next(archive, at)
        if name == _END:
            return found
        found.append((name, data))


def _next(archive: bytes, at: int) -> tuple[str, bytes, int]:
    header = archive[at : at + _HEADER_BYTES]
    try:
        if len(header) < _HEADER_BYTES or header[:6] != _MAGIC:
            raise ValueError
        size, name_size = int(header[54:62], 16), int(header[94:102], 16)
        name_end = at + _HEADER_BYTES + name_size
        start = name_end + -name_end % 4
        end = start + size
        if name_size < 1 or end > len(archive):
            raise ValueError
        name = archive[at + _HEADER_BYTES : name_end - 1].decode("ascii")
    except ValueError:
        raise OtaError(f"the cpio archive is damaged at byte {at}", "make it again") from None
    return name, archive[start:end], end + -end % 4
