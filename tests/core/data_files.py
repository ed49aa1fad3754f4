"""Small data files of trees, from which the fuzzer begins.

``python tests/core/data_files.py FOLDER`` writes them there.
"""

import struct
import sys
import zlib
from pathlib import Path

import numpy as np

from wedau.convert.data import to_data
from wedau.convert.module import ModuleInfo
from wedau.models.trees import TreeArrays

N_FEATURES, N_CLASSES = 3, 3


def random_tree(random: np.random.Generator, most: int, n_features: int) -> TreeArrays:
    """A tree of up to so many nodes, in preorder."""
    rows: list[list[int]] = []

    def grow(room: int) -> int:
        at = len(rows)
        rows.append([-1, 0, -1, -1, int(random.integers(N_CLASSES)), 1])
        if room >= 3:
            left = int(random.integers(1, room - 1))
            threshold = int(random.integers(-32768, 32768))
            rows[at] = [int(random.integers(n_features)), threshold, -1, -1, -1, 1]
            rows[at][2] = grow(left)
            rows[at][3] = grow(room - 1 - left)
        return at

    grow(most)
    return TreeArrays(*np.array(rows, np.int64).T)


def small_file(n_trees: int, most: int, n_features: int = N_FEATURES, recipe: bytes = b"") -> bytes:
    """A data file of random trees of up to so many nodes each."""
    random = np.random.default_rng(n_trees * 1000 + most)
    info = ModuleInfo(
        name="m",
        version="1",
        labels=("a", "ä", "äb"),
        features=[f"f{i}" for i in range(n_features)],
        scale=np.full(n_features, 0.5, np.float32),
        recipe=recipe,
        data_sha256="0",
        wedau="0",
    )
    return to_data([random_tree(random, most, n_features) for _ in range(n_trees)], info)


def wide(data: bytes) -> bytes:
    """The same trees with wide nodes, which to_data() gives to large models only."""
    n_features, n_trees = struct.unpack_from("<HH", data, 6)
    n_nodes = struct.unpack_from("<I", data, 12)[0]
    at = 24 + 4 * n_trees + 4 * n_features
    roots = np.frombuffer(data, "<u4", n_trees, 24).copy()
    inner = roots < 1 << 31
    roots[inner] = roots[inner] // 3 * 4
    nodes = b""
    for feature, left, threshold, right in struct.iter_unpack("<BBhH", data[at : at + 6 * n_nodes]):
        way = 0x800000 + right % 256 if right >= 0x8000 else right // 3 * 4
        nodes += struct.pack("<HhI", feature, threshold, left | way << 8)
    head = data[:4] + b"\x01" + data[5:24]
    rest = data[24 + 4 * n_trees : at] + nodes + data[at + 6 * n_nodes : -4]
    whole = head + roots.tobytes() + rest
    return whole + struct.pack("<I", zlib.crc32(whole))


def seeds() -> list[bytes]:
    """Files of a few hundred bytes or less."""
    files = [small_file(1, 1), small_file(1, 3), small_file(3, 9), small_file(2, 19, recipe=b"xy")]
    files.append(small_file(9, 5))
    return files + [wide(f) for f in files] + [b"", b"WDT\x01"]


if __name__ == "__main__":
    for number, content in enumerate(seeds()):
        Path(sys.argv[1], str(number)).write_bytes(content)
