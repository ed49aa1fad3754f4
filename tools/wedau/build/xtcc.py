"""A compiler driver for the ESP32-S3, called like gcc: ``python -m wedau.build.xtcc -c x.c``.

It runs clang 22 or newer and works round what that does wrong for Xtensa
(docs/explanation/compiler.md). It compiles, assembles and preprocesses; it does not link.

Its one option of its own is ``--literals=function`` (the default: each function's literals in a
section beside it, for linking with --gc-sections) or ``--literals=file`` (all in ``.literal``, as
MicroPython's mpy_ld.py wants them).
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wedau.build import clang, literals, selects
from wedau.errors import BuildError, WedauError

_Result = subprocess.CompletedProcess[str]

_SELECT_BUG = "TargetConstantPool"
_SOURCES = (".c", ".S", ".s")
_ASSEMBLY = (".S", ".s")
# Options whose value is the next argument, so that a value is not taken for a source file.
_WITH_VALUE = frozenset(
    ["-I", "-isystem", "-iquote", "-idirafter", "-include", "-imacros", "-D", "-U", "-x"]
    + ["-MF", "-MT", "-MQ", "-Xclang", "-mllvm"]
)
_ENDS_EARLY = frozenset(["-E", "-M", "-MM", "-S", "-fsyntax-only"])


@dataclass
class Job:
    """One call: what to compile, where to, and the options in between."""

    sources: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    output: str | None = None
    compiles: bool = False
    per_function: bool = True


def parse(args: Sequence[str]) -> Job:
    """Sort the arguments of a gcc-like call.

    Raises:
        BuildError: an option lacks its value or has a wrong one.
    """
    job = Job()
    words = iter(args)
    for word in words:
        if word == "-o":
            job.output = _value(word, words)
        elif word.startswith("--literals="):
            job.per_function = _literal_mode(word.removeprefix("--literals="))
        elif word == "-c":
            job.compiles = True
        elif word in _WITH_VALUE:
            job.options += [word, _value(word, words)]
        elif not word.startswith("-") and word.endswith(_SOURCES):
            job.sources.append(word)
        else:
            job.options.append(word)
    return job


def run(args: Sequence[str]) -> int:
    """Do what a gcc-like call asks for; the compiler's words go to stderr.

    Returns:
        The exit code: 0, or the compiler's.

    Raises:
        BuildError: the compiler or its headers are missing, or the source needs something that
            clang compiles wrongly for Xtensa.
    """
    job = parse(args)
    if _ENDS_EARLY.intersection(job.options) or not job.sources:
        return _pass_on(job)
    if not job.compiles:
        raise BuildError(
            "xtcc compiles and does not link", "use -c here, and xtensa-lx106-elf-ld for linking"
        )
    if len(job.sources) != 1:
        raise BuildError(f"{len(job.sources)} sources given, xtcc takes one", "call it for each")
    output = Path(job.output or Path(job.sources[0]).with_suffix(".o").name)
    with tempfile.TemporaryDirectory(prefix="wedau-xtcc-") as folder:
        if job.sources[0].endswith(_ASSEMBLY):
            return _assemble_source(job, output, Path(folder))
        return _compile(job, output, Path(folder))


def main() -> None:
    """Run as a program."""
    try:
        code = run(sys.argv[1:])
    except WedauError as error:
        sys.stderr.write(f"error: {error.message}\nhint: {error.hint}\n")
        code = error.exit_code
    sys.exit(code)


def _pass_on(job: Job) -> int:
    """Preprocess, list dependencies, or answer --version: clang can do these alone."""
    output = ["-o", job.output] if job.output else []
    command = _clang(job.options) + [*job.sources, *output]
    return subprocess.run(command, check=False).returncode


def _compile(job: Job, output: Path, folder: Path) -> int:
    assembly = folder / "clang.s"
    options = job.options + _dependencies(job.options, output)
    result = _run([*_clang(options), "-S", job.sources[0], "-o", str(assembly)])
    if result.returncode and _SELECT_BUG in result.stderr:
        result = _compile_by_ir(job, options, assembly)
    _refuse_crash(result, job.sources[0])
    sys.stderr.write(result.stderr)
    if result.returncode:
        return result.returncode
    placed = folder / "placed.s"
    placed.write_text(literals.place(assembly.read_text(), per_function=job.per_function))
    return _assemble(placed, output, [f for f in job.options if f.startswith("-I")])


def _compile_by_ir(job: Job, options: list[str], assembly: Path) -> _Result:
    """Optimise as usual, rewrite the selects that cannot be compiled, then only generate code."""
    ir = assembly.with_suffix(".ll")
    result = _run([*_clang(options), "-S", "-emit-llvm", job.sources[0], "-o", str(ir)])
    if result.returncode:
        return result
    text = selects.rewrite(ir.read_text())
    generated = _generate(job, text, ir, assembly)
    if generated.returncode and _SELECT_BUG in generated.stderr:
        generated = _generate(job, selects.hide_integers(text), ir, assembly)
    generated.stderr = result.stderr + generated.stderr
    return generated


def _generate(job: Job, text: str, ir: Path, assembly: Path) -> _Result:
    ir.write_text(text)
    kept = _generator_options(job.options)
    generate = ["-Wno-override-module", "-Wno-unused-command-line-argument"]
    generate += ["-Xclang", "-disable-llvm-passes", "-x", "ir"]
    return _run([*_clang(kept), *generate, "-S", str(ir), "-o", str(assembly)])


def _generator_options(options: Sequence[str]) -> list[str]:
    """Return the options that matter after the optimiser has run."""
    words = iter(options)
    kept = []
    for word in words:
        if word.startswith(("-O", "-g", "-ffunction-", "-fdata-", "-ffp-")):
            kept.append(word)
        elif word in _WITH_VALUE:
            value = next(words)
            kept += [word, value] if word == "-mllvm" else []
    return kept


def _refuse_crash(result: _Result, source: str) -> None:
    """Say in one line where the compiler gave up, instead of with a stack trace."""
    crash = re.search(r"error in backend: (.*)\n(?:In function: (\w+))?", result.stderr)
    if result.returncode and crash:
        where = f"{crash[2]}() in {source}" if crash[2] else source
        raise BuildError(
            f"clang cannot compile {where} for Xtensa: {crash[1]}",
            "write it in another way, or use ESP-IDF's gcc (WEDAU_XTENSA_GCC)",
        )


def _assemble_source(job: Job, output: Path, folder: Path) -> int:
    """Preprocess hand-written assembly, then assemble it."""
    expanded = folder / "expanded.s"
    options = job.options + _dependencies(job.options, output)
    expand = ["-E", "-x", "assembler-with-cpp", job.sources[0], "-o", str(expanded)]
    result = _run([*_clang(options), *expand])
    sys.stderr.write(result.stderr)
    return result.returncode or _assemble(expanded, output, [])


def _assemble(source: Path, output: Path, options: list[str]) -> int:
    """Assemble with cc1as: the clang driver drops the target's features for assembly."""
    command = [clang.find(), "-cc1as", "-triple", "xtensa-esp-unknown-elf", "-filetype", "obj"]
    for feature in clang.ASSEMBLER_FEATURES:
        command += ["-target-feature", f"+{feature}"]
    result = _run([*command, *options, str(source), "-o", str(output)])
    sys.stderr.write(result.stderr)
    return result.returncode


