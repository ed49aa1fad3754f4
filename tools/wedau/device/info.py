"""What a board says about itself."""

from dataclasses import dataclass
from typing import Any

from wedau.convert.mpy import features

# Runs on the board; prints the dict that `parse` reads. The largest free block is in blocks of
# the heap, four words each.
PROBE = """
import sys, gc, os
def _w():
 i = sys.implementation
 r = {'name': i[0], 'version': '.'.join(str(n) for n in i[1][:3])}
 r['mpy'] = getattr(i, '_mpy', 0)
 r['machine'] = getattr(i, '_machine', sys.platform)
 r['platform'] = sys.platform
 r['maxsize'] = sys.maxsize
 r['path'] = sys.path
 gc.collect()
 r['free'] = gc.mem_free()
 r['used'] = gc.mem_alloc()
 try:
  s = os.statvfs('/lib' if 'lib' in os.listdir('/') else '/')
  r['flash'] = (s[1] or s[0], s[2], s[4])
 except (OSError, AttributeError):
  r['flash'] = None
 try:
  __import__('sim')
  r['sim'] = True
 except ImportError:
  r['sim'] = False
 return r
print(repr(_w()))
try:
 import micropython
 micropython.mem_info()
except (ImportError, AttributeError):
 pass
del _w
"""


@dataclass(frozen=True)
class BoardInfo:
    """What a board is and what is free on it, at the time it was asked.

    Attributes:
        port: where it is.
        version: MicroPython's, such as "1.28.0".
        platform: `sys.platform`.
        machine: the board's and the chip's name.
        arch: architecture of its native modules, such as "xtensawin"; "bytecode" if it takes none.
        mpy_version: version of the `.mpy` files that it takes.
        mpy_sub_version: version of the native interface.
        small_int_bits: of its small integers.
        heap_total_bytes: size of MicroPython's heap.
        heap_free_bytes: free after a collection.
        heap_largest_bytes: largest free block; None if the board does not tell.
        flash_total_bytes: size of the file system; 0 if there is none.
        flash_free_bytes: free in it.
        flash_block_bytes: what a file's size is rounded up to.
        search_path: `sys.path`.
        counts_instructions: whether it is a simulated board, with the module `sim`.
    """

    port: str
    version: str
    platform: str
    machine: str
    arch: str
    mpy_version: int
    mpy_sub_version: int
    small_int_bits: int
    heap_total_bytes: int
    heap_free_bytes: int
    heap_largest_bytes: int | None
    flash_total_bytes: int
    flash_free_bytes: int
    flash_block_bytes: int
    search_path: tuple[str, ...]
    counts_instructions: bool

    @property
    def native(self) -> bool:
        """Whether the board loads native modules."""
        return self.arch != "bytecode"


def parse(port: str, said: dict[str, Any], memory_report: str) -> BoardInfo:
    """Make a BoardInfo of what PROBE printed.

    Args:
        port: where the board is.
        said: the dict on its first line.
        memory_report: the lines after it, of `micropython.mem_info()`; may be empty.
    """
    sub_version, arch = features((said["mpy"] >> 8) & 0xFF)
    block, blocks, free_blocks = said["flash"] or (0, 0, 0)
    small_int_bits = said["maxsize"].bit_length()
    return BoardInfo(
        port=port,
        version=said["version"],
        platform=said["platform"],
        machine=said["machine"],
        arch=arch,
        mpy_version=said["mpy"] & 0xFF,
        mpy_sub_version=sub_version,
        small_int_bits=small_int_bits,
        heap_total_bytes=said["free"] + said["used"],
        heap_free_bytes=said["free"],
        heap_largest_bytes=_largest(memory_report, 4 if small_int_bits < 32 else 8),
        flash_total_bytes=block * blocks,
        flash_free_bytes=block * free_blocks,
        flash_block_bytes=block,
        search_path=tuple(said["path"]),
        counts_instructions=said["sim"],
    )


def _largest(memory_report: str, word_bytes: int) -> int | None:
    _, found, rest = memory_report.partition("max free sz: ")
    digits = rest.split(",")[0].split()[0].strip() if found else ""
    return int(digits) * 4 * word_bytes if digits.isdigit() else None
