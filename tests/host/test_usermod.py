"""The C modules in the hands of MicroPython's builds: one list, the flags that bits depend on.

CMake runs MicroPython's own usermod.cmake and links the modules the way the port for the ESP32
does, twice and with ESP-IDF's flags; make runs MicroPython's own py.mk.
"""

import json
import re
import shlex
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

import families
from wedau.build import monocypher, runtime, usermod
from wedau.convert import code
from wedau.convert.module import ModuleInfo
from wedau.errors import UsageError
from wedau.paths import resource

MODULES = resource("modules")
# ESP-IDF v5.5's for C; its -Werror=all becomes -Werror, as nothing of ours may warn.
IDF_FLAGS = """
-ffunction-sections -fdata-sections -Wall -Wextra -Werror -Wno-unused-parameter -Wno-sign-compare
-ggdb -O2 -fno-jump-tables -fno-tree-switch-conversion -fstrict-volatile-bitfields -std=gnu17
"""
PROJECT = """
cmake_minimum_required(VERSION 3.16)
project(stand_in C)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
file(WRITE ${CMAKE_BINARY_DIR}/empty.c "typedef int nothing;")
add_subdirectory(main)
add_executable(app ${CMAKE_BINARY_DIR}/empty.c)
target_link_libraries(app main)
"""
COMPONENT = """
include({micropython}/py/usermod.cmake)
file(WRITE ${{CMAKE_BINARY_DIR}}/scanned "${{MICROPY_SOURCE_USERMOD}}")
separate_arguments(FLAGS UNIX_COMMAND "{flags}")
add_library(main STATIC ${{CMAKE_BINARY_DIR}}/empty.c)
target_include_directories(main PUBLIC {micropython} ${{CMAKE_SOURCE_DIR}})
target_compile_options(usermod INTERFACE ${{FLAGS}})
target_link_libraries(main usermod)
"""
CONFIG = """
#include <alloca.h>
#include <stdint.h>
#define MICROPY_CONFIG_ROM_LEVEL (MICROPY_CONFIG_ROM_LEVEL_EXTRA_FEATURES)
#define MICROPY_FLOAT_IMPL (MICROPY_FLOAT_IMPL_FLOAT)
#define MP_STATE_PORT MP_STATE_VM
typedef long mp_off_t;
typedef intptr_t mp_int_t;
typedef uintptr_t mp_uint_t;
"""
MAKEFILE = """
TOP = {micropython}
include $(TOP)/py/mkenv.mk
include $(TOP)/py/py.mk
$(info TAKES $(SRC_USERMOD_C) $(SRC_USERMOD_LIB_C))
$(info FLAGS $(CFLAGS))
all: ;
"""


@dataclass(frozen=True)
class Compiled:
    """What a build compiles: sources, and the command of each copy."""

    sources: list[Path]
    commands: list[tuple[Path, list[str]]]


def by_cmake(given: Path, micropython: Path, folder: Path) -> Compiled:
    """Configure as the ESP32 port does with USER_C_MODULES=given."""
    component = COMPONENT.format(micropython=micropython, flags=" ".join(IDF_FLAGS.split()))
    (folder / "CMakeLists.txt").write_text(PROJECT)
    (folder / "main").mkdir()
    (folder / "main" / "CMakeLists.txt").write_text(component)
    build = folder / "build"
    define = f"-DUSER_C_MODULES={given}"
    subprocess.run(["cmake", "-S", folder, "-B", build, define], check=True, capture_output=True)
    database = json.loads((build / "compile_commands.json").read_text())
    commands = [(Path(c["file"]), shlex.split(c["command"])) for c in database]
    ours = [(path, command) for path, command in commands if path.name != "empty.c"]
    return Compiled([Path(p) for p in (build / "scanned").read_text().split(";")], ours)


