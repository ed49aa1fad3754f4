"""The C core by itself: unit tests under the sanitizers, a fuzzer, what compilers make of it."""

import io
import os
import random
import struct
import subprocess
from pathlib import Path

import data_files
import detools
import pytest

from wedau.paths import resource
from wedau.train import filters, recipe

HERE = Path(__file__).parent
CORE = resource("modules", "core")
COMPAT = resource("modules", "compat", "wd_compat.c")
# wd_ed25519.c needs Monocypher: test_ed25519.py.
SOURCES = sorted(path for path in CORE.rglob("*.c") if path.name != "wd_ed25519.c")
INCLUDE = [f"-I{folder}" for folder in sorted({path.parent for path in SOURCES})]
STRICT = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-Wconversion"]
STRICT += [
    "-Wdouble-promotion",
    "-Wfloat-conversion",
    "-Wstrict-prototypes",
    "-Wmissing-prototypes",
]
# Not float-divide-by-zero: what a feature gives then is defined.
SANITIZE = ["-O1", "-g", "-fno-sanitize-recover=all", *INCLUDE]
CHECKS = "address,undefined,float-cast-overflow"


def run(*command: str | Path, timeout: float = 240) -> str:
    done = subprocess.run(
        [str(c) for c in command], capture_output=True, text=True, timeout=timeout
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["test_baseline", "test_core", "test_trees"])
def test_core_passes_its_unit_tests_under_sanitizers(name: str, tmp_path: Path) -> None:
    program = tmp_path / name
    flags = [f"-fsanitize={CHECKS}", *SANITIZE]
    run("gcc", "-std=c99", *flags, HERE / f"{name}.c", *SOURCES, "-o", program, "-lm")
    assert run(program) == "all passed\n"


@pytest.mark.parametrize("compiler", ["gcc", "clang-22"])
def test_core_compiles_without_a_warning_and_fuses_nothing(compiler: str, tmp_path: Path) -> None:
    for source in (*SOURCES, COMPAT):
        for lanes in (1, 4):
            wide = [f"-DWD_LANES={lanes}", "-Wno-psabi", *INCLUDE]
            run(compiler, *STRICT, *wide, "-O2", "-c", source, "-o", tmp_path / "strict.o")
        fused = tmp_path / "fused.o"
        for lanes in (1, 8):
            wide = [f"-DWD_LANES={lanes}", "-Wno-psabi", *INCLUDE]
            run(compiler, "-std=gnu11", "-O3", "-mfma", *wide, "-c", source, "-o", fused)
            assert "vfm" not in run("objdump", "-d", fused), source.name


def test_core_includes_only_headers_of_the_compiler() -> None:
    allowed = {"<float.h>", "<stdbool.h>", "<stddef.h>", "<stdint.h>"}
    for path in CORE.rglob("*.[ch]"):
        for line in path.read_text().splitlines():
            if line.startswith("#include <"):
                assert line.split()[1] in allowed, f"{path.name}: {line}"


def test_features_do_not_depend_on_how_many_windows_go_side_by_side(tmp_path: Path) -> None:
    has_avx2 = "avx2" in Path("/proc/cpuinfo").read_text(encoding="utf-8")
    wide = {1: [], 4: [], 8: ["-mavx2"] if has_avx2 else []}
    sources = sorted(CORE.glob("*.c"))
    said = {}
    for compiler in ("gcc", "clang-22"):
        for lanes, options in wide.items():
            program = tmp_path / f"{compiler}-{lanes}"
            flags = ["-O3", f"-DWD_LANES={lanes}", "-Wno-psabi", "-ffp-contract=off", *INCLUDE]
            run(compiler, *flags, *options, HERE / "lanes.c", *sources, "-o", program)
            for i, blob in enumerate(b for b in _recipes() if len(b) > 8):
                (tmp_path / "recipe").write_bytes(blob)
                if blob[5] < 16:
                    bits = run(program, tmp_path / "recipe")
                    assert said.setdefault(i, bits) == bits, (compiler, lanes, i)
    assert len(said) == 4


