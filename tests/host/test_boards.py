"""The boards' definitions are sound, and a mistake in one is named."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from wedau.build import board_checks, boards
from wedau.errors import BuildError

NAMES = boards.names()
MIB = 1024 * 1024
OCTAL, QUAD, SMALL = (
    "ESP32_S3_DEVKITC_1_N8R8",
    "ESP32_S3_DEVKITC_1_N8R2",
    "ADAFRUIT_FEATHER_ESP32S3",
)
Edit = Callable[[str, str, str], None]


def test_all_boards_are_there():
    assert set(NAMES) == {
        *("ESP32_S3_DEVKITC_1_N8R8", "ESP32_S3_DEVKITC_1_N8R2", "ESP32_S3_DEVKITC_1_N16R8"),
        *("SEEED_XIAO_ESP32S3", "ADAFRUIT_FEATHER_ESP32S3", "UM_FEATHERS3"),
        *("LILYGO_T_DISPLAY_S3", "M5STACK_ATOMS3", "M5STACK_CORES3", "ARDUINO_NANO_ESP32"),
    }


@pytest.mark.parametrize("name", NAMES)
def test_board_is_sound(name: str):
    assert board_checks.problems(name) == []


@pytest.mark.parametrize(
    ("name", "flash", "psram", "kind"),
    [
        ("ESP32_S3_DEVKITC_1_N8R8", 8, 8, "octal"),
        ("ESP32_S3_DEVKITC_1_N8R2", 8, 2, "quad"),
        ("ESP32_S3_DEVKITC_1_N16R8", 16, 8, "octal"),
        ("SEEED_XIAO_ESP32S3", 8, 8, "octal"),
        ("ADAFRUIT_FEATHER_ESP32S3", 4, 2, "quad"),
        ("UM_FEATHERS3", 16, 8, "quad"),
        ("LILYGO_T_DISPLAY_S3", 16, 8, "octal"),
        ("M5STACK_ATOMS3", 8, 0, "none"),
        ("M5STACK_CORES3", 16, 8, "quad"),
        ("ARDUINO_NANO_ESP32", 16, 8, "octal"),
    ],
)
def test_board_has_the_makers_memory(name: str, flash: int, psram: int, kind: str):
    board = boards.load(name)
    hardware = board.hardware
    assert (hardware["flash_mb"], hardware["psram_mb"], hardware["psram"]) == (flash, psram, kind)
    assert boards.table(board)[-1].end == board.flash_bytes == flash * MIB


def test_names_of_boards_are_told_apart():
    loaded = [boards.load(name) for name in NAMES]
    assert len({board.title for board in loaded}) == len(NAMES)
    assert len({board.config["LWIP_LOCAL_HOSTNAME"] for board in loaded}) == len(NAMES)


def test_base_is_completed_by_the_board():
    board = boards.load("ESP32_S3_DEVKITC_1_N16R8")
    assert board.document["vendor"] == "Espressif"
    assert board.hardware["module"] == "ESP32-S3-WROOM-1-N16R8"
    assert len(board.document["disagreements"]) == 2


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of the definitions, to make mistakes in."""
    return Path(shutil.copytree(boards.default_root(), tmp_path / "boards"))


@pytest.fixture
def edit(root: Path) -> Edit:
    """Replace a text in one of the files."""

    def replace(file: str, old: str, new: str) -> None:
        text = (root / file).read_text(encoding="utf-8")
        assert old in text, f"{file} has no {old}"
        (root / file).write_text(text.replace(old, new), encoding="utf-8")

    return replace