def by_make(given: Path, micropython: Path, folder: Path) -> tuple[list[Path], list[str]]:
    """Return the sources and the flags of a port that make builds."""
    (folder / "Makefile").write_text(MAKEFILE.format(micropython=micropython))
    (folder / "mpconfigport.h").touch()
    command = ["make", "-C", folder, "-s", f"USER_C_MODULES={given}", f"BUILD={folder}/build"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    lines = {line.split()[0]: line.split()[1:] for line in said.splitlines() if line.split()}
    return [Path(path) for path in lines["TAKES"]], lines["FLAGS"]


def by_make_command(given: Path, stem: str, micropython: Path, folder: Path) -> list[str]:
    """Return the command by which make would compile a file of the models."""
    rules = f"CFLAGS += -Os\nBUILD = {folder}/build\ninclude $(TOP)/py/mkrules.mk\n"
    makefile = MAKEFILE.format(micropython=micropython).replace("all: ;\n", rules)
    (folder / "Makefile").write_text(makefile)
    (folder / "mpconfigport.h").touch()
    target = f"{folder}/build/models/{stem}.o"
    command = ["make", "-C", folder, "-s", "-n", f"USER_C_MODULES={given}", target]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    (line,) = [line for line in said.splitlines() if f"{stem}.c" in line and " -c " in line]
    return shlex.split(line)


def listed() -> set[Path]:
    """What the `.mpy` files of all modules are made of."""
    return {p for made_of in runtime.modules().values() for p in (made_of.bind, *made_of.core)}


def stand_in_headers(folder: Path, micropython: Path, sources: list[Path]) -> None:
    """Write what MicroPython's build generates, enough to compile and not to link."""
    (folder / "mpconfigport.h").write_text(CONFIG)
    genhdr = folder / "genhdr"
    genhdr.mkdir()
    texts = [path.read_text("utf-8", errors="replace") for path in sources]
    texts += [p.read_text("utf-8") for p in (micropython / "py").glob("*.h")]
    texts.append((MODULES / "bind/model/model.c").read_text("utf-8"))
    names = sorted({name for text in texts for name in re.findall(r"MP_QSTR_(\w+)", text)})
    lines = "".join(f'QDEF0(MP_QSTR_{name}, 0, 0, "")\n' for name in ("null", *names))
    (genhdr / "qstrdefs.generated.h").write_text(lines)
    for name in ("moduledefs.h", "root_pointers.h", "mpversion.h", "compressed.data.h"):
        (genhdr / name).touch()


def models() -> list[usermod.Model]:
    """One of each task, of two families with and without floats, and one that says unknown."""
    rows, y = families.data(3)
    made = []
    for number, name in enumerate(["random forest", "isolation forest", "ridge", "naive Bayes"]):
        program = families.fit(name, rows, y).program
        labels = {"classifier": ("läuft", "b", "c"), "anomaly": ("normal", "anomaly")}
        info = ModuleInfo(
            *(f"m{number}", "1", labels.get(program.task, ()), tuple("abcd")),
            *(np.ones(4, np.float32), b"recipe", "0" * 64, "0.1.0"),
        )
        made.append(usermod.Model(info, code.code(program)))
    return made


@pytest.fixture(autouse=True)
def _monocypher(monkeypatch: pytest.MonkeyPatch) -> None:
    """Builds of modules/ without our tools are told where Monocypher is."""
    monkeypatch.setenv(monocypher.VARIABLE, str(monocypher.folder()))


def test_both_builds_take_what_the_mpy_files_are_made_of(micropython: Path, tmp_path: Path):
    by_make_sources, _ = by_make(MODULES, micropython, tmp_path)
    cmake = MODULES / "bind/micropython.cmake"
    by_cmake_sources = by_cmake(cmake, micropython, tmp_path).sources
    assert set(by_make_sources) == set(by_cmake_sources) == listed()
    assert len(by_make_sources) == len(by_cmake_sources) == len(listed())  # each linked once


def test_every_module_is_listed():
    binds = {p for p in (MODULES / "bind").rglob("*.c") if p.parent.name != "model"}
    assert {made_of.bind for made_of in runtime.modules().values()} == binds
    assert {runtime.FEATURES, runtime.TREES, runtime.BASELINE} <= set(runtime.modules())
    assert all(made_of.core for made_of in runtime.modules().values())


def test_nothing_is_fused_in_any_copy_and_nothing_warns(micropython: Path, tmp_path: Path):
    work = tmp_path / "tree"
    work.mkdir()
    tree = usermod.write(work, models(), micropython=micropython)
    built = by_cmake(tree.cmake, micropython, tmp_path)
    assert len(built.commands) == 2 * len(built.sources)
    assert all("-ffp-contract=off" in command for _, command in built.commands)
    stand_in_headers(tmp_path, micropython, built.sources)
    for path, command in dict(built.commands).items():
        assert not {"-DNDEBUG", "-DESP_PLATFORM"} & set(command)
        command = [*command, "-o", f"{tmp_path}/one.o"]
        done = subprocess.run(command, cwd=tmp_path / "build", capture_output=True, text=True)
        assert done.returncode == 0 and not done.stderr, f"{path}: {done.stderr}"


def test_each_model_is_compiled_at_its_own_level_in_every_copy(micropython: Path, tmp_path: Path):
    """At the one that its `.mpy` is compiled at; the last on the line wins."""
    some, levels = models(), ("-O2", "-Oz", "-Oz", "-O2")
    given = [
        replace(model, code=replace(model.code, optimize=level))
        for model, level in zip(some, levels, strict=True)
    ]
    work = tmp_path / "tree"
    work.mkdir()
    tree = usermod.write(work, given, micropython=micropython)
    commands = by_cmake(tree.cmake, micropython, tmp_path).commands
    for number, level in enumerate(levels):
        name = f"wedau_model_m{number}"
        copies = [command for path, command in commands if path.stem == name]
        assert [_last_level(copy) for copy in copies] == [level, level]
        assert _last_level(by_make_command(tree.make, name, micropython, tmp_path)) == level
    others = [command for path, command in commands if "wedau_model" not in path.name]
    assert {_last_level(command) for command in others} == {"-O2"}


def _last_level(command: list[str]) -> str:
    return [word for word in command if word.startswith("-O")][-1]


def test_make_fuses_nothing_and_takes_models_alike(micropython: Path, tmp_path: Path):
    work = tmp_path / "tree"
    work.mkdir()
    tree = usermod.write(work, models(), micropython=micropython)
    sources, flags = by_make(tree.make, micropython, tmp_path)
    assert "-ffp-contract=off" in flags
    assert sorted(sources) == sorted(by_cmake(tree.cmake, micropython, tmp_path).sources)
    assert {path.name for path in sources} >= {"wedau_model_m0.c", "wedau_model_m3.c", "wd_exp.c"}


def test_a_name_that_is_taken_is_refused(micropython: Path, tmp_path: Path):
    first = models()[0]
    with pytest.raises(UsageError, match="two models are named 'm0'"):
        usermod.write(tmp_path, [first, first], micropython=micropython)
    for name in ("wedau_trees", "array", "espnow", "neopixel", "flashbdev", "wedau"):
        named = usermod.Model(replace(first.info, name=name), first.code)
        with pytest.raises(UsageError, match=f"no model can be named '{name}'"):
            usermod.write(tmp_path, [named], micropython=micropython)
    assert list(tmp_path.iterdir()) == []
