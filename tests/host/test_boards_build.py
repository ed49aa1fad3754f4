"""The boards in the hands of MicroPython's own build, as far as it goes without ESP-IDF.

MicroPython's CMakeLists.txt is run as it is, up to project(), where a stand-in for ESP-IDF ends it.
Its generator of pins, its reader of manifests and a C preprocessor read the other files.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from wedau.build import boards, partitions

NAMES = boards.names()
ROOT = boards.default_root()
# What comes after the board's part, ESP-IDF's, is left out: no compiler, no components.
STAND_IN = """\
function(idf_build_set_property)
endfunction()
macro(project name)
    _project(${name} NONE)
    file(WRITE ${CMAKE_BINARY_DIR}/target "${IDF_TARGET}")
    file(WRITE ${CMAKE_BINARY_DIR}/manifest "${MICROPY_FROZEN_MANIFEST}")
    return()
endmacro()
"""


@pytest.fixture(scope="session")
def port(micropython: Path) -> Path:
    """MicroPython's port for the chip."""
    return micropython / "ports/esp32"


@pytest.fixture(scope="session")
def newer_port(port: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The port as after v1.28.0, which names a fragment otherwise."""
    newer = tmp_path_factory.mktemp("newer")
    (newer / "boards").mkdir()
    shutil.copy(port / "CMakeLists.txt", newer)
    for path in (port / "boards").glob("sdkconfig.*"):
        shutil.copy(path, newer / "boards" / path.name.replace("spiram_sx", "spiram_quad"))
    return newer


def configure(port: Path, board: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run cmake as ``make -C ports/esp32 BOARD_DIR=...`` does through idf.py."""
    idf = folder / "idf"
    (idf / "tools/cmake").mkdir(parents=True)
    (idf / "tools/cmake/project.cmake").write_text(STAND_IN)
    definitions = [f"-DMICROPY_BOARD={board.name}", f"-DMICROPY_BOARD_DIR={board}"]
    return subprocess.run(
        ["cmake", "-S", str(port), "-B", str(folder / "build"), *definitions],
        env=os.environ | {"IDF_PATH": str(idf)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def combined(port: Path, board: Path, folder: Path) -> dict[str, str]:
    """The options that ESP-IDF gets; of two lines for one, the later counts."""
    done = configure(port, board, folder)
    assert done.returncode == 0, done.stderr
    return boards.sdkconfig(folder / "build/sdkconfig.combined")


@pytest.mark.parametrize("name", NAMES)
def test_board_is_configured_by_micropythons_cmake(name: str, port: Path, tmp_path: Path):
    board = boards.load(name)
    options = combined(port, board.folder, tmp_path)
    psram = board.hardware["psram"]
    assert (tmp_path / "build/target").read_text() == "esp32s3"
    assert (tmp_path / "build/manifest").read_text() == str(board.folder / "manifest.py")
    assert options[f"ESPTOOLPY_FLASHSIZE_{board.hardware['flash_mb']}MB"] == "y"
    assert options.get("SPIRAM") == (None if psram == "none" else "y")
    assert options.get("SPIRAM_MODE_OCT") == ("y" if psram == "octal" else None)
    assert options.get("SPIRAM_MODE_QUAD") == {"none": None, "quad": "y", "octal": ""}[psram]
    assert options["BOOTLOADER_APP_ROLLBACK_ENABLE"] == "y"
    assert options["BT_NIMBLE_STATIC_TO_DYNAMIC"] == "n"
    assert options["ESP_DEFAULT_CPU_FREQ_MHZ"] == "240"
    assert options["LWIP_LOCAL_HOSTNAME"] == board.config["LWIP_LOCAL_HOSTNAME"]
    small = board.hardware["flash_mb"] == 4
    assert options["COMPILER_OPTIMIZATION_PERF"] == ("n" if small else "y")
    assert options.get("COMPILER_OPTIMIZATION_SIZE") == ("y" if small else None)


@pytest.mark.parametrize("name", NAMES)
def test_build_makes_the_partitions_that_are_checked(name: str, port: Path, tmp_path: Path):
    board = boards.load(name)
    path = Path(combined(port, board.folder, tmp_path)["PARTITION_TABLE_CUSTOM_FILENAME"])
    assert path.is_absolute()
    assert partitions.parse(path.read_text()) == boards.table(board)


@pytest.mark.parametrize("name", ["M5STACK_CORES3", "SEEED_XIAO_ESP32S3", "M5STACK_ATOMS3"])
def test_board_is_configured_by_newer_micropython(name: str, newer_port: Path, tmp_path: Path):
    board = boards.load(name)
    options = combined(newer_port, board.folder, tmp_path)
    assert options.get("SPIRAM_SPEED_80M") == ("y" if board.hardware["psram_mb"] else None)


def test_configuring_again_changes_nothing(port: Path, tmp_path: Path):
    board = ROOT / "SEEED_XIAO_ESP32S3"
    combined(port, board, tmp_path)
    made = [tmp_path / "build" / name for name in ("wedau_partitions.csv", "wedau_sdkconfig.flash")]
    before = [path.stat().st_mtime_ns for path in made]
    shutil.rmtree(tmp_path / "idf")
    combined(port, board, tmp_path)
    assert [path.stat().st_mtime_ns for path in made] == before


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("WEDAU_FLASH_MB 8", "WEDAU_FLASH_MB 2", "no layout for '2' MB of flash"),
        ("WEDAU_PSRAM octal", "WEDAU_PSRAM hex", "WEDAU_PSRAM is 'hex'"),
    ],
)
def test_cmake_refuses_an_unknown_fragment(
    old: str, new: str, said: str, port: Path, tmp_path: Path
):
    root = Path(shutil.copytree(ROOT, tmp_path / "boards"))
    path = root / "SEEED_XIAO_ESP32S3/mpconfigboard.cmake"
    path.write_text(path.read_text().replace(old, new))
    done = configure(port, path.parent, tmp_path)
    assert done.returncode != 0
    assert said in " ".join(done.stderr.split())


def test_cmake_refuses_a_micropython_without_the_fragments(port: Path, tmp_path: Path):
    older = tmp_path / "older"
    (older / "boards").mkdir(parents=True)
    shutil.copy(port / "CMakeLists.txt", older)
    done = configure(older, ROOT / "M5STACK_ATOMS3", tmp_path)
    assert done.returncode != 0
    assert "none of: sdkconfig.base" in " ".join(done.stderr.split())


@pytest.mark.parametrize("name", NAMES)
def test_pins_are_accepted_by_micropythons_generator(name: str, port: Path, tmp_path: Path):
    board = boards.load(name)
    source, header = tmp_path / "pins.c", tmp_path / "pins.h"
    tool, prefix = port / "boards/make-pins.py", port / "boards/pins_prefix.c"
    inputs = ["--board-csv", str(board.folder / "pins.csv"), "--prefix", str(prefix)]
    outputs = ["--output-source", str(source), "--output-header", str(header)]
    subprocess.run([sys.executable, "-B", tool, *inputs, *outputs], check=True, timeout=60)
    named = re.findall(r"MP_QSTR_(\w+)\), MP_ROM_PTR\(pin_GPIO(\d+)\)", source.read_text())
    of_board = {label: int(gpio) for label, gpio in named if not label.startswith("GPIO")}
    assert of_board == board.pins


@pytest.mark.parametrize("name", NAMES)
def test_header_is_what_the_checks_read(name: str, tmp_path: Path):
    board = boards.load(name)
    source = tmp_path / "x.c"
    source.write_text('#include "mpconfigboard.h"\nusb: MICROPY_HW_USB_PRODUCT_FS_STRING\n')
    gcc = ["gcc", "-E", "-P", "-Wall", "-Werror", "-I", str(board.folder)]
    text = subprocess.run([*gcc, source], capture_output=True, text=True, check=True).stdout
    macros = subprocess.run(
        [*gcc, "-dM", source], capture_output=True, text=True, check=True
    ).stdout
    defined = dict(re.findall(r"^#define (MICROPY_\w+) (.+)$", macros, re.MULTILINE))
    assert {k: v.strip('()"') for k, v in defined.items()} == board.macros
    assert text.strip() == f'usb: "{board.title}"'
    assert board.macros["MICROPY_HW_ENABLE_UART_REPL"] == "1"


@pytest.mark.parametrize("name", NAMES)
def test_manifest_freezes_micropythons_modules_and_ours(
    name: str, port: Path, micropython: Path, tmp_path: Path
):
    required = re.findall(r'require\("([\w.-]+)"', (port / "boards/manifest.py").read_text())
    for package in required:  # stand-ins: MicroPython's library need not be there
        folder = tmp_path / "micropython" / package
        folder.mkdir(parents=True)
        (folder / "manifest.py").touch()
    tool = [sys.executable, "-B", micropython / "tools/manifestfile.py", "--freeze"]
    where = ["--port", port, "--board", ROOT / name, "--lib", tmp_path, ROOT / name / "manifest.py"]
    done = subprocess.run([*tool, *where], capture_output=True, text=True, check=True, timeout=60)
    frozen = set(re.findall(r"target_path='([^']+)'", done.stdout))
    assert {"wedau/__init__.py", "wedau/pipeline.py", "inisetup.py", "_boot.py"} <= frozen
