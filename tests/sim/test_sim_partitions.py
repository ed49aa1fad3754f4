"""esp32.Partition on the simulated board: what the esp32 port's does, its errors included."""

import time
from pathlib import Path

import pytest
from calls import call_mpremote
from flashes import SLOTS, TABLE, Board, write_image

from wedau.build.simboard import SimFirmware
from wedau.cli import workbench
from wedau.sim import app_image, boards, direct, flash_image

PART = "import esp32\nfrom esp32 import Partition\n"


@pytest.fixture
def board(sim_firmware: SimFirmware, tmp_path: Path) -> Board:
    flash = tmp_path / "flash.bin"
    flash.write_bytes(flash_image.new(TABLE))
    return Board(sim_firmware, flash)


def fails(board: Board, source: str) -> str:
    """Return the arguments of the OSError that a line ends with."""
    program = f"{PART}try:\n    {source}\nexcept OSError as error:\n    print(*error.args)"
    return board.says(program).strip()


def test_partition_finds_and_tells(board: Board) -> None:
    said = board.says(
        PART
        + """
print(*(p.info() for p in Partition.find()))
print([p.info()[4] for p in Partition.find(Partition.TYPE_DATA)])
print([p.info()[4] for p in Partition.find(Partition.TYPE_DATA, 6)])
print([p.info()[4] for p in Partition.find(type=1, label="vfs")], Partition.find(label="vfs"))
print(Partition.find(0xFF, 6), len(Partition.find(0xFF)))
print(Partition("model_1"))
print(Partition.BOOT, Partition.RUNNING, Partition.TYPE_APP, Partition.TYPE_DATA)
"""
    ).splitlines()
    assert said == [
        "(0, 16, 65536, 65536, 'ota_0', False) (0, 17, 131072, 65536, 'ota_1', False)",
        "['nvs', 'otadata', 'phy_init', 'model_0', 'model_1', 'vfs']",
        "['model_0', 'model_1']",
        "['vfs'] []",
        "[] 8",
        "<Partition type=1, subtype=6, address=212992, size=16384, label=model_1, encrypted=0>",
        "0 1 0 1",
    ]


def test_partition_running_boot_and_next(board: Board) -> None:
    said = board.says(
        PART
        + """
for p in (Partition(Partition.RUNNING), Partition(0), Partition("ota_1"), Partition("vfs")):
    print(p.info()[4], p.get_next_update().info()[4])
"""
    )
    assert said.splitlines() == ["ota_0 ota_1", "ota_0 ota_1", "ota_1 ota_0", "vfs ota_0"]


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("Partition('nothing')", "2"),
        ("Partition('vfs').readblocks(0, bytearray(0x8001))", "-260 ESP_ERR_INVALID_SIZE"),
        ("Partition('vfs').readblocks(9, bytearray(1))", "-258 ESP_ERR_INVALID_ARG"),
        ("Partition('vfs').readblocks(-1, bytearray(1))", "-258 ESP_ERR_INVALID_ARG"),
        ("Partition('model_0').writeblocks(0, bytes(100))", "-260 ESP_ERR_INVALID_SIZE"),
        ("Partition('model_0').writeblocks(3, bytes(8192))", "-260 ESP_ERR_INVALID_SIZE"),
        ("Partition('model_0').writeblocks(3, bytes(2), 4095)", "-260 ESP_ERR_INVALID_SIZE"),
        ("Partition('model_0').ioctl(6, 4)", "-260 ESP_ERR_INVALID_SIZE"),
        ("Partition('ota_1').set_boot()", "-5379 ESP_ERR_OTA_VALIDATE_FAILED"),
        ("Partition('vfs').set_boot()", "-5379 ESP_ERR_OTA_VALIDATE_FAILED"),
    ],
)
def test_partition_errors_are_those_of_the_port(board: Board, source: str, error: str) -> None:
    assert fails(board, source) == error


def test_partition_wrong_ids_and_block_sizes(board: Board) -> None:
    for source in ("Partition(2)", "Partition('vfs', 0)", "Partition('vfs', 65536)"):
        assert "ValueError" in board.says(PART + source, direct.EXCEPTION)


def test_partition_ioctl(board: Board) -> None:
    said = board.says(
        PART
        + """
p, q = Partition("model_0"), Partition("model_0", 512)
print([p.ioctl(i, 0) for i in range(1, 8)], [q.ioctl(i, 0) for i in (4, 5, 6)])
"""
    )
    assert said == "[0, 0, 0, 4, 4096, 0, None] [32, 512, -22]\n"


