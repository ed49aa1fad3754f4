"""Firmwares that are whole, damaged, or for something else; partition tables."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import firmware_samples as samples
from wedau import flash_map
from wedau.device import firmware
from wedau.device.chips import MB, Psram
from wedau.errors import DataError

IN_A_FOLDER = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def load(folder: Path) -> firmware.Firmware:
    return firmware.load(folder, samples.BOARD)


def refused(folder: Path) -> str:
    with pytest.raises(DataError) as caught:
        load(folder)
    assert "\n" not in caught.value.message
    return caught.value.message.removeprefix(f"{folder / 'manifest.json'}: ")


def with_layout(folder: Path, **changes: tuple[int, int, int, int]) -> Path:
    """A firmware whose partition table has other entries."""
    table = samples.table({**samples.LAYOUT, **changes})
    return samples.write(folder, {**samples.images(), "partition-table.bin": (0x8000, table)})


def test_firmware_is_what_the_manifest_says(tmp_path: Path) -> None:
    loaded = load(samples.write(tmp_path, psram_kind="octal", psram_bytes=8 * MB))
    assert (loaded.board, loaded.version, loaded.chip) == (samples.BOARD, "1.28.0", "esp32s3")
    assert loaded.psram == Psram("octal", 8 * MB)
    assert loaded.usb_ids == ((0x2886, 0x0056),)
    assert [(i.offset, i.data) for i in loaded.images] == list(samples.images().values())
    assert [p.label for p in loaded.partitions] == list(samples.LAYOUT)


@pytest.mark.parametrize(("kind", "in_package"), [("quad", False), ("octal", True)])
def test_psram_that_no_package_has_is_beside_the_chip(
    tmp_path: Path, kind: str, in_package: bool
) -> None:
    loaded = load(samples.write(tmp_path, psram_kind=kind, psram_bytes=8 * MB))
    assert loaded.psram == Psram(kind, 8 * MB, in_package)


def test_firmware_is_found_in_the_folder_of_its_board(tmp_path: Path) -> None:
    samples.write(tmp_path / samples.BOARD)
    assert load(tmp_path).board == samples.BOARD
    with pytest.raises(DataError, match=f"no firmware for OTHER: there are: {samples.BOARD}"):
        firmware.load(tmp_path, "OTHER")
    with pytest.raises(DataError, match=f"holds a firmware for {samples.BOARD}, not for OTHER"):
        firmware.load(tmp_path / samples.BOARD, "OTHER")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"manifest_version": 2}, "manifest_version is 2, this Wedau reads 1"),
        ({"chip": "esp32"}, "the chip 'esp32' is not one of esp32s3"),
        ({"board": "../x"}, "board is '../x', which is no plain name"),
        ({"flash_bytes": "4MB"}, "flash_bytes is '4MB', which is no whole number"),
        ({"flash_bytes": True}, "flash_bytes is 'True', which is no whole number"),
        ({"flash_bytes": 2 * MB}, "it needs 4194304 bytes of flash, the board has 2097152"),
        ({"psram_kind": "fast"}, "0 bytes of PSRAM of the kind 'fast' do not exist"),
        ({"psram_kind": "quad"}, "0 bytes of PSRAM of the kind 'quad' do not exist"),
        ({"usb_ids": ["1"]}, "an entry of usb_ids is not like '303A:1001'"),
        ({"images": []}, "no image holds the partition table, at 0x8000"),
        ({"images": [3]}, "an entry is no object with keys"),
    ],
)
def test_manifest_with_a_mistake_is_refused(
    tmp_path: Path, changes: dict[str, Any], problem: str
) -> None:
    assert refused(samples.write(tmp_path, **changes)) == problem


@pytest.mark.parametrize(
    ("name", "offset", "data", "problem"),
    [
        ("app", 0x10000, samples.program(9000, 1, chip_id=0), "is for another chip (number 0)"),
        ("app", 0x10000, b"\0" * 100, "is no program for an ESP32"),
        ("app", 0x10004, samples.program(9000, 1), "is not at a multiple of 4096"),
        ("app", 0xF000, samples.program(9000, 1), "overlaps the image before it"),
        ("app", 0x20000, samples.program(9000, 1), "no image holds a program"),
        ("app", 0x10000, samples.program(0x181000, 1), "is too large for ota_0"),
        ("boot", 0x1000, samples.program(9000, 1), "no image holds the boot loader, at 0x0"),
        ("ota_data_initial.bin", 0xE000, b"\xff" * 0x2001, "overlaps the image before it"),
        ("files", samples.VFS, b"files", "files would overwrite the user's vfs"),
        ("settings", 0x9000, b"files", "settings would overwrite the user's nvs"),
        ("ota_data_initial.bin", 0xE000, b"\xff", "no image holds otadata"),
        ("partition-table.bin", 0x8000, b"\0" * 0xC00, "the partition table is damaged"),
        ("partition-table.bin", 0x8000, b"\xff" * 0xC00, "has no place for a program"),
    ],
)
def test_images_at_the_wrong_place_are_refused(
    tmp_path: Path, name: str, offset: int, data: bytes, problem: str
) -> None:
    name = {"app": "micropython.bin", "boot": "bootloader.bin"}.get(name, name)
    assert problem in refused(samples.write(tmp_path, {**samples.images(), name: (offset, data)}))


def test_a_partition_table_that_needs_more_flash_is_refused(tmp_path: Path) -> None:
    folder = with_layout(tmp_path, vfs=(1, 0x83, 0x310000, 0x200000))
    assert refused(folder) == "it needs 5308416 bytes of flash, the board has 4194304"


def test_a_damaged_image_is_refused(tmp_path: Path) -> None:
    folder = samples.write(tmp_path)
    path = folder / "micropython.bin"
    data = bytearray(path.read_bytes())
    data[40000] ^= 1
    path.write_bytes(data)
    assert refused(folder) == "micropython.bin is damaged: its hash is not the manifest's"
    path.write_bytes(data[:-1])
    assert refused(folder) == "micropython.bin has 70000 bytes, the manifest says 70001"
    path.unlink()
    assert refused(folder) == f"{path} cannot be read: No such file or directory"


def test_a_manifest_that_is_no_json_is_refused(tmp_path: Path) -> None:
    folder = samples.write(tmp_path)
    for text in (b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"board": "x'):
        (folder / "manifest.json").write_bytes(text)
        assert refused(folder) == f"{folder / 'manifest.json'} is not JSON"


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@IN_A_FOLDER
@given(data=st.data())
def test_a_changed_manifest_is_refused_or_sound(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.getbasetemp() / "changed"
    if not folder.exists():
        samples.write(folder)
    content = samples.manifest(samples.images())
    target: Any = content
    if data.draw(st.booleans()):
        target = content["images"][data.draw(st.integers(0, 3))]
    key = data.draw(st.sampled_from(sorted(target)))
    if data.draw(st.booleans()):
        del target[key]
    else:
        near = st.sampled_from([0, 4096, 0x10000, 8 * MB, "..", "/etc/passwd", "manifest.json"])
        target[key] = data.draw(values | near)
    (folder / "manifest.json").write_text(json.dumps(content), encoding="utf-8")
    try:
        loaded = load(folder)
    except DataError as error:
        assert error.message.isprintable()
        return
    ends = [0, *(image.end for image in loaded.images)]
    assert all(image.offset >= end for image, end in zip(loaded.images, ends, strict=False))
    assert ends[-1] <= loaded.flash_bytes
    users = [p for p in loaded.partitions if p.is_users]
    assert not any(p.overlaps(i.offset, i.end) for p in users for i in loaded.images)


@IN_A_FOLDER
@given(at=st.integers(0, len(samples.table()) - 1), byte=st.integers(0, 255))
def test_a_damaged_partition_table_is_refused_or_the_same(at: int, byte: int) -> None:
    table = bytearray(samples.table())
    used = 32 * (len(samples.LAYOUT) + 1)
    changed = table[at] != byte and at < used
    table[at] = byte
    try:
        assert (flash_map.parse(bytes(table)) == flash_map.parse(samples.table())) == (not changed)
    except flash_map.TableError:
        assert at < used + 32


@IN_A_FOLDER
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_no_partition_table(data: bytes) -> None:
    try:
        found = flash_map.parse(data)
    except flash_map.TableError:
        return
    assert found == ()
    assert data[:32] == b"\xff" * 32


def test_a_file_system_that_moves_is_noticed() -> None:
    before = flash_map.parse(samples.table())
    assert flash_map.moved(before, before) == []
    assert flash_map.moved((), before) == []
    smaller = {**samples.LAYOUT, "vfs": (1, 0x83, 0x310000, 0x80000)}
    (lost,) = flash_map.moved(before, flash_map.parse(samples.table(smaller)))
    assert lost.label == "vfs"


def test_the_rest_of_the_flash_is_a_file_system_where_the_table_has_none() -> None:
    """MicroPython's own firmware has such a table."""
    stock = flash_map.parse(samples.table(samples.STOCK))
    (made,) = flash_map.with_file_system(stock, 4 * MB)[len(stock) :]
    assert (made.label, made.offset, made.end) == ("vfs", 0x200000, 4 * MB)
    assert made.is_file_system
    whole = flash_map.parse(samples.table())
    assert flash_map.with_file_system(whole, 8 * MB) == whole
    assert flash_map.with_file_system((), 8 * MB) == ()


