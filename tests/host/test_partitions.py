"""Partition tables: read, refused where they cannot work, drawn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wedau.build import partitions
from wedau.build.partitions import Partition
from wedau.errors import BuildError

MEBIBYTE = 1024 * 1024
FLASH = 4 * MEBIBYTE
IMAGE = 1_480_000
SOUND = """\
# a table for 4 MB
nvs,      data, nvs,       0x9000, 16K
otadata,  data, ota,       ,       0x2000
phy_init, data, phy,       ,       0x1000
ota_0,    app,  ota_0,     ,       1536K
ota_1,    app,  ota_1,     ,       0x180000
model_0,  data, undefined, ,       0x20000
model_1,  data, undefined, ,       0x20000
vfs,      data, fat,       ,       0xB0000
"""


def problems(text: str, flash: int = FLASH, image: int = IMAGE) -> list[str]:
    return partitions.problems(partitions.parse(text), flash, image)


def test_missing_offsets_follow_the_partition_before():
    table = {p.name: p for p in partitions.parse(SOUND)}
    assert problems(SOUND) == []
    assert table["otadata"].offset == 0xD000
    assert table["ota_0"] == Partition("ota_0", "app", "ota_0", 0x10000, 0x180000)
    assert table["ota_1"].offset == 0x190000
    assert table["vfs"].end == FLASH


def test_app_without_offset_starts_at_a_multiple_of_64_kib():
    text = SOUND.replace("0x9000, 16K", "0x9000, 20K")
    assert {p.name: p.offset for p in partitions.parse(text)}["ota_0"] == 0x20000


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "ota_1,     ,       0x180000",
            "ota_1, 0x180000, 0x180000",
            "partition ota_1 at 0x180000 overlaps partition ota_0, which ends at 0x190000",
        ),
        ("0x9000, 16K", "0x8000, 20K", "partition nvs at 0x8000 overlaps the partition table"),
        ("0xB0000", "0xB1000", "partition vfs ends at 0x401000, behind the flash's end"),
        ("ota_1,     , ", "ota_1, 0x191000,", "ota_1 at 0x191000 is not at a multiple of 0x10000"),
        ("0xB0000", "0xA0800", "the size of partition vfs, 0xa0800, is not a multiple of 0x1000"),
        ("0x2000", "0x3000", "partition otadata has 0x3000 bytes, it has to have 0x2000"),
        ("0x180000", "0x170000", "partitions ota_0 and ota_1 differ in size"),
        ("vfs, ", "files,", "there is no partition vfs"),
        ("model_1,", "model_0,", "2 partitions are called model_0"),
        ("vfs, ", "a_name_of_16_byt,", "name 'a_name_of_16_byt' has to have 1 to 15 bytes"),
        ("0xB0000", "0x10000", "partition vfs has 0x10000 bytes, it needs 0x40000"),
    ],
)
def test_mistake_in_a_table_is_named(old: str, new: str, said: str):
    assert SOUND.count(old) >= 1
    assert any(said in problem for problem in problems(SOUND.replace(old, new, 1)))


def test_slot_too_small_for_the_firmware_is_refused():
    found = problems(SOUND, image=1_700_000)
    assert found == [
        f"partition {name} has 1,572,864 bytes, too few for a firmware of 1,700,000 bytes"
        for name in ("ota_0", "ota_1")
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("vfs, data, fat", "line 1: 3 fields, there have to be 5"),
        ("vfs, data, fat, ,", "line 1: '' is not a number of bytes"),
        ("vfs, data, fat, ten, 4K", "line 1: 'ten' is not a number of bytes"),
        ("vfs, data, fat, , -4K", "line 1: '-4k' is not a number of bytes"),
    ],
)
def test_line_that_is_no_partition_is_refused(line: str, said: str):
    with pytest.raises(BuildError, match=said.replace("(", r"\(")):
        partitions.parse(line.replace("-4K", "-4k"))


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str):
    try:
        table = partitions.parse(text)
    except BuildError:
        return
    partitions.problems(table, FLASH, IMAGE)
    partitions.picture(table, FLASH)


sizes = st.integers(1, 0x40).map(lambda n: n * 0x1000)


@given(st.lists(st.tuples(st.sampled_from(["app", "data"]), sizes), max_size=8))
def test_partitions_without_offsets_never_overlap(parts: list[tuple[str, int]]):
    text = "\n".join(f"p{i}, {kind}, x, , {size:#x}" for i, (kind, size) in enumerate(parts))
    table = partitions.parse(text)
    found = partitions.problems(table, 16 * MEBIBYTE, 0)
    assert not [problem for problem in found if "overlaps" in problem or "multiple" in problem]
    assert [p.size for p in table] == [size for _, size in parts]


def test_map_shows_every_byte_of_the_flash():
    lines = partitions.picture(partitions.parse(SOUND), 8 * MEBIBYTE)
    sizes = [int(line.split()[1].replace(",", "")) for line in lines[1:]]
    assert sum(sizes) == 8 * 1024
    assert lines[4].split()[:4] == ["0x00f000", "4", "KiB", "phy_init"]
    assert lines[-1].split() == ["0x400000", "4,096", "KiB", "-", "free"]