def test_partition_is_nor_flash(board: Board) -> None:
    """A write with an offset only clears bits; one without erases the blocks before."""
    said = board.says(
        PART
        + """
p = Partition("model_0")
b = bytearray(4)
print(p.writeblocks(1, bytes((0xF0, 0xAA, 0xFF, 0x00)), 8))
p.writeblocks(1, bytes((0x3C, 0x0F, 0x12, 0xFF)), 8)
print(p.readblocks(1, b, 8), b.hex())
p.ioctl(6, 1)
p.readblocks(1, b, 8)
print(b.hex())
p.writeblocks(1, bytes(range(256)) * 16)
p.writeblocks(1, b"\\xa5" * 4096)
p.readblocks(1, b)
print(b.hex())
"""
    )
    assert said.splitlines() == ["None", "None 300a1200", "ffffffff", "a5a5a5a5"]


def test_partition_small_blocks_keep_their_neighbours(board: Board) -> None:
    said = board.says(
        PART
        + """
p, q = Partition("model_0"), Partition("model_0", 512)
p.writeblocks(0, b"\\x11" * 8192)
q.writeblocks(6, b"\\xee" * 2048)
b = bytearray(8192)
p.readblocks(0, b)
print(b == b"\\x11" * 3072 + b"\\xee" * 2048 + b"\\x11" * 3072)
"""
    )
    assert said == "True\n"


def test_partition_of_the_running_application_is_not_written(board: Board) -> None:
    """ESP-IDF aborts, and the chip starts anew."""
    ended = board.run(PART + "Partition('ota_0').ioctl(6, 0)", most_boots=2)
    assert ended.cause == direct.RESETS
    assert ended.output.count("a write to the partition of the running application") == 2
    image = board.flash.read_bytes()[SLOTS["ota_0"] :]
    assert app_image.read(image).elf is None


def test_partition_set_boot_checks_the_image(board: Board) -> None:
    image = app_image.make("2", script=b"print('two')")
    board.says(write_image("ota_1", image))
    good = board.flash.read_bytes()
    for at in (0, 1, 12, 23, 24, 28, 40, len(image) - 33, len(image) - 32, len(image) - 1):
        bad = bytearray(good)
        bad[SLOTS["ota_1"] + at] ^= 1
        board.flash.write_bytes(bad)
        if at == 23:  # without a hash the checksum is all there is, on the chip too
            assert fails(board, "Partition('ota_1').set_boot()") == ""
        else:
            said = fails(board, "Partition('ota_1').set_boot()")
            assert said == "-5379 ESP_ERR_OTA_VALIDATE_FAILED", at
    board.flash.write_bytes(good)
    assert board.says(PART + "Partition('ota_1').set_boot()\nprint(Partition(0).info()[4])") == (
        "ota_1\n"
    )


def test_partition_without_a_table(sim_firmware: SimFirmware, tmp_path: Path) -> None:
    """The flash is one file system, as it has always been."""
    flash = tmp_path / "flash.bin"
    flash.write_bytes(flash_image.new((), 1 << 20))
    board = Board(sim_firmware, flash)
    assert board.says(PART + "import os\nprint(Partition.find(), os.statvfs('/')[2])") == "[] 256\n"
    assert fails(board, "Partition(Partition.RUNNING)") == "2"
    assert fails(board, "Partition(Partition.BOOT)") == "2"
    missing = "-261 ESP_ERR_NOT_FOUND"
    assert fails(board, "Partition.mark_app_valid_cancel_rollback()") == missing


def test_partition_on_a_board_with_a_port(
    sim_firmware: SimFirmware, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person's board: 8 MB of flash, and an update that survives resets over the serial port."""
    monkeypatch.setenv("WEDAU_CACHE", str(tmp_path))
    table = workbench.sim_partitions()
    elf, plugin = sim_firmware.elf, sim_firmware.plugin
    running = "import esp32; print(esp32.Partition(1).info()[4])"
    try:
        board = boards.start("one", elf, plugin, partitions=table)
        assert board.flash.stat().st_size == 8 << 20
        assert "2686976" in call_mpremote(board.port, "df")
        assert call_mpremote(board.port, "exec", running) == "ota_0\n"
        image = app_image.make("2", elf=elf.read_bytes())
        (tmp_path / "app.bin").write_bytes(image)
        call_mpremote(board.port, "cp", str(tmp_path / "app.bin"), ":app.bin")
        copy = """
import esp32, machine
p = esp32.Partition("ota_1")
block = bytearray(4096)
with open("/app.bin", "rb") as f:
    for i in range(1000):
        n = f.readinto(block)
        if not n:
            break
        p.writeblocks(i, block)
p.set_boot()
machine.reset()
"""
        before = board.instructions()
        call_mpremote(board.port, "exec", "--no-follow", copy)
        for _ in range(200):
            if board.instructions() < before:
                break
            time.sleep(0.05)
        time.sleep(1)
        assert call_mpremote(board.port, "exec", running) == "ota_1\n"
        boards.stop("one")
        board = boards.start("one", elf, plugin)
        assert call_mpremote(board.port, "exec", running) == "ota_0\n"
        assert call_mpremote(board.port, "ls").split()[-1] == "boot.py"
    finally:
        boards.stop("one")
