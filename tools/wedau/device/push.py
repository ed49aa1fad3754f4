"""Put files on a board so that an interruption at any point leaves the old ones working.

Every file is written under another name beside its place, read back and compared by hash on the
board, and only when all of them are there renamed over the old ones, in one go on the board. On
littlefs, the file system of MicroPython's ESP32 boards, a rename replaces in one step even if
power fails. FAT has no such step: there MicroPython's rename removes the old file first, and power
that fails within these milliseconds leaves the new one under its other name.
"""

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from wedau.convert import mpy
from wedau.device.info import BoardInfo
from wedau.device.link import Board, BoardError
from wedau.device.stream import Stream
from wedau.errors import DataError, DeviceError

FIRMWARE = "firmware"
_STAGED = ".wedau-new"
_CHUNK_BYTES = 4096
_HASH_S = 60.0

# Directory entries and, on littlefs, the copies it makes of a folder's blocks when that changes.
_SLACK_BLOCKS = 2

# Removes what an interrupted push left; lists what the folder holds of the names to come, which may
# lie in folders of it: packages.
_PREPARE = """
import os, sys
from hashlib import sha256
def digest(path):
 h = sha256()
 b = memoryview(bytearray(512))
 with open(path, 'rb') as f:
  while True:
   n = f.readinto(b)
   if not n:
    return h.digest().hex() if hasattr(b'', 'hex') else ''.join('%02x' % c for c in h.digest())
   h.update(b[:n])
def look(folder, inside, staged, names, there):
 at = folder.rstrip('/') + '/' + inside
 try:
  os.mkdir(at.rstrip('/'))
 except OSError:
  pass
 for entry in os.ilistdir(at.rstrip('/') or '/'):
  name = inside + entry[0]
  if name.endswith(staged):
   os.remove(at + entry[0])
  elif name in names and entry[1] == 0x8000:
   there[name] = digest(at + entry[0])
def prepare(folder, staged, names):
 there = {}
 for inside in sorted(set([''] + [name[:name.rfind('/') + 1] for name in names])):
  look(folder, inside, staged, names, there)
 s = os.statvfs(folder)
 return there, s[1] or s[0], s[4]
"""

# Says what a module's import would find before the file in the folder: a path, or "firmware".
_SHADOW = """
import os, sys
def exists(path):
 try:
  os.stat(path)
  return True
 except OSError:
  return False
def inside(name, path):
 old, held = sys.path[:], sys.modules.pop(name, None)
 sys.path[:] = path
 try:
  __import__(name)
  return True
 except ImportError:
  return False
 finally:
  sys.path[:] = old
  sys.modules.pop(name, None)
  if held is not None:
   sys.modules[name] = held
def shadow(name, folder, ending):
 if inside(name, []):
  return 'firmware'
 for place in sys.path:
  if place == '.frozen':
   if inside(name, [place]):
    return 'firmware'
   continue
  at = (place or os.getcwd()).rstrip('/') or '/'
  base = at.rstrip('/') + '/' + name
  for suffix in ('', '.py', '.mpy'):
   if at == folder and suffix == ending:
    return None
   if exists(base + suffix):
    return base + suffix
 return None
"""

_WRITE = """
def write(path, size):
 with open(path, 'wb') as f:
  while size:
   n = min(size, CHUNK)
   if f.write(take(n)) != n:
    raise OSError(28)
   size -= n
write(PATH, SIZE)
"""

_RENAME = """
def rename(pairs, leaving):
 for old, new in pairs:
  os.rename(old, new)
 for old in leaving:
  os.remove(old)
 if hasattr(os, 'sync'):
  os.sync()
rename({pairs}, {leaving})
"""


@dataclass(frozen=True)
class Pushed:
    """What a push did.

    Attributes:
        folder: where the files are now.
        names: all files that were to be there.
        unchanged: those of them that were there before, bit for bit, and were not sent.
        sent_bytes: size of the others.
        seconds: how long it took.
    """

    folder: str
    names: tuple[str, ...]
    unchanged: tuple[str, ...]
    sent_bytes: int
    seconds: float


