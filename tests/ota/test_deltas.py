"""Patches on a node: what they make is tried; damaged and hostile ones give way to the whole."""

from collections.abc import Callable
from pathlib import Path

import pytest
import tables

from wedau.build.simboard import SimFirmware
from wedau.cli import ota_node, ota_samples
from wedau.cli.ota_node import Node, Repository
from wedau.ota import delta
from wedau.ota.fields import node as fields
from wedau.ota.payloads import Payload
from wedau.sim import app_image

GOOD = ota_node.MAIN.format(name="saw", row=ota_samples.ROW, good=20)
OLD, NEW = "old", "own"  # the same trees: they differ in a label and the version
SLOT = next(part for part in ota_node.TABLE if part.label == "model_0")


def live(node: Node) -> bytes:
    """Return the payload of the slot that holds the first model."""
    return node.flash.read_bytes()[SLOT.offset + 4096 : SLOT.offset + SLOT.size_bytes]


def answers(output: str) -> list[str]:
    return [line.split()[1] for line in output.splitlines() if line.startswith("answer ")]


def remove(repository: Repository, wanted: Callable[[Path], bool]) -> None:
    """Remove targets from the repository, so that nobody can download them."""
    found = [path for path in (repository.folder / "targets").rglob("*") if path.is_file()]
    chosen = [path for path in found if wanted(path)]
    assert chosen
    for path in chosen:
        path.unlink()


def test_model_is_made_of_the_old_one_and_a_patch(place: tuple[Repository, Node]) -> None:
    repository, node = place
    before = live(node)
    new = ota_samples.small_model(NEW)
    repository.release(new, make_patch=delta.make)
    remove(repository, lambda path: path.suffix != ".patch")
    ended = node.run(GOOD)
    assert answers(ended.output) == [OLD, NEW], ended.output
    assert live(node) == before
    ended = node.run(GOOD)
    assert "'state': 'confirmed'" in ended.output and answers(ended.output) == [NEW]


def flipped(old: bytes, new: bytes) -> bytes:
    """A patch with one bit wrong in what it adds."""
    patch = delta.make(old, new)
    assert patch is not None
    return patch[:-9] + bytes([patch[-9] ^ 0x10]) + patch[-8:]


def negative(old: bytes, new: bytes) -> bytes:
    """A patch whose first difference has -2 bytes."""
    bits = f"1{0:08b}1{0x42:08b}".ljust(24, "0")
    return (delta.make(old, new) or b"")[:3] + int(bits, 2).to_bytes(3, "big")


def of_another(old: bytes, new: bytes) -> bytes:
    """A patch to another payload than the one that is live."""
    patch = delta.make(old[::-1] + old, new + new[::-1])
    assert patch is not None
    return patch


def of_another_of_its_size(old: bytes, new: bytes) -> bytes:
    """A patch that applies, but to a payload that differs in some bytes."""
    patch = delta.make(old[:2000] + bytes(8) + old[2008:], new)
    assert patch is not None
    return patch


def cut_off(old: bytes, new: bytes) -> bytes:
    """A patch without its end."""
    patch = delta.make(old, new)
    assert patch is not None
    return patch[: len(patch) // 2]


HOSTILE = (flipped, negative, of_another, of_another_of_its_size, cut_off)


@pytest.mark.parametrize("make", HOSTILE, ids=lambda make: make.__name__)
def test_hostile_patch_that_was_signed_gives_way_to_the_whole(
    make: Callable[[bytes, bytes], bytes], place: tuple[Repository, Node]
) -> None:
    repository, node = place
    before = live(node)
    repository.release(ota_samples.small_model(NEW), make_patch=make)
    wholes = [p for p in (repository.folder / "targets").rglob("*.saw.wdt") if p.is_file()]
    assert wholes
    hidden = [(path, path.read_bytes()) for path in wholes]
    remove(repository, lambda path: path in wholes)
    ended = node.run(GOOD)
    assert "error missing" in ended.output and answers(ended.output) == [OLD], ended.output
    assert live(node) == before
    for path, data in hidden:
        path.write_bytes(data)
    ended = node.run(GOOD)
    assert answers(ended.output) == [OLD, NEW], ended.output
    assert live(node) == before


def test_patch_that_was_changed_or_is_missing_gives_way_to_the_whole(
    place: tuple[Repository, Node], tmp_path: Path
) -> None:
    repository, node = place
    repository.release(ota_samples.small_model(NEW), make_patch=delta.make)
    (patch,) = (repository.folder / "targets").rglob("*.patch")
    kept, start = patch.read_bytes(), node.flash.read_bytes()
    for data in (bytes([kept[0] ^ 1]) + kept[1:], kept + b"x", kept[:-1], None):
        node.flash.write_bytes(start)
        patch.unlink() if data is None else patch.write_bytes(data)
        ended = node.run(GOOD)
        assert answers(ended.output) == [OLD, NEW], ended.output


NO_MEMORY = """
from wedau.ota import patches
def no(*args):
    raise MemoryError
patches.Sink = no
"""


def test_patch_that_the_heap_is_too_small_for_gives_way_to_the_whole(
    place: tuple[Repository, Node],
) -> None:
    repository, node = place
    repository.release(ota_samples.small_model(NEW), make_patch=delta.make)
    ended = node.run(NO_MEMORY + GOOD)
    assert answers(ended.output) == [OLD, NEW], ended.output


def test_firmware_is_made_of_the_one_that_runs_and_a_patch(
    place: tuple[Repository, Node],
) -> None:
    repository, node = place
    repository.release(ota_samples.small_firmware("one"))
    assert node.run(GOOD).app == "ota_1"
    assert "'state': 'confirmed'" in node.run(GOOD).output
    repository.release(ota_samples.small_firmware("two"), make_patch=delta.make)
    remove(repository, lambda path: path.suffix == ".bin")
    ended = node.run(GOOD)
    assert (ended.app, ended.boots) == ("ota_0", 2) and "firmware two" in ended.output, ended.output
    ended = node.run(GOOD)
    assert ended.app == "ota_0" and ended.output.count("'state': 'confirmed'") == 2


def test_firmware_of_its_own_is_made_of_the_one_that_runs_and_a_patch(
    whole_firmware: SimFirmware, tmp_path: Path
) -> None:
    repository = Repository.make(tmp_path / "releases")
    elf = whole_firmware.elf.read_bytes()
    images = {version: app_image.make(version, elf=elf) for version in ("one", "two")}
    one, two = (
        Payload(fields.FIRMWARE, "SIM", version, image, {"board": "SIM"})
        for version, image in images.items()
    )
    table = tables.for_firmware(-(-len(images["one"]) // 0x10000) * 0x10000)
    repository.release(one)
    with ota_node.serve(repository.folder) as url:
        flash = tmp_path / "flash.bin"
        node = Node.provisioned(whole_firmware, flash, repository.root, {"url": url}, table)
        assert node.run(GOOD).app == "ota_1"
        repository.release(two, make_patch=delta.make)
        (patch,) = (repository.folder / "targets").rglob("*.patch")
        assert patch.stat().st_size < 0.05 * len(images["two"])
        remove(repository, lambda path: path.suffix == ".bin")
        ended = node.run(GOOD)
    assert (ended.app, ended.boots) == ("ota_0", 2), ended.output
    at = next(part.offset for part in table if part.label == "ota_0")
    assert flash.read_bytes()[at:].startswith(images["two"])
