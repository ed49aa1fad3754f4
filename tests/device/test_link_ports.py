"""Which port is taken when none is given, and which are listed."""

import pytest
from serial.tools import list_ports, list_ports_common

from wedau.device import ports
from wedau.errors import NoDeviceError, UsageError


def plug_in(monkeypatch: pytest.MonkeyPatch, **ids: tuple[int, int] | None) -> None:
    """Have the system list these ports, by USB vendor and product."""
    listed = []
    for name, numbers in ids.items():
        port = list_ports_common.ListPortInfo(name)
        port.vid, port.pid = numbers or (None, None)
        listed.append(port)
    monkeypatch.setattr(list_ports, "comports", lambda: listed)


def test_ports_lists_boards_and_bridges_but_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch, COM1=None, COM3=(0x10C4, 0xEA60), COM4=(0x303A, 0x1001), COM6=(1, 2))
    assert ports.candidates() == [
        ports.Port("COM4", "Espressif USB"),
        ports.Port("COM3", "CP210x bridge"),
    ]
    assert ports.candidates({(1, 2): "a board"})[1] == ports.Port("COM6", "a board")
    assert ports.is_native_usb("COM4")
    assert not ports.is_native_usb("COM3")


def test_ports_takes_the_only_board(monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch, COM1=None, COM4=(0x303A, 0x4001))
    assert ports.choose(None) == "COM4"
    assert ports.choose("COM9") == "COM9"


def test_ports_takes_the_only_simulated_board(monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch)
    assert ports.choose(None, [ports.Port("/dev/pts/3", "simulated: sim1")]) == "/dev/pts/3"


def test_ports_says_how_to_get_a_board_when_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch, COM1=None)
    with pytest.raises(NoDeviceError) as caught:
        ports.choose(None)
    assert caught.value.message == "no board found at any port"
    assert "hold BOOT" in caught.value.hint
    assert "wedau sim start" in caught.value.hint


def test_ports_lists_all_boards_when_there_are_several(monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch, COM4=(0x303A, 0x1001))
    with pytest.raises(UsageError) as caught:
        ports.choose(None, [ports.Port("/dev/pts/3", "simulated: sim1")])
    assert caught.value.message == (
        "there are 2 boards: COM4 (Espressif USB), /dev/pts/3 (simulated: sim1)"
    )
    assert caught.value.hint == "choose one with --port"