def push(
    board: Board,
    files: Mapping[str, bytes],
    *,
    needs_heap_bytes: int | None = None,
    supersedes: Mapping[str, bytes] | None = None,
    folder: str | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Pushed:
    """Put files on a board, all or none; an import that follows finds the new ones.

    Args:
        board: open; it is soft reset in the end.
        files: contents by file name, in the order in which they become valid: a model last,
            after what it imports. PACKAGE/NAME for a module inside a package.
        needs_heap_bytes: what importing takes of the board's heap; None if it is not known.
        supersedes: files that are removed once the new ones are there, if they are just these;
            such as a module in another format, which would be imported first.
        folder: where to; /lib if the board imports from there, else /.
        on_progress: called with the bytes sent and those to send.

    Raises:
        DataError: a name that is no plain file name, a `.mpy` file that is none.
        DeviceError: a `.mpy` file of another architecture or version, one that an import would
            never reach, too little flash or heap (with the numbers), or the board breaks off. The
            files on the board are then the old ones, or, if it breaks off during the renames, all
            of the new ones.
    """
    start = time.monotonic()
    folder = folder or _default_folder(board)
    for name, data in files.items():
        check_loads(board.info, name, data)
    _check_heap(board, files, needs_heap_bytes)
    leaving = _leaving(board, supersedes or {}, folder)
    _check_shadows(board, files, folder, leaving)
    there, block_bytes, free_blocks = _prepare(board, folder, files)
    unchanged = [name for name, data in files.items() if there.get(name) == _sha256(data)]
    fresh = {name: data for name, data in files.items() if name not in unchanged}
    _check_flash(board, fresh, block_bytes, free_blocks)
    try:
        _stage(board, folder, fresh, on_progress)
    except BoardError as error:
        raise _not_written(board, folder, fresh, error) from None
    pairs = [(_path(folder, name + _STAGED), _path(folder, name)) for name in fresh]
    board.run(_RENAME.format(pairs=pairs, leaving=leaving), timeout_s=_HASH_S)
    board.soft_reset()
    return Pushed(
        folder=folder,
        names=tuple(files),
        unchanged=tuple(unchanged),
        sent_bytes=sum(map(len, fresh.values())),
        seconds=time.monotonic() - start,
    )


def hashes(board: Board, names: Sequence[str]) -> dict[str, str]:
    """Return the SHA-256, in hex, of those files that are on the board where push() puts them.

    Args:
        board: open.
        names: of files, without their folder.
    """
    return _prepare(board, _default_folder(board), names)[0]


def find_module(board: Board, name: str) -> str | None:
    """Return where an import on the board would find a module: a path or FIRMWARE; None: nowhere.

    Args:
        board: open.
        name: of a module, not of one inside a package.
    """
    board.run(_SHADOW)
    found: str | None = board.call("shadow", name, "", "")
    return found


def check_loads(board: BoardInfo, name: str, data: bytes) -> None:
    """Check that a board can load a file, before anything is sent.

    Args:
        board: which one.
        name: of the file; only a `.mpy` is looked into.
        data: its content.

    Raises:
        DataError: the name is no plain file name, or a `.mpy` file is none.
        DeviceError: it is for another architecture or version.
    """
    if not _is_plain(name):
        raise DataError(f"'{name}' is not a plain file name", "push files without their folder")
    if not name.endswith(".mpy"):
        return
    header = mpy.inspect_bytes(data, name)
    if header.native and not mpy.loads(board.arch, header.arch):
        takes = f"is {board.arch}" if board.native else "takes no native modules"
        rebuild = f"build it again with '--arch {board.arch}'"
        raise DeviceError(
            f"{name} is for {header.arch}, the board at {board.port} {takes}",
            rebuild if board.native else "use a board whose firmware loads native modules",
        )
    theirs = (header.version, header.sub_version if header.native else board.mpy_sub_version)
    if theirs != (board.mpy_version, board.mpy_sub_version):
        raise DeviceError(
            f"{name} has .mpy version {header.version}.{header.sub_version}, the board at "
            f"{board.port} takes {board.mpy_version}.{board.mpy_sub_version}",
            f"build it again; the board has MicroPython {board.version}",
        )
    if header.small_int_bits > board.small_int_bits:
        raise DeviceError(
            f"{name} needs small integers of {header.small_int_bits} bits, the board at "
            f"{board.port} has {board.small_int_bits}",
            "compile it again with '-msmall-int-bits=31'",
        )


def _is_plain(name: str) -> bool:
    """Whether it is the name of a file, or of one in a package."""
    return not name.endswith(_STAGED) and all(
        part and part == PurePosixPath(part).name and part != ".." and "\\" not in part
        for part in name.split("/")
    )


def _check_heap(board: Board, files: Mapping[str, bytes], needs: int | None) -> None:
    if needs is None or needs <= board.probe().heap_free_bytes:
        return
    board.soft_reset()
    info = board.probe()
    free = info.heap_free_bytes
    if needs > free:
        raise DeviceError(
            f"{_last(files)} needs {needs} bytes of heap, the board at {board.port} has {free} "
            f"free of {info.heap_total_bytes}",
            "train fewer or shallower trees, or use a board with PSRAM",
        )


def _leaving(board: Board, files: Mapping[str, bytes], folder: str) -> list[str]:
    """Return the paths of those of these files that are in the folder, just so."""
    there = _prepare(board, folder, files)[0] if files else {}
    return [_path(folder, name) for name, data in files.items() if there.get(name) == _sha256(data)]


def _check_shadows(
    board: Board, files: Mapping[str, bytes], folder: str, leaving: Sequence[str]
) -> None:
    board.run(_SHADOW)
    for name in files:
        stem, _, ending = name.rpartition(".")
        if ending not in ("py", "mpy"):
            continue
        package = name.split("/")[0] if "/" in name else ""
        stem = package or stem
        first = board.call("shadow", stem, folder, "" if package else f".{ending}")
        if first == FIRMWARE:
            raise DeviceError(
                f"'import {stem}' would not find {name}: the firmware has a module '{stem}'",
                "give the model another name",
            )
        if first is not None and first not in leaving:
            raise DeviceError(
                f"'import {stem}' would not find {folder}/{name}: {first} comes first",
                f"remove it with 'mpremote connect {board.port} fs rm :{first}', "
                "or give the model another name",
            )


def _default_folder(board: Board) -> str:
    return "/lib" if "/lib" in board.info.search_path else "/"


def _prepare(board: Board, folder: str, names: Iterable[str]) -> tuple[dict[str, str], int, int]:
    board.run(_PREPARE)
    try:
        answer = board.call("prepare", folder, _STAGED, list(names), timeout_s=_HASH_S)
    except BoardError as error:
        raise DeviceError(
            f"the folder {folder} on the board at {board.port} cannot be used: {error.last_line}",
            "check the board's file system with 'wedau repl', or push to another folder",
        ) from None
    there, block_bytes, free_blocks = answer
    return there, block_bytes, free_blocks


def _check_flash(
    board: Board, files: Mapping[str, bytes], block_bytes: int, free_blocks: int
) -> None:
    if not files:
        return
    blocks = sum(-(-len(data) // block_bytes) for data in files.values()) + _SLACK_BLOCKS
    if blocks > free_blocks:
        raise DeviceError(
            f"{_last(files)} needs {blocks * block_bytes} bytes of flash, the board at "
            f"{board.port} has {free_blocks * block_bytes} free",
            "remove files from the board, or train fewer or shallower trees",
        )


def _stage(
    board: Board,
    folder: str,
    files: Mapping[str, bytes],
    on_progress: Callable[[int, int], None] | None,
) -> None:
    """Write all files beside their places and compare what is in the flash with what was sent."""
    total = sum(map(len, files.values()))
    sent = 0

    def on_piece(count: int) -> None:
        nonlocal sent
        sent += count
        if on_progress:
            on_progress(sent, total)

    for name, data in files.items():
        path = _path(folder, name + _STAGED)
        program = _WRITE.replace("CHUNK", str(_CHUNK_BYTES))
        program = program.replace("PATH", repr(path)).replace("SIZE", str(len(data)))
        with Stream(board, program) as stream:
            stream.give(data, on_piece)
        if board.call("digest", path, timeout_s=_HASH_S) != _sha256(data):
            raise DeviceError(
                f"{path} on the board at {board.port} is not what was sent",
                "try again; if it stays, the board's flash is worn out",
            )


def _not_written(
    board: Board, folder: str, files: Mapping[str, bytes], error: BoardError
) -> DeviceError:
    """Clear up after the board could not write, and say why it could not."""
    _, block_bytes, free_blocks = _prepare(board, folder, ())
    if "ENOSPC" not in error.last_line and "OSError: 28" not in error.last_line:
        return error
    needed = sum(map(len, files.values()))
    return DeviceError(
        f"the flash of the board at {board.port} is full: {_last(files)} needs {needed} bytes, "
        f"{free_blocks * block_bytes} are free",
        "remove files from the board; what was on it before still works",
    )


def _last(files: Mapping[str, bytes]) -> str:
    return list(files)[-1]


def _path(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}"


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