def fuzz(name: str, seeds: list[bytes], folder: Path, *options: str) -> None:
    """Build the fuzz target of this name and let it run from these inputs."""
    program, corpus = folder / name, folder / "corpus"
    flags = [f"-fsanitize=fuzzer,{CHECKS}", *SANITIZE, *options]
    run("clang-22", *flags, HERE / f"{name}.c", *SOURCES, "-o", program)
    corpus.mkdir()
    for i, blob in enumerate(seeds):
        (corpus / str(i)).write_bytes(blob)
    seconds = os.environ.get("WEDAU_FUZZ_SECONDS", "10")
    executions = os.environ.get("WEDAU_FUZZ_EXECUTIONS")  # instead of a time
    enough = f"-runs={executions}" if executions else f"-max_total_time={seconds}"
    limits = ["-max_len=256", "-timeout=5", "-seed=1", enough]
    run(program, *limits, corpus, timeout=3600 if executions else float(seconds) + 120)


@pytest.mark.parametrize("lanes", [1, 4])
def test_recipe_parser_survives_a_fuzzer(lanes: int, tmp_path: Path) -> None:
    fuzz("fuzz_recipe", _recipes(), tmp_path, f"-DWD_LANES={lanes}", "-Wno-psabi")


def test_trees_loader_survives_a_fuzzer(tmp_path: Path) -> None:
    fuzz("fuzz_trees", data_files.seeds(), tmp_path)


def test_what_users_of_emlearn_call_survives_a_fuzzer(tmp_path: Path) -> None:
    seeds = [
        bytes([which]) + bytes(range(first, first + 96)) for which in range(5) for first in (0, 90)
    ]
    fuzz("fuzz_compat", seeds, tmp_path, f"-I{COMPAT.parent}", str(COMPAT))


def test_baseline_parser_survives_a_fuzzer(tmp_path: Path) -> None:
    fuzz("fuzz_baseline", [b"WDB", bytes(range(256))], tmp_path)


def test_patches_survive_a_fuzzer(tmp_path: Path) -> None:
    rng = random.Random(1)
    old = bytes((i * 167 + (i >> 3)) & 255 for i in range(500))
    seeds = []
    for size in (0, 20, 60):
        new, patch = old[200 : 200 + size // 2] + rng.randbytes(size - size // 2), io.BytesIO()
        detools.create_patch(
            io.BytesIO(old), io.BytesIO(new), patch, compression="heatshrink", use_mmap=False
        )
        seeds.append(bytes([100, size // 3, 7]) + patch.getvalue())
        seeds.append(bytes([100, size, 7, 0, 0, size]) + new + b"\0")
    fuzz("fuzz_delta", seeds, tmp_path)


def _recipes() -> list[bytes]:
    plans = [
        recipe.Recipe(("a",), ("",), 10.0, 8, 4, statistics=recipe.STATISTICS),
        recipe.Recipe(("a", "b"), ("", ""), 10.0, 9, 4, band_edges=(0, 3, 9), hann=True),
        recipe.Recipe(
            ("a", "b", "c"),
            ("",) * 3,
            10.0,
            4,
            4,
            magnitudes=(("m", (0, 1, 2)),),
            statistics=("mean",),
            correlations=((3, 0),),
        ),
        recipe.Recipe(
            ("a", "b"),
            ("",) * 2,
            10.0,
            9,
            12,
            filters=(filters.design("bandpass", 1, (1.0, 3.0), (0,), 10.0),),
            differences=(("d", 1), ("dd", 2)),
            mel_edges=(0.5, 2.0, 4.0, 8.0),
            quantiles=(0.0, 0.3, 1.0),
        ),
    ]
    return [p.blob for p in plans] + [b"", b"WDR", struct.pack("<3sBBBH", b"WDR", 1, 16, 16, 8192)]
