"""Building native modules: what comes out, and every way in which the input can be wrong."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from wedau.build import clang, elf, natmod
from wedau.build.targets import TARGETS
from wedau.errors import BuildError, DataError, UsageError

INIT = """
mp_obj_t mpy_init(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args) {
    MP_DYNRUNTIME_INIT_ENTRY
    mp_store_global(MP_QSTR_answer, MP_OBJ_FROM_PTR(&answer_obj));
    MP_DYNRUNTIME_INIT_EXIT
}
"""


def module_source(body: str, before: str = "") -> str:
    """The C of a module with one function, answer(x)."""
    return (
        f'#include "py/dynruntime.h"\n{before}\n'
        f"static mp_obj_t answer(mp_obj_t x) {{ {body} }}\n"
        f"static MP_DEFINE_CONST_FUN_OBJ_1(answer_obj, answer);\n{INIT}"
    )


def build(
    folder: Path, micropython: Path, arch: str, text: str, *more: Path, name: str = "answer"
) -> natmod.Natmod:
    source = folder / "module.c"
    source.write_text(text)
    return natmod.build(name, [source, *more], arch=arch, micropython=micropython, out=folder)


def refused(folder: Path, micropython: Path, text: str, arch: str = "xtensawin") -> BuildError:
    """Build what cannot be built; nothing but the source is left in the folder."""
    with pytest.raises(BuildError) as caught:
        build(folder, micropython, arch, text)
    assert [path.name for path in folder.iterdir()] == ["module.c"]
    assert "\n" not in caught.value.message
    return caught.value


@pytest.mark.parametrize("arch", TARGETS)
def test_build_reports_what_it_made(arch: str, tmp_path: Path, micropython: Path) -> None:
    built = build(tmp_path, micropython, arch, module_source("return mp_obj_new_int(42);"))
    assert built.path == tmp_path / "answer.mpy"
    assert built.module_bytes == built.path.stat().st_size > built.text_bytes > 50
    assert (built.header.version, built.header.sub_version) == natmod.MPY_VERSION
    assert built.header.arch == arch == natmod.inspect(built.path).arch
    assert built.compiler.startswith(f"{TARGETS[arch].gcc or 'clang'} ")


def test_build_gives_the_same_bytes_again(tmp_path: Path, micropython: Path) -> None:
    text = module_source("return mp_obj_new_int(42);")
    first = build(tmp_path, micropython, "xtensawin", text).path.read_bytes()
    other = tmp_path / "elsewhere"
    other.mkdir()
    second = build(other, micropython, "xtensawin", text).path.read_bytes()
    assert first == second
    assert str(tmp_path).encode() not in first


def run_x64(folder: Path, code: str) -> str:
    """Run code on a MicroPython for this machine."""
    command = [sys.executable, "-m", "micropython_unix", "-c", code]
    result = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    assert result.returncode == 0, result.stderr + result.stdout
    return result.stdout.strip()


def test_x64_module_runs(tmp_path: Path, micropython: Path) -> None:
    text = module_source(
        "float y = (float)mp_obj_get_float(x); return mp_obj_new_float((double)(y / 3.0f));"
    )
    build(tmp_path, micropython, "x64", text)
    answer = run_x64(tmp_path, "import answer; print(answer.answer(1) == 0.3333333432674408)")
    assert answer == "True"


def test_python_source_is_merged_behind_the_code(tmp_path: Path, micropython: Path) -> None:
    script = tmp_path / "more.py"
    script.write_text("def twice(x):\n    return 2 * answer(x)\n")
    text = module_source("return mp_obj_new_int(mp_obj_get_int(x) + 1);")
    build(tmp_path, micropython, "x64", text, script)
    assert run_x64(tmp_path, "import answer; print(answer.twice(20))") == "42"


@pytest.mark.parametrize("arch", TARGETS)
def test_run_time_helpers_come_only_when_needed(
    arch: str, tmp_path: Path, micropython: Path
) -> None:
    without = build(tmp_path, micropython, arch, module_source("return x;")).text_bytes
    rounding = "return mp_obj_new_float_from_f(roundf(mp_obj_get_float_to_f(x)));"
    source = module_source(rounding, "float roundf(float);")
    with_helpers = build(tmp_path, micropython, arch, source).text_bytes
    assert with_helpers > without + 50


def test_writable_initialised_data_is_refused_by_name(tmp_path: Path, micropython: Path) -> None:
    text = module_source("return mp_obj_new_int(++counter);", "int counter = 5;")
    for arch in ("xtensawin", "x64"):
        error = refused(tmp_path, micropython, text, arch)
        assert error.message == (
            "module.c: counter is writable initialised data, which native modules cannot have"
        )
        assert error.hint.startswith("declare counter const")


def test_undefined_function_is_refused_by_name(tmp_path: Path, micropython: Path) -> None:
    text = module_source("return mp_obj_new_int(getchar());", "int getchar(void);")
    error = refused(tmp_path, micropython, text)
    assert "undefined symbol: getchar" in error.message
    assert "no C library" in error.hint


@pytest.mark.parametrize("arch", [arch for arch in TARGETS if not TARGETS[arch].double])
def test_double_arithmetic_is_refused_for_microcontrollers(
    arch: str, tmp_path: Path, micropython: Path
) -> None:
    text = module_source("return mp_obj_new_float_from_d(mp_obj_get_float_to_d(x) * 1.1);")
    assert "calculates with double" in refused(tmp_path, micropython, text, arch).message


@pytest.mark.parametrize("arch", ["armv6m", "armv7m", "rv32imc"])
def test_soft_float_comes_from_the_compiler(arch: str, tmp_path: Path, micropython: Path) -> None:
    without = build(tmp_path, micropython, arch, module_source("return x;")).text_bytes
    body = "float v = mp_obj_get_float_to_f(x); return mp_obj_new_float_from_f(v * v + v / 3.0f);"
    assert build(tmp_path, micropython, arch, module_source(body)).text_bytes > without + 500


def test_missing_compiler_is_named_with_its_package(
    tmp_path: Path, micropython: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BuildError) as caught:
        build(tmp_path, micropython, "rv32imc", module_source("return x;"))
    assert "no riscv64-unknown-elf-gcc was found" in caught.value.message
    assert caught.value.hint.endswith("apt-get install gcc-riscv64-unknown-elf")


def test_missing_entry_point_is_refused(tmp_path: Path, micropython: Path) -> None:
    text = '#include "py/dynruntime.h"\nint answer(int x) { return x; }'
    error = refused(tmp_path, micropython, text)
    assert "mpy_init" in error.message and "mpy_init" in error.hint


def test_c_error_names_file_and_line(tmp_path: Path, micropython: Path) -> None:
    error = refused(tmp_path, micropython, module_source("return y;"))
    assert "module.c:3:" in error.message and "'y'" in error.message


def test_constants_among_the_code_are_refused(tmp_path: Path, micropython: Path) -> None:
    table = '__attribute__((section(".text.table"))) const char table[] = {1, 2, 3, 4, 5};'
    text = module_source("return mp_obj_new_int(table[mp_obj_get_int(x)]);", table)
    message = refused(tmp_path, micropython, text).message
    assert "table" in message and "among the code" in message


def test_unknown_section_is_refused(tmp_path: Path, micropython: Path) -> None:
    table = '__attribute__((section(".mine"))) const char table[] = {1, 2, 3, 4, 5};'
    text = module_source("return mp_obj_new_int(table[mp_obj_get_int(x)]);", table)
    assert "the section .mine" in refused(tmp_path, micropython, text).message


def test_va_list_to_the_firmware_is_refused(tmp_path: Path, micropython: Path) -> None:
    head = """#include <stdarg.h>
        static void say(const char *f, ...) {
            va_list ap; va_start(ap, f); mp_vprintf(&mp_plat_print, f, ap); va_end(ap);
        }"""
    error = refused(tmp_path, micropython, module_source('say("%d", 1); return x;', head))
    assert "va_list" in error.message and "mp_printf" in error.hint


def test_module_beyond_a_jump_is_refused(tmp_path: Path, micropython: Path) -> None:
    text = module_source('__asm__ volatile(".space 140000"); return x;')
    assert "bytes of code, more than" in refused(tmp_path, micropython, text).message


def test_equal_static_tables_of_two_sources_stay_apart(tmp_path: Path, micropython: Path) -> None:
    """mpy_ld.py takes .rodata+0 of two objects for one address unless their names differ."""
    objects = []
    for number in (1, 2):
        source = tmp_path / f"part{number}.c"
        source.write_text(
            f"static const int table[4] = {{{number}, 2, 3}};\nint get(int i) {{"
            " return table[i]; }"
        )
        target = source.with_suffix(".o")
        command = [sys.executable, "-m", "wedau.build.xtcc", "--literals=file", "-Os"]
        subprocess.run([*command, "-c", str(source), "-o", str(target)], check=True, timeout=60)
        objects.append(elf.adapt(target.read_bytes(), f"o{number}", source.name))
    names = [{s.name for s in ELFFile(io.BytesIO(data)).iter_sections()} for data in objects]
    shared = {name for name in names[0] & names[1] if name.startswith((".rodata", ".text", ".bss"))}
    assert not shared


def test_entry_point_is_not_at_offset_zero(tmp_path: Path) -> None:
    """mpy_ld.py of MicroPython 1.28 fails where mpy_init is the first function."""
    source = tmp_path / "first.c"
    source.write_text("int mpy_init(void) { return 1; }\nint other(void) { return 2; }")
    target = tmp_path / "first.o"
    command = [sys.executable, "-m", "wedau.build.xtcc", "--literals=file", "-Os"]
    subprocess.run([*command, "-c", str(source), "-o", str(target)], check=True, timeout=60)
    with target.open("rb") as file:
        (symbol,) = ELFFile(file).get_section_by_name(".symtab").get_symbol_by_name("mpy_init")
    assert symbol["st_value"] == 4


def test_unknown_architecture_is_refused(tmp_path: Path, micropython: Path) -> None:
    with pytest.raises(UsageError, match="unknown architecture mips"):
        build(tmp_path, micropython, "mips", module_source("return x;"))


@pytest.mark.parametrize(
    ("name", "file", "message"),
    [
        ("not a name", "module.c", "'not a name' cannot be imported"),
        ("answer", "gone.c", "gone.c is missing"),
        ("answer", "module.rs", "is neither C nor Python"),
        ("answer", "only.py", "has no C source"),
    ],
)
def test_wrong_request_is_refused(
    name: str, file: str, message: str, tmp_path: Path, micropython: Path
) -> None:
    for path in ("module.c", "module.rs", "only.py"):
        (tmp_path / path).write_text("")
    with pytest.raises(BuildError, match=message):
        natmod.build(name, [tmp_path / file], arch="x64", micropython=micropython, out=tmp_path)


def test_inspect_refuses_what_is_no_module(tmp_path: Path) -> None:
    path = tmp_path / "x.mpy"
    path.write_bytes(b"not an mpy file")
    with pytest.raises(DataError, match=r"not a `?\.mpy`? file"):
        natmod.inspect(path)
    with pytest.raises(DataError, match="cannot be read"):
        natmod.inspect(tmp_path / "gone.mpy")


def test_no_clang_is_one_clear_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("WEDAU_CLANG", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    clang.find.cache_clear()
    try:
        with pytest.raises(BuildError, match="no clang 22 or newer"):
            clang.find()
    finally:
        clang.find.cache_clear()


def fake_clang(folder: Path, name: str, version: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\necho 'clang version {version}'\n")
    path.chmod(0o755)
    return path


def test_newest_numbered_clang_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for number in (14, 22, 23):
        fake_clang(tmp_path, f"clang-{number}", f"{number}.1.0")
    fake_clang(tmp_path, "clang-format-99", "99.0.0")
    monkeypatch.delenv("WEDAU_CLANG", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    clang.find.cache_clear()
    try:
        assert clang.find() == str(tmp_path / "clang-23")
    finally:
        clang.find.cache_clear()


def test_old_clang_is_refused_with_its_version(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WEDAU_CLANG", str(fake_clang(tmp_path, "mine", "19.1.7")))
    clang.find.cache_clear()
    try:
        with pytest.raises(BuildError, match=r"WEDAU_CLANG names clang 19\.1\.7"):
            clang.find()
    finally:
        clang.find.cache_clear()


def test_missing_headers_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WEDAU_XTENSA_HEADERS", str(tmp_path))
    with pytest.raises(BuildError, match="picolibc"):
        clang.headers()


def test_firmware_passes_no_structs_to_modules(micropython: Path) -> None:
    """Structs by value would follow clang's convention in a module and GCC's in the firmware."""
    text = (micropython / "py" / "nativeglue.h").read_text()
    table = text[text.index("typedef struct _mp_fun_table_t") : text.index("} mp_fun_table_t;")]
    scalars = (
        "void bool int size_t ssize_t char float double long unsigned const mp_obj_t mp_uint_t"
    )
    scalars += " mp_int_t mp_const_obj_t mp_unary_op_t mp_binary_op_t mp_rom_error_text_t qstr"
    scalars += " uint8_t uint32_t mp_proto_fun_t va_list"  # a va_list is refused where it is used
    functions = [line.strip() for line in table.splitlines() if "(*" in line]
    assert len(functions) > 50
    for line in functions:
        result, _, arguments = line.partition("(*")
        for part in [result, *arguments.partition("(")[2].split(",")]:
            words = part.replace(")", " ").replace(";", " ").replace("(", " ").split()
            if "*" not in part and words and words[0] not in ("...", *scalars.split()):
                raise AssertionError(f"a struct by value, it seems: {line}")
