"""Every public function on the board with every kind of wrong argument: an exception, no crash."""

import random
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

import signatures
from wedau.build import runtime
from wedau.build.simboard import SimFirmware
from wedau.cli import verify
from wedau.convert import data
from wedau.convert.module import ModuleInfo
from wedau.models import Votes, trees
from wedau.ota import delta
from wedau.sim import direct, flash_image
from wedau.train import recipe

SCRIPT = Path(__file__).parent / "scripts" / "hostile.py"
MODULES = (runtime.FEATURES, runtime.TREES, runtime.BASELINE, runtime.ED25519, runtime.DELTA)
GROUPS = ("features", "trees", "model", "delta", "ed25519", "baseline", "Pipeline", "Baseline")


def votes() -> tuple[Votes, ModuleInfo]:
    """A small forest on scikit-learn's iris, on the int16 grid."""
    x, y = load_iris(return_X_y=True)
    grid = (x * 100).astype(np.int16)
    fitted = RandomForestClassifier(n_estimators=4, max_depth=4, random_state=1).fit(grid, y)
    arrays = [trees.harden(member.tree_, np.arange(3)) for member in fitted.estimators_]
    info = ModuleInfo(
        name="saw",
        version="1",
        labels=("a", "b", "c"),
        features=tuple("wxyz"),
        scale=np.full(4, 0.01, np.float32),
        recipe=b"",
        data_sha256="0",
        wedau="0",
    )
    return Votes(arrays, 4, 3), info


@pytest.fixture(scope="module")
def built(micropython: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Our C modules and a model, as files."""
    folder = tmp_path_factory.mktemp("hostile")
    for name in MODULES:
        runtime.build(name, arch="xtensawin", micropython=micropython, out=folder)
    verify.compile_program(*votes(), "xtensawin", folder, micropython)
    return {path.name: path.read_bytes() for path in folder.glob("*.mpy")}


def given() -> dict[str, object]:
    """What the script needs."""
    plan = recipe.Recipe(("a", "b", "c"), ("",) * 3, 10.0, 9, 4, statistics=recipe.STATISTICS)
    one = recipe.Recipe(("a",), ("",), 10.0, 8, 4, statistics=("mean",))
    old = random.Random(1).randbytes(500)
    new = bytearray(old)
    new[::40] = bytes(len(new[::40]))
    new[100:100] = b"something else"
    patch = delta.make(old, bytes(new))
    assert patch is not None
    holds = next(s for s in signatures.rfc_8032() if not s.message)
    forest, info = votes()
    return {
        "RECIPE": plan.blob,
        "RECIPE_1": one.blob,
        "TREES": data.to_data(forest.trees, info),
        "OLD": old,
        "NEW_SIZE": len(new),
        "PATCH": patch,
        "KEY": holds.key,
        "SIGNATURE": holds.signature,
    }


def put_files(firmware: SimFirmware, flash: Path, files: dict[str, bytes]) -> None:
    """Put files onto a board that does not run."""
    flash.write_bytes(flash_image.new((), 1024 * 1024))
    writes = [f"with open('/{n}', 'wb') as f: f.write({data!r})" for n, data in files.items()]
    ended = direct.run(firmware.elf, firmware.plugin, flash, "\n".join(writes))
    assert ended.cause == direct.EXITED, ended.output


@pytest.fixture(scope="module", params=["loaded", "built in"])
def ready(
    request: pytest.FixtureRequest,
    built: dict[str, bytes],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[SimFirmware, Path]:
    """Firmware and a flash that make a whole board: with our modules in files, or built in."""
    is_loaded = request.param == "loaded"
    name = "sim_firmware" if is_loaded else "whole_firmware"
    firmware: SimFirmware = request.getfixturevalue(name)
    flash = tmp_path_factory.mktemp("board") / "flash"
    put_files(firmware, flash, built if is_loaded else {"saw.mpy": built["saw.mpy"]})
    return firmware, flash


@pytest.mark.parametrize("group", GROUPS)
def test_functions_raise_on_what_they_cannot_use(
    ready: tuple[SimFirmware, Path], group: str
) -> None:
    firmware, flash = ready
    head = [f"{name} = {value!r}" for name, value in {"GROUP": group, **given()}.items()]
    program = "\n".join([*head, SCRIPT.read_text(encoding="utf-8")])
    elf, plugin = firmware.elf, firmware.plugin
    ended = direct.run(elf, plugin, flash, program, heap_bytes=512 * 1024, timeout_s=120)
    lines = ended.output.splitlines()
    assert ended.cause == direct.EXITED and lines[-1] == "all done", "\n".join(lines[-12:])
    assert [line for line in lines if line.startswith("WRONG")] == []
