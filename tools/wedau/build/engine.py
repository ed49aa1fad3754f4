"""Build the engine for data files of trees, the native module wedau_trees."""

from collections.abc import Callable
from pathlib import Path

from wedau.build import natmod
from wedau.paths import resource

NAME = "wedau_trees"


def build(
    *,
    arch: str,
    micropython: Path,
    out: Path,
    say: Callable[[str], None] = lambda message: None,
) -> natmod.Natmod:
    """Build ``out/wedau_trees.mpy``, which loads the files of wedau.convert.data on the board.

    Args:
        arch: "xtensawin" (ESP32, ESP32-S2, ESP32-S3) or "x64".
        micropython: MicroPython's source, 1.25 or newer.
        out: an existing folder.
        say: called with the compiler's warnings.

    Raises:
        BuildError, UsageError: as for natmod.build().
    """
    core = resource("modules", "core")
    return natmod.build(
        NAME,
        [
            resource("modules", "bind", "trees", "wedau_trees.c"),
            core / "trees" / "wd_trees.c",
            core / "trees" / "wd_crc32.c",
            core / "wd_quantize.c",
            core / "wd_round.c",
        ],
        arch=arch,
        micropython=micropython,
        out=out,
        include=[core, core / "trees"],
        say=say,
    )
