"""The native modules that are the same for all models: one list of what each is made of."""

import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from wedau.build import monocypher, natmod
from wedau.paths import resource

FEATURES = "wedau_features"
TREES = "wedau_trees"
BASELINE = "wedau_baseline"
ED25519 = "wedau_ed25519"
DELTA = "wedau_delta"


_LINE = re.compile(r"^WEDAU_MODULES \+= (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Sources:
    """What a module is made of.

    Attributes:
        bind: the file that binds the rest to MicroPython.
        core: files in modules/core that it calls.
    """

    bind: Path
    core: tuple[Path, ...]

    @property
    def include(self) -> tuple[Path, ...]:
        """Folders with the headers of the core."""
        return tuple(sorted({path.parent for path in self.core}))


def modules() -> Mapping[str, Sources]:
    """Return what each module is made of, by its name; the list is modules/bind/modules.mk.

    wedau_features computes features, wedau_trees runs the files of wedau.convert.data,
    wedau_baseline learns on the board what is normal, wedau_ed25519 checks signatures, and
    wedau_delta applies patches.
    """
    found = {}
    for line in _LINE.findall(resource("modules", "bind", "modules.mk").read_text("utf-8")):
        bind, *patterns = line.split()
        core = [path for pattern in patterns for path in sorted(resource("modules").glob(pattern))]
        found[Path(bind).stem] = Sources(resource("modules", bind), tuple(dict.fromkeys(core)))
    return found


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
        name: one of modules().
        arch: one of wedau.build.targets.TARGETS.
        micropython: MicroPython's source, 1.25 or newer.
        out: an existing folder.
        say: called with the compiler's warnings.

    Raises:
        BuildError, UsageError: as for natmod.build().
    """
    made_of = modules()[name]
    with tempfile.TemporaryDirectory(prefix="wedau-runtime-") as temporary:
        extra = Path(temporary)
        if name == ED25519:
            monocypher.internal(extra, say=say)
        return natmod.build(
            name,
            [made_of.bind, *made_of.core],
            arch=arch,
            micropython=micropython,
            out=out,
            include=[*made_of.include, extra],
            say=say,
        )
