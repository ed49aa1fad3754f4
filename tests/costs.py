"""What things cost, against what they cost when somebody last looked: golden/costs.json.

Instructions, bytes and heap are exact and repeat, so that a change that costs more than ROOM shows.
Who means it to cost more says so with the new file: ``python tests/costs.py``.
"""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from wedau.build import runtime, simboard, sources
from wedau.build.simboard import SimFirmware
from wedau.sim import direct, flash_image

GOLDEN = Path(__file__).parent / "golden" / "costs.json"
VERSION = 1
COMMAND = "python tests/costs.py"
ROOM = 0.02

# What of the figures that `wedau bench digits --json` prints is a cost.
DIGITS = (
    *("instructions_call", "instructions_call_max", "instructions_import", "module_bytes"),
    *("heap_import_bytes", "heap_call_bytes", "data_instructions_call", "data_load_instructions"),
    *("data_heap_peak_bytes", "data_bytes"),
)
# The same of `wedau demo --json`.
DEMO = (
    *("instructions_mean", "instructions_max", "instructions_worst_bound", "module_bytes"),
    *("heap_bytes", "heap_call_bytes"),
)
MODULES = (runtime.FEATURES, runtime.TREES, runtime.BASELINE, runtime.ED25519, runtime.DELTA)

Figures = Mapping[str, float]

_CALLS = """
import gc, json
from array import array
from sim import count
costs = {}
def heap(name, make):
    gc.collect()
    before = gc.mem_alloc()
    made = make()
    gc.collect()
    costs[name + "_heap_bytes"] = gc.mem_alloc() - before
    return made
def call(name, f, *args):
    f(*args)
    costs[name + "_instructions"] = count(f, *args)[1]
for name in MODULES:
    heap(name + "_import", lambda: __import__(name))
import wedau_features, wedau_trees, wedau_ed25519, wedau
channels, length, n, work_floats = wedau_features.info(RECIPE)
window = array("f", [(i * 7919 % 1000) / 100 for i in range(channels * length)])
work, out = array("f", bytes(4 * work_floats)), array("f", bytes(4 * n))
call("features_window", wedau_features.extract, RECIPE, window, work, out)
scale, grid = array("f", [0.5] * n), array("h", bytes(2 * n))
call("quantize_row", wedau_features.quantize, out, scale, grid)
pipeline = heap("pipeline", lambda: wedau.Pipeline(recipe=RECIPE))
sample = array("f", range(channels))
call("pipeline_push", pipeline.push, sample)
baseline = heap("baseline", lambda: wedau.Baseline(8, 32, false_alarms=0.1))
row = array("f", range(8))
costs["baseline_learn_instructions"] = count(baseline.learn, row)[1]
for i in range(40):
    row[i % 8] = i * 7 % 5
    baseline.learn(row)
call("baseline_predict", baseline.predict, row)
call("ed25519_verify", wedau_ed25519.verify, KEY, SIGNATURE, b"")
print(json.dumps(costs))
"""


def compare(expected: Figures, now: Figures) -> list[str]:
    """Return a line for each figure that is over what is expected by more than ROOM, or is new."""
    found = []
    for name in sorted({*expected, *now}):
        if name not in expected or name not in now:
            found.append(f"{name}: {'new' if name in now else 'not measured any more'}")
        elif now[name] > expected[name] * (1 + ROOM):
            found.append(f"{name}: {expected[name]:,} before, {now[name]:,} now")
    return found


def check(part: str, now: Figures) -> None:
    """Fail where a part costs more than the golden file says."""
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert golden["version"] == VERSION, f"run {COMMAND}"
    over = compare(golden["figures"][part], now)
    assert not over, "\n".join(
        [f"these cost more than {ROOM:.0%} more; if that is meant: {COMMAND}", *over]
    )


def digits(printed: Figures) -> Figures:
    """Return the costs among what `wedau bench digits --json` prints."""
    return {name: printed[name] for name in DIGITS}


def demo(printed: Figures) -> Figures:
    """Return the costs among what `wedau demo --json` prints."""
    return {name: printed[name] for name in DEMO}


def modules(firmware: SimFirmware, micropython: Path) -> Figures:
    """Build the modules that are the same for all models and measure typical calls of them."""
    import signatures
    from wedau.train import datasets, recipe

    watch = datasets.smartwatch()
    plan = recipe.standard(watch.channels, watch.units, watch.rate_hz, 200, 100)
    holds = next(s for s in signatures.rfc_8032() if not s.message)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        built = [
            runtime.build(name, arch="xtensawin", micropython=micropython, out=folder)
            for name in MODULES
        ]
        flash = folder / "flash"
        flash.write_bytes(flash_image.new((), 1024 * 1024))
        lines = [
            f"MODULES = {[made.path.stem for made in built]!r}",
            f"RECIPE = {plan.blob!r}",
            f"KEY, SIGNATURE = {holds.key!r}, {holds.signature!r}",
        ]
        for made in built:
            lines.append(f"with open({made.path.name!r}, 'wb') as f:")
            lines.append(f"    f.write({made.path.read_bytes()!r})")
        store = direct.run(firmware.elf, firmware.plugin, flash, "\n".join(lines[3:]))
        assert store.cause == direct.EXITED, store.output
        ended = direct.run(firmware.elf, firmware.plugin, flash, "\n".join([*lines[:3], _CALLS]))
        assert ended.cause == direct.EXITED, ended.output
        sizes = {f"{made.path.stem}_module_bytes": made.module_bytes for made in built}
        return sizes | json.loads(ended.output)


def _measure() -> dict[str, Figures]:
    from wedau.cli import measuring, showcase

    micropython = sources.micropython().path
    with tempfile.TemporaryDirectory() as folder:
        shown = showcase.run(Path(folder)).document()
    return {
        "demo": demo(shown),
        "digits": digits(vars(measuring.digits())),
        "modules": modules(simboard.build(micropython), micropython),
    }


if __name__ == "__main__":
    document = {"version": VERSION, "made_by": COMMAND, "figures": _measure()}
    GOLDEN.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n", encoding="utf-8")