def test_a_merged_file_is_cut_where_the_user_has_things(tmp_path: Path) -> None:
    path = tmp_path / "merged.bin"
    path.write_bytes(samples.merged())
    loaded = load(path)
    assert (loaded.board, loaded.psram, loaded.flash_bytes) == (None, None, 4 * MB)
    assert [(i.name, i.offset) for i in loaded.images] == [
        ("bootloader", 0),
        ("table", 0x8000),
        ("otadata", 0xE000),
        ("ota_0", 0x10000),
    ]
    for image, (_, data) in zip(loaded.images, samples.images().values(), strict=True):
        assert image.data[: len(data)] == data


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (samples.program(70000, 1, chip_id=0), "it is not for an ESP32-S3 (its chip has"),
        (samples.program(9000, 1), "a program without boot loader and partition table"),
        (samples.program(70000, 1), "the partition table is damaged"),
        (b"PK", "it is no program for an ESP32"),
        (samples.merged()[:0x9000] + b"x" + samples.merged()[0x9001:], "the user's nvs"),
        (samples.merged()[:0x10000], "no image holds a program"),
    ],
)
def test_a_file_that_is_no_merged_image_is_refused(
    tmp_path: Path, data: bytes, problem: str
) -> None:
    path = tmp_path / "given.bin"
    path.write_bytes(data)
    with pytest.raises(DataError, match="given.bin: ") as caught:
        load(path)
    assert problem in caught.value.message


def test_the_reference_names_every_key() -> None:
    page = Path(__file__).parents[2] / "docs/reference/firmware-folder.md"
    text = page.read_text(encoding="utf-8")
    shown = json.loads(text.split("```json\n")[1].split("```")[0])
    content = samples.manifest(samples.images())
    assert set(shown) == {*content, "psram_in_package"}
    assert set(shown["images"][0]) == set(content["images"][0])
    table = text.split("| key |")[1]
    assert all(f"`{key}`" in table for key in [*shown, *shown["images"][0]])
