"""The compiler driver as makefiles call it."""

import subprocess
import sys
from pathlib import Path

import pytest

from wedau.build import compilers, selects, xtcc
from wedau.errors import BuildError


def call(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "wedau.build.xtcc", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "part.h").write_text("#define VALUE 0x12345678\n")
    path = tmp_path / "part.c"
    path.write_text('#include "part.h"\nint value(void) { return VALUE; }\n')
    return path


def test_dependencies_name_the_object(source: Path) -> None:
    folder = source.parent
    (folder / "build").mkdir()
    result = call(folder, "-MD", "-c", "part.c", "-o", "build/part.o")
    assert result.returncode == 0, result.stderr
    rule = (folder / "build" / "part.d").read_text()
    assert rule.startswith("build/part.o: part.c") and "part.h" in rule


def test_dependencies_go_where_asked(source: Path) -> None:
    result = call(source.parent, "-MMD", "-MF", "x.d", "-MT", "target", "-c", "part.c")
    assert result.returncode == 0, result.stderr
    assert (source.parent / "x.d").read_text().startswith("target: part.c part.h")
    assert (source.parent / "part.o").is_file()


def test_preprocessing_goes_to_stdout(source: Path) -> None:
    result = call(source.parent, "-E", "-DOTHER=1", "part.c")
    assert result.returncode == 0
    assert "return 0x12345678;" in result.stdout


def test_assembly_source_is_preprocessed(tmp_path: Path) -> None:
    (tmp_path / "a.S").write_text("#define NAME here\n    .text\n    .global NAME\nNAME: retw\n")
    assert call(tmp_path, "-c", "a.S").returncode == 0
    symbols = subprocess.run(
        ["xtensa-lx106-elf-nm", str(tmp_path / "a.o")],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "T here" in symbols.stdout


def test_compile_error_is_the_compilers_own(tmp_path: Path) -> None:
    (tmp_path / "bad.c").write_text("int f(void) { return y; }\n")
    result = call(tmp_path, "-c", "bad.c")
    assert result.returncode == 1
    assert "bad.c:1:22: error:" in result.stderr
    assert not (tmp_path / "bad.o").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["part.c", "-o", "part"], "error: xtcc compiles and does not link"),
        (["-c", "part.c", "part.c"], "error: 2 sources given, xtcc takes one"),
        (["-c", "part.c", "--literals=odd"], "error: unknown --literals=odd"),
        (["-c", "part.c", "-o"], "error: the option -o lacks its value"),
    ],
)
def test_wrong_call_is_one_line_and_a_hint(
    arguments: list[str], message: str, source: Path
) -> None:
    result = call(source.parent, *arguments)
    assert result.returncode == 1
    assert result.stderr.splitlines()[0] == message
    assert result.stderr.splitlines()[1].startswith("hint: ")


def test_clang_without_xtensa_is_refused(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = source.parent / "clang-99"
    fake.write_text(
        "#!/bin/sh\ncase $1 in --version) echo clang version 99.0.0; exit;; esac\n"
        "echo \"error: unknown target triple 'xtensa-esp-unknown-elf'\" >&2; exit 1\n"
    )
    fake.chmod(0o755)
    monkeypatch.setenv("WEDAU_CLANG", str(fake))
    result = call(source.parent, "-c", "part.c")
    assert result.returncode == 1
    assert "was built without the Xtensa target" in result.stderr


def test_crash_of_the_compiler_is_one_line() -> None:
    crash = subprocess.CompletedProcess[str](
        [],
        70,
        stderr="fatal error: error in backend: Cannot select: t1\nIn function: f\nStack dump:\n",
    )
    with pytest.raises(BuildError, match=r"clang cannot compile f\(\) in x\.c for Xtensa: Cannot"):
        xtcc._refuse_crash(crash, "x.c")


def test_options_of_the_code_generator_survive_the_rewriting() -> None:
    options = ["-Os", "-I", "-Ofake", "-mllvm", "-tail-merge-size=1", "-DX", "-g", "-Wall"]
    assert xtcc._generator_options(options) == ["-Os", "-mllvm", "-tail-merge-size=1", "-g"]


def test_select_of_other_kinds_is_left_alone() -> None:
    ir = "\n".join(
        [
            "  %1 = select i1 %c, float %a, float 5.000000e-01",
            "  %2 = select i1 %c, i32 1, i32 2",
            "  %3 = select i1 %c, double 1.0, double 2.0",
            "  %4 = select <2 x i1> %c, <2 x float> %a, <2 x float> %b",
        ]
    )
    assert selects.rewrite(ir) == ir


def test_select_of_constants_keeps_their_bits() -> None:
    ir = "  %r = select nnan i1 %c, float 0x7FF8000000000000, float -0.000000e+00, !dbg !7"
    assert selects.rewrite(ir).splitlines() == [
        '  %"wd.r" = select i1 %c, i32 2143289344, i32 2147483648',
        '  %r = bitcast i32 %"wd.r" to float',
    ]


def test_gcc_of_esp_idf_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("xtensa-esp-elf-gcc", "xtensa-esp32s3-elf-gcc"):
        path = tmp_path / name
        path.write_text("#!/bin/sh\necho 14.2.0\n")
        path.chmod(0o755)
        monkeypatch.setenv("WEDAU_XTENSA_GCC", str(path))
        compiler = compilers.for_arch("xtensawin")
        assert compiler.name == f"{name} 14.2.0"
        assert ("-mdynconfig=xtensa_esp32s3.so" in compiler.command) == ("s3" not in name)
    monkeypatch.delenv("WEDAU_XTENSA_GCC")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert compilers.for_arch("xtensawin").name == "xtensa-esp32s3-elf-gcc 14.2.0"
    monkeypatch.setenv("WEDAU_XTENSA_GCC", "")
    assert compilers.for_arch("xtensawin").name.startswith("clang ")


def test_missing_gcc_that_was_named_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEDAU_XTENSA_GCC", "/nowhere/gcc")
    with pytest.raises(BuildError, match="/nowhere/gcc, which is not there"):
        compilers.for_arch("xtensawin")
