"""wedau boards: what it lists, shows and refuses."""

import json
import shutil
from pathlib import Path

import pytest
from outcomes import Refused, Wedau

from wedau.build import boards

NAMES = boards.names()


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Definitions with a mistake in one of them."""
    root = Path(shutil.copytree(boards.default_root(), tmp_path / "boards"))
    pins = root / "SEEED_XIAO_ESP32S3/pins.csv"
    pins.write_text(pins.read_text().replace("LED,GPIO21", "LED,GPIO36"))
    return root


def test_boards_lists_every_board(wedau: Wedau):
    done = wedau("boards")
    lines = done.out.splitlines()
    assert done.code == 0
    assert [line.split()[0] for line in lines] == ["board", *NAMES]


def test_boards_json_lists_every_board(wedau: Wedau):
    documents = json.loads(wedau("boards", "--json").out)
    assert [document["board"] for document in documents] == NAMES
    assert all(document["sources"]["data_sheet"] for document in documents)
    assert all(document["partitions"][-1]["name"] == "vfs" for document in documents)


def test_boards_shows_one_with_its_map(wedau: Wedau):
    done = wedau("boards", "ADAFRUIT_FEATHER_ESP32S3")
    assert done.code == 0
    assert "2 MB quad" in done.out
    assert "0x190000  1,536 KiB  ota_1" in done.out
    one = json.loads(wedau("boards", "ADAFRUIT_FEATHER_ESP32S3", "--json").out)
    assert one["pins"]["NEOPIXEL"] == 33


def test_boards_check_ends_well_when_all_are_sound(wedau: Wedau):
    done = wedau("boards", "--check")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [f"{name}: sound" for name in NAMES]


def test_boards_check_names_the_mistake(wedau: Wedau, broken: Path):
    said = "pin LED: GPIO36 is taken by the octal PSRAM"
    done = wedau("boards", "--check", "--folder", broken)
    assert done.code == 4
    assert f"SEEED_XIAO_ESP32S3: {said}" in done.out.splitlines()
    assert "error: mistakes in 1 of 10 definitions" in done.err
    found = json.loads(wedau("boards", "--check", "--json", "--folder", broken).out)
    assert {each["board"]: each["problems"] for each in found if each["problems"]} == {
        "SEEED_XIAO_ESP32S3": [said]
    }


def test_boards_check_of_one_board_leaves_the_others(wedau: Wedau, broken: Path):
    assert wedau("boards", "UM_FEATHERS3", "--check", "--folder", broken).code == 0


def test_boards_refuses_an_unknown_board(refused: Refused):
    said = refused("boards", "ESP8266", code=2)
    assert said.error == "there is no board ESP8266"


def test_boards_refuses_a_folder_without_boards(refused: Refused, tmp_path: Path):
    assert "holds no board" in refused("boards", "--folder", tmp_path).error
