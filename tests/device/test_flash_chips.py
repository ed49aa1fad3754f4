"""What esptool prints of a chip, whether a firmware fits, and which board is taken."""

import dataclasses
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from serial.tools import list_ports, list_ports_common

import firmware_samples as samples
from wedau.device import chips, finding, firmware, flashing
from wedau.device.chips import MB, Chip, Psram
from wedau.errors import DeviceError, NoDeviceError, UsageError

PRINTED = """
esptool v5.6.0
Connected to ESP32-S3 on /dev/ttyACM0:
Chip type:          ESP32-S3 (QFN56) (revision v0.2)
Features:           Wi-Fi, BT 5 (LE), Dual Core + LP Core, 240MHz, Embedded PSRAM 8MB (AP_3v3)
Crystal frequency:  40MHz
MAC:                F4:12:fa:aa:bb:cc

Detected flash size: 16MB
""".splitlines()

BARE = Chip("COM4", "ESP32-S3", "", "24:0a:c4:00:00:00", 4 * MB, Psram("none", 0))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> firmware.Firmware:
    return firmware.load(samples.write(tmp_path_factory.mktemp("built")), samples.BOARD)


def test_chip_is_read_from_what_esptool_prints() -> None:
    chip = chips.parse("COM4", PRINTED)
    assert chip == Chip(
        "COM4",
        "ESP32-S3",
        "ESP32-S3 (QFN56) (revision v0.2)",
        "f4:12:fa:aa:bb:cc",
        16 * MB,
        Psram("octal", 8 * MB),
    )
    assert chip.target == "esp32s3"
    assert str(chip) == "ESP32-S3 with 16 MB of flash and 8 MB of octal PSRAM"


@pytest.mark.parametrize(
    ("feature", "psram"),
    [
        ("240MHz", Psram("none", 0)),
        ("Embedded PSRAM 2MB (AP_3v3)", Psram("quad", 2 * MB)),
        ("Embedded PSRAM 16MB (AP_1v8)", Psram("octal", 16 * MB)),
        ("Embedded PSRAM 4MB ()", Psram("unknown", 4 * MB)),
        ("Unknown Embedded PSRAM (AP_3v3)", Psram("unknown", 0)),
    ],
)
def test_chip_tells_its_psram(feature: str, psram: Psram) -> None:
    lines = [line.replace("Embedded PSRAM 8MB (AP_3v3)", feature) for line in PRINTED]
    assert chips.parse("COM4", lines).psram == psram


@given(st.lists(st.sampled_from(PRINTED) | st.text(), max_size=9))
def test_chip_that_tells_too_little_is_an_error(lines: list[str]) -> None:
    try:
        chips.parse("COM4", lines)
    except DeviceError as error:
        assert "did not tell its type" in error.message
    else:
        assert sum(line in lines for line in PRINTED if line) >= 4


@pytest.mark.parametrize(
    ("chip", "changes", "problem"),
    [
        ({}, {}, None),
        ({"psram": Psram("unknown", 0)}, {}, None),
        ({"flash_bytes": 2 * MB}, {"board": None}, "4 MB of flash, and this chip has 2 MB"),
        ({"flash_bytes": 8 * MB}, {"board": None}, None),
        ({"psram": Psram("octal", 8 * MB)}, {"psram": None}, None),
        ({}, {"psram": Psram("quad", 8 * MB, in_package=False)}, None),
        (
            {"psram": Psram("octal", 8 * MB)},
            {"psram": Psram("quad", 8 * MB, in_package=False)},
            "it is for 8 MB of quad PSRAM beside the chip, "
            "and this chip has 8 MB of octal PSRAM in its package",
        ),
        (
            {"psram": Psram("quad", 2 * MB)},
            {"psram": Psram("octal", 8 * MB)},
            "it is for 8 MB of octal PSRAM, and this chip has 2 MB of quad PSRAM in its package",
        ),
    ],
)
def test_firmware_fits_or_not(
    built: firmware.Firmware,
    chip: dict[str, object],
    changes: dict[str, object],
    problem: str | None,
) -> None:
    said = chips.mismatch(dataclasses.replace(BARE, **chip), dataclasses.replace(built, **changes))
    assert said == problem or (problem and said and problem in said)


PlugIn = Callable[..., list[str]]


@pytest.fixture
def plug_in(monkeypatch: pytest.MonkeyPatch) -> PlugIn:
    """Have the system list these ports by USB numbers, and the chips say what they are."""

    def plug(**boards: tuple[int, int, Chip | None]) -> list[str]:
        listed, asked = [], []
        for name, (vid, pid, _) in boards.items():
            port = list_ports_common.ListPortInfo(name)
            port.vid, port.pid = vid, pid
            listed.append(port)

        def ask(port: str) -> Chip:
            asked.append(port)
            chip = boards[port][2]
            if chip is None:
                raise NoDeviceError("nothing answers", "press RESET")
            return chip

        monkeypatch.setattr(list_ports, "comports", lambda: listed)
        monkeypatch.setattr(flashing, "ask", ask)
        return asked

    return plug


BIG = dataclasses.replace(BARE, flash_bytes=16 * MB)


def test_the_given_port_is_taken(built: firmware.Firmware, plug_in: PlugIn) -> None:
    plug_in()
    assert finding.find(built, "COM9") == "COM9"
    with pytest.raises(NoDeviceError, match="no board found at any port"):
        finding.find(built, None)


def test_the_only_board_is_taken_unasked(built: firmware.Firmware, plug_in: PlugIn) -> None:
    asked = plug_in(COM3=(0x10C4, 0xEA60, None))
    assert finding.find(built, None) == "COM3"
    assert asked == []


def test_the_board_is_known_by_its_usb_numbers(built: firmware.Firmware, plug_in: PlugIn) -> None:
    for own in ((0x303A, 0x1001), (0x303A, 0x0002), (0x2886, 0x0056)):
        asked = plug_in(COM3=(0x10C4, 0xEA60, None), COM4=(*own, BARE))
        assert finding.find(built, None) == "COM4"
        assert asked == []


def test_of_several_boards_the_one_that_fits_is_taken(
    built: firmware.Firmware, plug_in: PlugIn
) -> None:
    asked = plug_in(COM3=(0x10C4, 0xEA60, BIG), COM5=(0x10C4, 0xEA60, BARE), COM6=(1, 2, BARE))
    assert finding.find(built, None) == "COM5"
    assert asked == ["COM3", "COM5"]


def test_several_boards_that_fit_are_listed(built: firmware.Firmware, plug_in: PlugIn) -> None:
    plug_in(COM3=(0x10C4, 0xEA60, BARE), COM5=(0x1A86, 0x55D4, BARE))
    with pytest.raises(UsageError, match=r"COM3 \(CP210x bridge\), COM5 \(CH9102 bridge\)"):
        finding.find(built, None)


def test_boards_that_do_not_fit_are_listed(built: firmware.Firmware, plug_in: PlugIn) -> None:
    plug_in(COM3=(0x10C4, 0xEA60, None), COM5=(0x1A86, 0x55D4, BIG))
    with pytest.raises(NoDeviceError, match="is for none of the boards at COM3"):
        finding.find(built, None)