def _dependencies(options: Sequence[str], output: Path) -> list[str]:
    """Return what -MD needs so that the rule names the object, not the temporary assembly."""
    if not {"-MD", "-MMD"}.intersection(options):
        return []
    extra = [] if "-MF" in options else ["-MF", str(output.with_suffix(".d"))]
    named = {"-MT", "-MQ"}.intersection(options)
    return extra if named else [*extra, "-MT", str(output)]


def _clang(options: Sequence[str]) -> list[str]:
    return [clang.find(), *clang.compile_flags(), *options, *clang.FORCED]


def _run(command: Sequence[str]) -> _Result:
    result = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    if "unknown target triple 'xtensa" in result.stderr:
        raise BuildError(
            f"{command[0]} was built without the Xtensa target",
            "use clang 22 or newer as Debian builds it, with LLVM's experimental Xtensa target",
        )
    return result


def _value(option: str, words: Iterator[str]) -> str:
    value = next(words, None)
    if value is None:
        raise BuildError(f"the option {option} lacks its value", f"write {option} VALUE")
    return value


def _literal_mode(mode: str) -> bool:
    if mode not in ("function", "file"):
        raise BuildError(f"unknown --literals={mode}", "use --literals=function or --literals=file")
    return mode == "function"


if __name__ == "__main__":
    main()
