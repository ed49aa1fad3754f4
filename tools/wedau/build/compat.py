"""Build the modules named emlearn_*, for programs that were written for emlearn-micropython."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from wedau.build import natmod, package
from wedau.paths import resource

NATIVE = "wedau_compat"


def modules() -> list[str]:
    """Return the names of the modules in Python, such as "emlearn_trees"."""
    return sorted(path.stem for path in resource("modules", "compat").glob("*.py"))


def sources() -> list[Path]:
    """Return the C files of the native module, the one that binds it to MicroPython first."""
    folder = resource("modules", "compat")
    return [
        folder / f"{NATIVE}.c",
        folder / "wd_compat.c",
        resource("modules", "core", "wd_mathf.c"),
    ]


def build(
    arch: str, micropython: Path, *, say: Callable[[str], None] = lambda message: None
) -> dict[str, bytes]:
    """Compile them; on the board they need wedau_trees as well.

    Args:
        arch: one of wedau.build.targets.TARGETS.
        micropython: MicroPython's source, 1.25 or newer.
        say: called with the compiler's warnings.

    Returns:
        Content by name of file; what imports another, after it.

    Raises:
        BuildError, UsageError: as for wedau.build.natmod.build().
    """
    with tempfile.TemporaryDirectory(prefix="wedau-compat-") as folder:
        made = natmod.build(
            NATIVE,
            sources(),
            arch=arch,
            micropython=micropython,
            out=Path(folder),
            include=[resource("modules", "core")],
            say=say,
        )
        files = {made.path.name: made.path.read_bytes()}
    for name in modules():
        files[f"{name}.mpy"] = package.bytecode(resource("modules", "compat", f"{name}.py"), name)
    return files
