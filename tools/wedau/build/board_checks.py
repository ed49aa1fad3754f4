"""What can be wrong with a board's definition, found before anything is built."""

import re
from collections.abc import Iterator
from pathlib import Path

from wedau.build import board_shape, boards, partitions
from wedau.build.boards import Board
from wedau.errors import BuildError

FILES = (
    *("board.json", "pins.csv", "mpconfigboard.h", "mpconfigboard.cmake"),
    *("sdkconfig.board", "manifest.py"),
)
# Size of MicroPython v1.28.0's image with C modules, bytes, as seen with ESP-IDF 5.5.3, GCC 14.2.
IMAGE_BYTES = {"fast": 1_700_000, "small": 1_480_000}
# The fragments in MicroPython's ports/esp32/boards for the ESP32-S3, in v1.28.0 and after it.
_MICROPYTHON_FRAGMENTS = (
    *("sdkconfig.base", "sdkconfig.ble", "sdkconfig.240mhz", "sdkconfig.free_ram"),
    *("sdkconfig.spiram_sx", "sdkconfig.spiram_quad", "sdkconfig.spiram_oct"),
    "sdkconfig.flash_qio_80m",
)
_PSRAM_KINDS = ("none", "quad", "octal")
# MicroPython's defaults where a board's header says nothing, machine_hw_spi.c.
_DEFAULT_PINS = {
    "MICROPY_HW_SPI2_SCK": "36",
    "MICROPY_HW_SPI2_MOSI": "35",
    "MICROPY_HW_SPI2_MISO": "37",
}
_USB_NAME_BYTES = 40  # MICROPY_HW_USB_DESC_STR_MAX
_HOSTNAME = r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?"


def problems(name: str, root: Path | None = None) -> list[str]:
    """Say what is wrong with a board's definition, one line each; an empty list where it is sound.

    Args:
        name: the board's folder.
        root: folder with the definitions and their shared/; Wedau's own by default.
    """
    folder = (root or boards.default_root()) / name
    missing = [f"{file} is missing" for file in FILES if not (folder / file).is_file()]
    if missing:
        return missing
    try:
        return _problems(boards.read_definition(name, root))
    except BuildError as error:
        return [error.message]


def _problems(board: Board) -> list[str]:
    incomplete = board_shape.board_problems(board.document)
    if incomplete:
        return [f"board.json: {problem}" for problem in incomplete]
    checks = (
        *(_names, _memory, _module, _sources, _fragments, _manifest),
        *(_layout, _pins, _buses, _parts, _config),
    )
    return [problem for check in checks for problem in check(board)]


def _names(board: Board) -> Iterator[str]:
    title = board.macros.get("MICROPY_HW_BOARD_NAME", "")
    if title != board.title:
        yield f"mpconfigboard.h names the board '{title}', board.json '{board.title}'"
    if len(title.encode()) > _USB_NAME_BYTES:
        yield f"the name '{title}' is longer than the {_USB_NAME_BYTES} bytes that USB can tell"
    host = board.macros.get("MICROPY_PY_NETWORK_HOSTNAME_DEFAULT", "")
    if not re.fullmatch(_HOSTNAME, host):
        yield f"'{host}' in mpconfigboard.h is no host name of at most 32 letters a-z, 0-9 and -"
    if board.config.get("LWIP_LOCAL_HOSTNAME") != host:
        yield f"sdkconfig.board and mpconfigboard.h ('{host}') give different host names"
    if board.document["mcu"] != "esp32s3":
        yield f"board.json: mcu is '{board.document['mcu']}', it has to be esp32s3"


def _memory(board: Board) -> Iterator[str]:
    hardware, variables = board.hardware, board.variables
    if variables.get("WEDAU_FLASH_MB") != str(hardware["flash_mb"]):
        yield (
            f"flash: {hardware['flash_mb']} MB in board.json, "
            f"{variables.get('WEDAU_FLASH_MB')} MB in mpconfigboard.cmake"
        )
    if variables.get("WEDAU_PSRAM") != hardware["psram"]:
        yield (
            f"PSRAM: {hardware['psram']} in board.json, "
            f"{variables.get('WEDAU_PSRAM')} in mpconfigboard.cmake"
        )
    if hardware["psram"] not in _PSRAM_KINDS:
        yield f"unknown kind of PSRAM '{hardware['psram']}'; it can be {', '.join(_PSRAM_KINDS)}"
    if (hardware["psram"] == "none") != (hardware["psram_mb"] == 0):
        yield f"PSRAM of kind {hardware['psram']} cannot have {hardware['psram_mb']} MB"


def _module(board: Board) -> Iterator[str]:
    """Compare with what Espressif's part numbers say: N8R2 is 8 MB of flash and 2 MB of PSRAM."""
    hardware = board.hardware
    match = re.search(r"[NH](\d+)(?:R(\d+))?$|S3R(\d+)$", hardware["module"])
    if not match:
        return
    flash, psram = match[1], match[2] or match[3] or "0"
    if flash and int(flash) != hardware["flash_mb"]:
        yield f"module {hardware['module']} has {flash} MB of flash, not {hardware['flash_mb']} MB"
    kind = {"0": "none", "2": "quad"}.get(psram, "octal")
    if (int(psram), kind) != (hardware["psram_mb"], hardware["psram"]):
        yield (
            f"module {hardware['module']} has {psram} MB of PSRAM, kind {kind}, "
            f"not {hardware['psram_mb']} MB, kind {hardware['psram']}"
        )


def _sources(board: Board) -> Iterator[str]:
    sources = board.document["sources"]
    if not sources["data_sheet"].startswith("https://"):
        yield "board.json: sources.data_sheet has to be the address of the maker's data sheet"
    if not sources["checked_against"]:
        yield "board.json: sources.checked_against names nothing"