CSV = "shared/partitions.csv.in"
MISTAKES = [
    # partitions
    (
        OCTAL,
        CSV,
        "ota_1,     ,  ",
        "ota_1, 0x200000,",
        "ota_1 at 0x200000 overlaps partition ota_0",
    ),
    (OCTAL, CSV, "vfs,  ", "disk,", "there is no partition vfs"),
    (OCTAL, CSV, "@WEDAU_VFS_SIZE@", "@WEDAU_DISK_SIZE@", "does not set WEDAU_DISK_SIZE"),
    (OCTAL, "shared/flash_8MB.cmake", "0x290000", "0x2A0000", "behind the flash's end at 0x800000"),
    (
        SMALL,
        "shared/flash_4MB.cmake",
        "${WEDAU_SHARED}/sdkconfig.size",
        "",
        "firmware of 1,700,000",
    ),
    (SMALL, "shared/sdkconfig.size", "OPTIMIZATION_SIZE=y", "X=y", "firmware of 1,700,000 bytes"),
    # memory
    (
        OCTAL,
        "{}/mpconfigboard.cmake",
        "FLASH_MB 8",
        "FLASH_MB 16",
        "flash: 8 MB in board.json, 16 MB",
    ),
    (
        OCTAL,
        "{}/mpconfigboard.cmake",
        "FLASH_MB 8",
        "FLASH_MB 2",
        "no layout shared/flash_2MB.cmake",
    ),
    (OCTAL, "{}/mpconfigboard.cmake", "octal", "quad", "PSRAM: octal in board.json, quad in"),
    (OCTAL, "{}/board.json", '"octal"', '"hex"', "unknown kind of PSRAM 'hex'"),
    (OCTAL, "{}/board.json", '"flash_mb": 8', '"flash_mb": 4', "N8R8 has 8 MB of flash, not 4 MB"),
    (
        OCTAL,
        "{}/board.json",
        '"psram_mb": 8',
        '"psram_mb": 2',
        "N8R8 has 8 MB of PSRAM, kind octal",
    ),
    (OCTAL, "{}/board.json", '"psram_mb": 8', '"psram_mb": 0', "kind octal cannot have 0 MB"),
    # pins
    (OCTAL, "{}/pins.csv", "GPIO38", "GPIO35", "pin LED_RGB: GPIO35 is taken by the octal PSRAM"),
    (QUAD, "{}/pins.csv", "GPIO38", "GPIO26", "pin LED_RGB: GPIO26 is taken by the PSRAM"),
    (QUAD, "{}/pins.csv", "GPIO38", "GPIO30", "pin LED_RGB: GPIO30 is taken by the flash"),
    (QUAD, "{}/pins.csv", "GPIO38", "GPIO19", "pin LED_RGB: GPIO19 is taken by the USB"),
    (QUAD, "{}/pins.csv", "GPIO38", "GPIO22", "the ESP32-S3 has no GPIO22"),
    (QUAD, "{}/pins.csv", "GPIO38", "GPIO49", "the ESP32-S3 has no GPIO49"),
    (QUAD, "{}/pins.csv", "GPIO38", "38", "line 4: 'LED_RGB,38' is not a name and a pin"),
    (QUAD, "{}/pins.csv", "BOOT", "TX", "pins.csv, line 2: TX is there twice"),
    (QUAD, "{}/pins.csv", "LED_RGB,", "LED_X,", "pins.csv has no LED_RGB, board.json has"),
    (
        OCTAL,
        "shared/devkitc_1.h",
        "SPI2_SCK  ",
        "SPI1_SCK  ",
        "SPI2_SCK, MicroPython's default, can",
    ),
    (OCTAL, "shared/devkitc_1.h", "(9)", "(33)", "I2C0_SCL cannot be used: GPIO33 is taken by"),
    (
        OCTAL,
        "shared/devkitc_1.h",
        "(9)",
        "(PIN)",
        "MICROPY_HW_I2C0_SCL is 'PIN', no number of a pin",
    ),
    # fragments
    (
        SMALL,
        "{}/mpconfigboard.cmake",
        ")\ninclude",
        ")\nlist(APPEND SDKCONFIG_DEFAULTS boards/fast)\ninclude",
        "no fragment boards/fast",
    ),
    (
        SMALL,
        "{}/mpconfigboard.cmake",
        "quad)",
        "quad)\nlist(APPEND SDKCONFIG_DEFAULTS\n    boards/sdkconfig.fast\n)",
        "no fragment boards/sdkconfig.fast",
    ),
    (OCTAL, "shared/board.cmake", "sdkconfig.ble", "sdkconfig.bt", "is no fragment sdkconfig.bt"),
    (OCTAL, "shared/board.cmake", "/sdkconfig.common", "/sdkconfig.all", "/sdkconfig.all"),
    (
        OCTAL,
        "shared/flash_8MB.cmake",
        "CONFIG)",
        "CONFIG ${WEDAU_SHARED}/sdkconfig.x)",
        "sdkconfig.x",
    ),
    (
        OCTAL,
        "{}/mpconfigboard.cmake",
        "board.cmake",
        "s3.cmake",
        "is no file ${CMAKE_CURRENT_LIST_DIR",
    ),
    (OCTAL, "{}/manifest.py", "manifest", "modules", "there is no file ../shared/modules.py"),
    # names
    (
        OCTAL,
        "{}/mpconfigboard.h",
        "DevKitC-1-N8R8",
        "Kit",
        "names the board 'Espressif ESP32-S3-Kit'",
    ),
    (OCTAL, "{}/mpconfigboard.h", '"devkitc', '"Dev Kit', "is no host name"),
    (OCTAL, "{}/sdkconfig.board", "n8r8", "n8r2", "give different host names"),
    (
        OCTAL,
        "shared/devkitc_1.json",
        '"esp32s3"',
        '"esp32"',
        "mcu is 'esp32', it has to be esp32s3",
    ),
    # data
    (
        OCTAL,
        "{}/board.json",
        '"module": "ESP32-S3-WROOM-1-N8R8",',
        "",
        "hardware.module is missing",
    ),
    (OCTAL, "{}/board.json", '"product":', '"product"', "board.json, line 3: not JSON"),
    (OCTAL, "shared/devkitc_1.json", "https://docs.esp", "docs.esp", "has to be the address of"),
    (OCTAL, "shared/devkitc_1.json", '"10c4:ea60"', '"10c4"', "'10c4' is no pair of USB ids"),
    (SMALL, "{}/board.json", '"what": "battery', '"why": "battery', "a sensor needs part and what"),
    # options
    (
        OCTAL,
        "{}/sdkconfig.board",
        "CONFIG_",
        "CONFIG_ESPTOOLPY_FLASHMODE_QIO=n\nCONFIG_",
        "is shared's",
    ),
    (
        OCTAL,
        "{}/sdkconfig.board",
        "CONFIG_",
        "CONFIG_SPIRAM_MODE_QUAD=y\nCONFIG_",
        "follows from flash",
    ),
    (
        OCTAL,
        "shared/sdkconfig.common",
        "ROLLBACK_ENABLE=y",
        "ROLLBACK_ENABLE=n",
        "switch rollback on",
    ),
]


