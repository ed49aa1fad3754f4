"""Build the native module wedau_baseline, which learns on the board what is normal."""

from collections.abc import Callable
from pathlib import Path

from wedau.build import natmod
from wedau.paths import resource

NAME = "wedau_baseline"


def build(
    *,
    arch: str,
    micropython: Path,
    out: Path,
    say: Callable[[str], None] = lambda message: None,
) -> natmod.Natmod:
    """Build ``out/wedau_baseline.mpy``, which wedau.Baseline on the board imports.

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
            resource("modules", "bind", "baseline", "wedau_baseline.c"),
            core / "baseline" / "wd_baseline.c",
            core / "trees" / "wd_crc32.c",
            core / "wd_mathf.c",
        ],
        arch=arch,
        micropython=micropython,
        out=out,
        include=[core, core / "baseline", core / "trees"],
        say=say,
    )
