"""The device's layers: bind -> core, never the reverse, read from what the sources include."""

import re
from pathlib import Path

from wedau.paths import resource

MODULES = resource("modules")
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]', re.MULTILINE)

# What C99 gives without an operating system; no stdio.h, stdlib.h, time.h.
FREESTANDING = {"float.h", "limits.h", "stdbool.h", "stddef.h", "stdint.h"}
# The generated header of a model stands for no layer.
GENERATED = {"model.h"}


def includes(folder: Path) -> dict[str, set[str]]:
    """What each C file below a folder includes."""
    return {
        path.relative_to(folder).as_posix(): set(_INCLUDE.findall(path.read_text("utf-8")))
        for path in sorted(folder.rglob("*.[ch]"))
    }


def wrong_includes(folder: Path, allowed: set[str], prefix: str = "\0") -> list[str]:
    return [
        f"{file}: {name}"
        for file, names in includes(folder).items()
        for name in sorted(names)
        if name not in allowed and not name.startswith(prefix)
    ]


def core_headers() -> set[str]:
    return {path.name for path in (MODULES / "core").rglob("*.h")}


def test_core_includes_nothing_but_itself_and_freestanding_c99() -> None:
    assert len(includes(MODULES / "core")) > 10
    # Monocypher is fetched, and as freestanding.
    allowed = core_headers() | FREESTANDING | {"monocypher.c"}
    assert wrong_includes(MODULES / "core", allowed) == []


def test_core_neither_allocates_nor_prints() -> None:
    call = re.compile(r"\b(malloc|calloc|realloc|free|printf|puts|fopen|m_new|mp_\w+)\s*\(")
    found = [
        f"{path.name}: {call.search(path.read_text('utf-8'))}"
        for path in (MODULES / "core").rglob("*.[ch]")
        if call.search(path.read_text("utf-8"))
    ]
    assert found == []


def test_bindings_include_core_and_micropython_only() -> None:
    allowed = core_headers() | GENERATED
    assert len(includes(MODULES / "bind")) > 1
    assert wrong_includes(MODULES / "bind", allowed, prefix="py/") == []


def test_bindings_know_no_frozen_module() -> None:
    """C could reach Python by importing it."""
    for path in (MODULES / "bind").rglob("*.[ch]"):
        assert "mp_import" not in path.read_text("utf-8"), path


def test_bindings_hold_c_only() -> None:
    assert list((MODULES / "bind").rglob("*.py")) == []
    assert list((MODULES / "core").rglob("*.py")) == []


def test_a_wrong_include_is_found(tmp_path: Path) -> None:
    (tmp_path / "bad.c").write_text('#include <stdint.h>\n  # include "py/obj.h"\n')
    assert wrong_includes(tmp_path, FREESTANDING) == ["bad.c: py/obj.h"]
