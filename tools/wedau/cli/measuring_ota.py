"""What an update of a model costs the node, measured on the simulated board."""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from wedau import __version__
from wedau.bench import digits as reference
from wedau.cli import ota_node, verify
from wedau.cli.workbench import micropython_source, sim_firmware
from wedau.convert import module
from wedau.errors import SimError
from wedau.flash_map import Partition
from wedau.ota import golden, payloads
from wedau.ota.payloads import Payload
from wedau.sim import direct

_TREES = 35  # makes a module of some 40 kB
_SLOT_BYTES = 0x10000
_STEP_BYTES = 256
_SURE_STEPS = 8
_MOST_HEAP_BYTES = 1 << 18
_BUFFER_BYTES = 4096  # of the payload; the node's
_EMPTY = "print('done')"
# Stores what is offered and ends there.
_STORE = """
import wedau.ota
def stop():
    print("done")
    raise SystemExit
wedau.ota.boot(stop)
error = wedau.ota.check()
print("error", error and error.code, error)
"""
# From the poll to confirmed: stores, restarts, tries, decides, confirms.
_UPDATE = """
import wedau.ota
wedau.ota.boot()
for _ in range(20):
    wedau.ota.good()
news = wedau.ota.status().get("model", {{"serial": 0}})
if news["serial"] == {serial} and news["state"] == "confirmed":
    print("done")
    raise SystemExit
error = wedau.ota.check()
print("error", error and error.code, error)
"""


@dataclass(frozen=True)
class Figures:
    """What an update costs.

    Attributes:
        instructions: from power on with the old model over poll, download, restart and self-test
            to the new model, confirmed.
        peak_heap_bytes: the smallest heap in which the poll stores the update, less the smallest
            in which an empty program runs and less the payload's buffer.
        payload_bytes: of the model.
    """

    instructions: int
    peak_heap_bytes: int
    payload_bytes: int


def measure(micropython: Path | None = None) -> Figures:
    """Update a node from one model to another of 40 kB.

    Raises:
        SimError: no simulated board can run here, or the update does not arrive.
        BuildError: a compiler is missing, or the build fails.
    """
    firmware = sim_firmware(micropython, whole=True)
    with tempfile.TemporaryDirectory(prefix="wedau-") as temporary:
        folder = Path(temporary)
        old, new = (_model(version, micropython) for version in ("1.0.0", "2.0.0"))
        repository = ota_node.Repository.make(folder / "releases")
        repository.release(old)
        with ota_node.serve(repository.folder) as url:
            flash = folder / "flash.bin"
            settings = {"url": url}
            node = ota_node.Node.provisioned(firmware, flash, repository.root, settings, _table())
            ended = node.run(_UPDATE.format(serial=1))
            _need_done(ended)
            repository.release(new)
            start = flash.read_bytes()
            ended = node.run(_UPDATE.format(serial=2))
            _need_done(ended)
            least = _least_heap(node, start, _STORE) - _least_heap(node, start, _EMPTY)
    return Figures(ended.instructions, least - _BUFFER_BYTES, len(new.data))


def _table() -> tuple[Partition, ...]:
    """Return a table whose slots hold a model of that size."""
    first = next(p for p in ota_node.TABLE if p.label == "model_0")
    *others, second, files = (p for p in ota_node.TABLE if p is not first)
    slot = first.offset + _SLOT_BYTES
    return (
        *others,
        replace(first, size_bytes=_SLOT_BYTES),
        replace(second, offset=slot, size_bytes=_SLOT_BYTES),
        replace(files, offset=slot + _SLOT_BYTES),
    )


def _model(version: str, micropython: Path | None) -> Payload:
    program, _, _ = reference.forest(_TREES)
    info = module.ModuleInfo(
        name="digits",
        version=version,
        labels=reference.LABELS,
        features=reference.FEATURES,
        scale=np.full(program.n_features, reference.SCALE, np.float32),
        recipe=b"",
        data_sha256=reference.data_sha256(),
        wedau=__version__,
    )
    source = micropython_source(micropython)
    with verify.scratch() as work:
        verify.compile_program(program, info, "xtensawin", work, source.path)
        content = (work / "digits.mpy").read_bytes()
    return payloads.model("digits", version, "digits.mpy", content, golden.make(program))


def _need_done(ended: direct.Ended) -> None:
    if ended.cause != direct.EXITED or "done\n" not in ended.output:
        raise SimError(f"the update did not arrive: {ended.output}", "report this")


def _least_heap(node: ota_node.Node, start: bytes, program: str) -> int:
    """Return the smallest heap in which a program ends, as it does in all a bit larger."""

    def ends(heap_bytes: int) -> bool:
        node.flash.write_bytes(start)
        ended = replace(node, options={"heap_bytes": heap_bytes}).run(program)
        return ended.cause == direct.EXITED and "done\n" in ended.output

    low, high = 0, _MOST_HEAP_BYTES
    while high - low > _STEP_BYTES:
        middle = (low + high) // 2
        low, high = (low, middle) if ends(middle) else (middle, high)
    larger = high
    while larger < high + _SURE_STEPS * _STEP_BYTES:  # where things lie may make it fit by chance
        larger += _STEP_BYTES
        if not ends(larger):
            high = larger = larger + _STEP_BYTES
    return high