@pytest.mark.parametrize(("name", "file", "old", "new", "said"), MISTAKES)
def test_mistake_in_a_definition_is_named(
    name: str, file: str, old: str, new: str, said: str, root: Path, edit: Edit
):
    edit(file.format(name), old, new)
    found = board_checks.problems(name, root)
    assert any(said in problem for problem in found), found


def test_each_mistake_has_its_own_message(root: Path):
    said = set()
    for name, file, old, new, _ in MISTAKES:
        path = root / file.format(name)
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(old, new), encoding="utf-8")
        said.add(tuple(board_checks.problems(name, root)))
        path.write_text(text, encoding="utf-8")
    assert len(said) >= len(MISTAKES) - 1  # the two ways to lose the option of size are alike
    assert () not in said


@pytest.mark.parametrize("file", board_checks.FILES)
def test_missing_file_is_named(file: str, root: Path):
    (root / OCTAL / file).unlink()
    assert board_checks.problems(OCTAL, root) == [f"{file} is missing"]


def test_unknown_board_is_refused():
    with pytest.raises(BuildError, match="there is no board ESP8266"):
        boards.load("ESP8266")


def test_folder_without_boards_is_refused(tmp_path: Path):
    with pytest.raises(BuildError, match="holds no board"):
        boards.names(tmp_path)


def test_document_is_json_with_pins_and_partitions():
    document = json.loads(json.dumps(boards.document(boards.load("SEEED_XIAO_ESP32S3"))))
    assert document["pins"]["LED"] == 21
    assert {"2886:0056", "303a:1001", "303a:4001"} == set(document["hardware"]["usb"]["ids"])
    assert [p["name"] for p in document["partitions"]][-1] == "vfs"