def _fragments(board: Board) -> Iterator[str]:
    files = [board.folder / "mpconfigboard.cmake", board.shared / "board.cmake"]
    layout = board.shared / f"flash_{board.variables.get('WEDAU_FLASH_MB')}MB.cmake"
    for path in [*files, *([layout] if layout.is_file() else [])]:
        text = re.sub(r"#.*", "", boards.read(path))
        listed = " ".join(re.findall(r"SDKCONFIG_DEFAULTS\s([^)]*)", text)).split()
        fragments = re.findall(r"[\w${}./-]*sdkconfig\.[\w.]+", text)
        for named in sorted({*fragments, *(word for word in listed if "/" in word)}):
            if not _exists(board, path, named):
                yield f"{path.parent.name}/{path.name}: there is no fragment {named}"
        for named in re.findall(r"include\(([^)\s]+)", text):
            if "WEDAU_FLASH_MB" not in named and not _exists(board, path, named):
                yield f"{path.parent.name}/{path.name}: there is no file {named} to include"


def _exists(board: Board, user: Path, named: str) -> bool:
    """Whether a file that a CMake file names is there, in our tree or in MicroPython's."""
    folder, _, name = named.rpartition("/")
    if folder in ("", "boards", "${CMAKE_CURRENT_SOURCE_DIR}/boards"):
        return name in _MICROPYTHON_FRAGMENTS
    if folder == "${CMAKE_BINARY_DIR}":
        return True  # made by the build
    for variable, value in {
        "${MICROPY_BOARD_DIR}": board.folder,
        "${CMAKE_CURRENT_LIST_DIR}": user.parent,
        "${WEDAU_SHARED}": board.shared,
    }.items():
        folder = folder.replace(variable, str(value))
    return Path(folder, name).is_file()


def _manifest(board: Board) -> Iterator[str]:
    for named in re.findall(r'include\("([^"$]+)"', boards.read(board.folder / "manifest.py")):
        if not (board.folder / named).is_file():
            yield f"manifest.py: there is no file {named} to include"


def _layout(board: Board) -> Iterator[str]:
    try:
        table = boards.table(board)
    except BuildError as error:
        yield error.message
        return
    image = IMAGE_BYTES["small" if _options(board).get("COMPILER_OPTIMIZATION_SIZE") else "fast"]
    yield from partitions.problems(table, board.flash_bytes, image)


def _options(board: Board) -> dict[str, str]:
    """Return what our fragments set for the board, in the order of shared/board.cmake."""
    paths = [board.shared / "sdkconfig.common"]
    layout = board.shared / f"flash_{board.variables.get('WEDAU_FLASH_MB')}MB.cmake"
    if layout.is_file():
        named = boards.cmake_variables(layout).get("WEDAU_FLASH_SDKCONFIG", "")
        paths += [board.shared / Path(each).name for each in named.split()]
    options: dict[str, str] = {}
    for path in paths:
        options |= boards.sdkconfig(path) if path.is_file() else {}
    return options


def _pins(board: Board) -> Iterator[str]:
    for name, gpio in board.pins.items():
        yield from (f"pin {name}: {why}" for why in _unusable(board, gpio))


def _unusable(board: Board, gpio: int) -> Iterator[str]:
    chip = boards.chip(board.shared)
    if not any(first <= gpio <= last for first, last in chip["gpio"]):
        yield f"the ESP32-S3 has no GPIO{gpio}"
        return
    psram = board.hardware["psram"]
    there = {"USB", "flash", *(["PSRAM"] if psram != "none" else []), f"{psram} PSRAM"}
    for what, (first, last) in chip["taken"].items():
        if what in there and first <= gpio <= last:
            yield f"GPIO{gpio} is taken by the {what}"


def _buses(board: Board) -> Iterator[str]:
    """Check the pins that MicroPython takes by default, its own defaults included."""
    defaults = _DEFAULT_PINS if board.hardware["psram"] == "octal" else {}
    for macro, value in (defaults | board.macros).items():
        if not re.fullmatch(r"MICROPY_HW_(I2C|SPI)\d_\w+", macro):
            continue
        if not value.isdigit():
            yield f"{macro} is '{value}', no number of a pin"
            continue
        ours = "" if macro in board.macros else ", MicroPython's default,"
        yield from (f"{macro}{ours} cannot be used: {why}" for why in _unusable(board, int(value)))


def _parts(board: Board) -> Iterator[str]:
    hardware = board.hardware
    named = [*hardware["leds"], *hardware["buttons"]]
    named += [sensor["pin"] for sensor in hardware["sensors"] if "pin" in sensor]
    yield from (
        f"pins.csv has no {name}, board.json has" for name in named if name not in board.pins
    )
    for usb in hardware["usb"]["ids"]:
        if not re.fullmatch(r"[0-9a-f]{4}:[0-9a-f]{4}", usb):
            yield f"board.json: '{usb}' is no pair of USB ids like 303a:1001"


def _config(board: Board) -> Iterator[str]:
    options = _options(board)
    if options.get("BOOTLOADER_APP_ROLLBACK_ENABLE") != "y":
        yield "shared/sdkconfig.common does not switch rollback on"
    written = set(options) | set(boards.sdkconfig(board.shared / "sdkconfig.flash.in"))
    for option in sorted(written & set(board.config)):
        yield f"sdkconfig.board sets CONFIG_{option}, which is shared's to set"
    for option in sorted(board.config):
        if option.startswith(("ESPTOOLPY_FLASHSIZE", "SPIRAM", "PARTITION_TABLE")):
            yield f"sdkconfig.board sets CONFIG_{option}, which follows from flash and PSRAM"
