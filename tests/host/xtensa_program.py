"""Compile small C programs with the project's driver and run them on the simulated core."""

import functools
import struct
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from wedau.paths import resource

SUPPORT = Path(__file__).with_name("xtensa")
RUNTIME = resource("firmware", "xtensa", "rt")
FREESTANDING = ("-std=gnu11", "-ffreestanding", "-fno-builtin")


def compile_object(source: Path, target: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run the compiler driver on one source."""
    command = [sys.executable, "-m", "wedau.build.xtcc", *options]
    command += [f"-I{SUPPORT}", "-c", str(source), "-o", str(target)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def build(folder: Path, sources: Sequence[str], *options: str) -> Path:
    """Compile C texts, link them with the run-time helpers, return the program."""
    objects = list(_runtime_objects())
    for number, source in enumerate(sources):
        path = folder / f"source{number}.c"
        path.write_text('#include "test.h"\n' + source)
        objects.append(_compiled(path, folder / f"{number}.o", *options))
    program = folder / "program"
    linked = link(program, objects)
    assert linked.returncode == 0, linked.stderr
    return program


def link(program: Path, objects: Sequence[Path]) -> "subprocess.CompletedProcess[str]":
    """Link objects as the simulated board's firmware is linked."""
    command = ["xtensa-lx106-elf-ld", "--no-relax", "-z", "noexecstack", "--gc-sections"]
    command += ["--no-warn-rwx-segments", "-T", str(SUPPORT / "test.ld"), "-o", str(program)]
    return subprocess.run(
        [*command, *map(str, objects)], capture_output=True, text=True, check=False, timeout=60
    )


def run(program: Path, stdin: bytes = b"") -> bytes:
    """Run a program on the core that the ESP32-S3's is tested as; return what it wrote."""
    result = subprocess.run(
        ["qemu-xtensa", "-cpu", "de233_fpu", str(program)],
        input=stdin,
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert result.returncode == 0, (result.returncode, result.stderr)
    return result.stdout


@functools.cache
def _runtime_folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="wedau-test-rt-")


@functools.cache
def _runtime_objects() -> tuple[Path, ...]:
    """Compile the start code and the helpers once, with the warnings that our code is free of."""
    folder = Path(_runtime_folder().name)
    flags = ("-Os", "-Wall", "-Wextra", "-Werror", "-Wdouble-promotion", "-Wfloat-conversion")
    sources = [SUPPORT / "start.S", *sorted(RUNTIME.glob("*.c"))]
    return tuple(_compiled(s, folder / f"{s.stem}.o", *flags) for s in sources)


def _compiled(source: Path, target: Path, *options: str) -> Path:
    result = compile_object(source, target, *FREESTANDING, *options)
    assert result.returncode == 0 and not result.stderr, result.stderr
    return target


def words(output: bytes) -> list[int]:
    """Split what test_put() wrote into unsigned words."""
    return list(struct.unpack(f"<{len(output) // 4}I", output))
