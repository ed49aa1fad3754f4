"""The native modules that are the same for all models: one list of what each is made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from wedau.build import natmod
from wedau.paths import resource

FEATURES = "wedau_features"
TREES = "wedau_trees"
BASELINE = "wedau_baseline"


@dataclass(frozen=True)
class Sources:
    """What a module is made of.

    Attributes:
        bind: folder in modules/bind; its C binds the rest to MicroPython.
        core: files in modules/core, as patterns.
        include: folders in modules/core with headers, besides itself.
    """

    bind: str
    core: tuple[str, ...]
    include: tuple[str, ...] = ()


MODULES: Mapping[str, Sources] = {
    FEATURES: Sources("features", ("*.c",)),
    TREES: Sources(
        "trees",
        ("trees/wd_trees.c", "trees/wd_crc32.c", "wd_quantize.c", "wd_round.c"),
        ("trees",),
    ),
    BASELINE: Sources(
        "baseline",
        ("baseline/wd_baseline.c", "trees/wd_crc32.c", "wd_mathf.c"),
        ("baseline", "trees"),
    ),
}
"""wedau_features computes features, wedau_trees runs the files of wedau.convert.data, and
wedau_baseline learns on the board what is normal."""


def build(
    name: str,
    *,
    arch: str,
    micropython: Path,
    out: Path,
    say: Callable[[str], None] = lambda message: None,
) -> natmod.Natmod:
    """Build ``out/NAME.mpy``.

    Args:
        name: one of MODULES.
        arch: "xtensawin" (ESP32, ESP32-S2, ESP32-S3) or "x64".
        micropython: MicroPython's source, 1.25 or newer.
        out: an existing folder.
        say: called with the compiler's warnings.

    Raises:
        BuildError, UsageError: as for natmod.build().
    """
    made_of = MODULES[name]
    core = resource("modules", "core")
    files = [path for pattern in made_of.core for path in sorted(core.glob(pattern))]
    return natmod.build(
        name,
        [resource("modules", "bind", made_of.bind, f"{name}.c"), *files],
        arch=arch,
        micropython=micropython,
        out=out,
        include=[core, *(core / folder for folder in made_of.include)],
        say=say,
    )
