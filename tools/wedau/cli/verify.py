"""Build a model's module, prove on a board that it decides as the host does, and report.

Composes convert, build, sim, device and report for the commands build, demo and bench.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wedau import __version__
from wedau.build import compilers, natmod
from wedau.cli import modules
from wedau.cli.console import bar, say
from wedau.cli.workbench import micropython_source, sim_firmware
from wedau.convert import module, trees
from wedau.device import link, push, replay
from wedau.errors import ConvertError
from wedau.paths import resource
from wedau.report import Build, Data, Feature, Report
from wedau.sim import boards
from wedau.train.model import Card, TrainedModel

SIMULATED = "simulated ESP32-S3 (qemu-xtensa)"


@dataclass(frozen=True)
class Proof:
    """What the replay on a board showed.

    Attributes:
        held_out: rows of held_out.csv that were replayed.
        boundary_inputs: inputs at the thresholds that were replayed.
        differences: how many of all these the board decided otherwise, as counted; a Proof with
            any other number than 0 is never made.
        build: what the module costs.
    """

    held_out: int
    boundary_inputs: int
    differences: int
    build: Build


def compile_module(
    model: TrainedModel, arch: str, folder: Path, micropython: Path
) -> natmod.Natmod:
    """Convert and compile a model; NAME.mpy and its sources lie in folder afterwards."""
    return compile_forest(model.estimator, module_info(model.card), arch, folder, micropython)


def module_info(card: Card) -> module.ModuleInfo:
    """Return what a model tells of itself on the board."""
    return module.ModuleInfo(
        name=card.name,
        version=card.version,
        labels=card.labels,
        features=card.features,
        scale=card.scale,
        recipe=card.recipe.blob if card.recipe else b"",
        data_sha256=card.data.sha256,
        wedau=__version__,
    )


def compile_forest(
    estimator: object, info: module.ModuleInfo, arch: str, folder: Path, micropython: Path
) -> natmod.Natmod:
    """Convert and compile a forest on the grid; see compile_module."""
    text = module.header(info, trees.forest_c(estimator, module.FOREST))
    Path(folder, "model.h").write_text(text, encoding="ascii")
    core = resource("modules", "core")
    return natmod.build(
        info.name,
        [
            resource("modules", "bind", "model", "model.c"),
            core / "wd_quantize.c",
            core / "wd_round.c",
        ],
        arch=arch,
        micropython=micropython,
        out=folder,
        include=[folder, core],
        optimize="-Oz",
        say=say,
    )


def compile_features(arch: str, folder: Path, micropython: Path) -> natmod.Natmod:
    """Compile the module that extracts features on the board."""
    core = resource("modules", "core")
    bind = resource("modules", "bind", "features")
    return natmod.build(
        "wedau_features",
        [bind / "wedau_features.c", *sorted(core.glob("*.c"))],
        arch=arch,
        micropython=micropython,
        out=folder,
        include=[core],
        say=say,
    )


def boundary_rows(estimator: object, held_out: np.ndarray) -> np.ndarray:
    """Return the inputs at each threshold, made from the held-out rows."""
    n_features = held_out.shape[1]
    base = held_out if len(held_out) else np.zeros((1, n_features), np.int16)
    boundary = list(trees.boundary_inputs(estimator, base))
    empty = np.zeros((0, n_features), np.int16)
    return np.concatenate(boundary) if boundary else empty


def prove(
    estimator: object,
    held_out: np.ndarray,
    compiled: natmod.Natmod,
    board: link.Board,
    board_name: str,
) -> Proof:
    """Replay all inputs on a board that has nothing else to do, compare, and measure.

    Raises:
        ConvertError: the board decides one input otherwise than scikit-learn; names the input.
        DeviceError: the module does not fit, or the board breaks off.
    """
    boundary = boundary_rows(estimator, held_out)
    rows = np.concatenate([held_out, boundary])
    name = compiled.path.stem
    before = board.info
    push.push(board, {compiled.path.name: compiled.path.read_bytes()})
    with bar("replaying on the board") as on_progress:
        got = replay.classes(board, name, rows, on_progress=on_progress)
    differences = check_equal(estimator, rows, len(held_out), got)
    measured = replay.measure(board, name, held_out if len(held_out) else boundary)
    build = sized(
        compiled,
        board_name,
        heap_bytes=measured.import_heap_bytes,
        call_heap_bytes=measured.call_heap_bytes,
        instructions_mean=measured.instructions_mean,
        instructions_min=measured.instructions_min,
        instructions_max=measured.instructions_max,
        import_instructions=measured.import_instructions,
        board_heap_bytes=before.heap_free_bytes,
        board_flash_bytes=before.flash_free_bytes,
    )
    return Proof(len(held_out), len(boundary), differences, build)


def sized(compiled: natmod.Natmod, board: str, **measured: Any) -> Build:
    """Return the report's entry for a module: what it is, where it ran, what was measured."""
    return Build(
        arch=compiled.arch,
        compiler=compiled.compiler,
        board=board,
        module_bytes=compiled.module_bytes,
        text_bytes=compiled.text_bytes,
        rodata_bytes=compiled.rodata_bytes,
        **measured,
    )


def check_equal(estimator: object, rows: np.ndarray, n_held_out: int, got: np.ndarray) -> int:
    """Count the classes that are not scikit-learn's; unless there are none, raise ConvertError."""
    expected = estimator.predict(rows)  # type: ignore[attr-defined]
    wrong = np.flatnonzero(np.asarray(got) != expected)
    if not len(wrong):
        return len(wrong)
    first = int(wrong[0])
    raise ConvertError(
        f"{len(wrong)} of {len(rows)} inputs are decided otherwise on the board, the first is "
        f"{input_name(first, n_held_out)}: class {got[first]} instead of {expected[first]}; "
        "no module was made",
        "the compiler is the likely culprit: run 'wedau doctor' and report its versions",
    )


def input_name(number: int, n_held_out: int) -> str:
    """Name one of the inputs that are replayed: the held-out rows, then the boundary inputs."""
    if number < n_held_out:
        return f"held-out row {number + 2} of held_out.csv"
    return f"boundary input {number - n_held_out}"


@contextmanager
def fresh_board(micropython: Path | None = None) -> Iterator[link.Board]:
    """Run a new simulated board with an empty flash, connected, for the block."""
    firmware = sim_firmware(micropython)
    with boards.board(firmware.elf, firmware.plugin) as sim, link.Board(sim.port) as board:
        yield board


def report(model: TrainedModel, proof: Proof) -> Report:
    """Return the report on a model and its proof."""
    card = model.card
    recipe = card.recipe
    depth = max(tree.tree_.max_depth for tree in model.estimator.estimators_)
    return Report(
        name=card.name,
        version=card.version,
        wedau_version=__version__,
        kind=f"random forest, {len(model.trees)} trees, depth {depth}, {model.n_nodes} nodes",
        labels=card.labels,
        features=[
            Feature(name, unit or None, importance)
            for name, unit, importance in zip(
                card.features, card.units, card.importance, strict=True
            )
        ],
        data=Data(
            source=card.data.source,
            sha256=card.data.sha256,
            rows=card.data.rows,
            recordings=card.data.recordings or None,
            columns=card.data.columns,
            rate_hz=recipe.rate_hz if recipe else None,
            window_ms=1000 * recipe.length / recipe.rate_hz if recipe else None,
            hop_ms=1000 * recipe.hop / recipe.rate_hz if recipe else None,
            group_column=card.data.group or None,
            groups_held_out=sorted(set(model.held_out.group) - {""}),
        ),
        accuracy_unseen=card.metrics["accuracy_unseen"],
        judged=judged(card),
        confusion=card.metrics["confusion"],
        held_out=proof.held_out,
        boundary_inputs=proof.boundary_inputs,
        differences=proof.differences,
        builds=[proof.build],
    )


@contextmanager
def scratch() -> Iterator[Path]:
    """Give an empty folder for the block."""
    with tempfile.TemporaryDirectory(prefix="wedau-") as folder:
        yield Path(folder)


def judged(card: Card) -> str:
    """Return a sentence that says how the accuracy was found."""
    metrics = card.metrics
    folds, own = len(metrics["folds"]), metrics["held_out"]
    apart = {
        "group": f"no {card.data.group} was ever in both",
        "recording": "recordings were kept whole",
        "row": "rows were split at random",
    }[metrics["by"]]
    return (
        f"Cross-validated in {folds} folds, trained on some, judged on the rest; {apart}. "
        f"The model built here is that of the first fold; on its own {own['rows']} held-out rows "
        f"it is right in {100 * own['accuracy']:.1f} %."
    )


def check_tools(arch: str) -> None:
    """Check first what would be missed only after a download or minutes of work.

    Raises:
        SimError: no simulated board, which a module is tried on, could run here.
        UsageError: the architecture is unknown.
        BuildError: there is no compiler for it.
    """
    if arch != "x64":
        boards.find_qemu()
    compilers.for_arch(arch)


def build_model(folder: Path, arch: str, micropython: Path | None = None) -> tuple[Report, Path]:
    """Build, prove and report; NAME.mpy and the report appear in folder only if all is equal.

    Returns:
        The report, and the path of the module.
    """
    from wedau.cli import unix_proof

    model = TrainedModel.load(folder)
    check_tools(arch)
    source = micropython_source(micropython)
    with scratch() as work:
        say(f"compiling {model.card.name} for {arch}")
        compiled = compile_module(model, arch, work, source.path)
        if arch == "x64":
            proof = unix_proof.prove(model.estimator, model.held_out.x, compiled)
        else:
            with fresh_board(micropython) as board:
                proof = prove(model.estimator, model.held_out.x, compiled, board, SIMULATED)
        made = report(model, proof)
        extra = [compile_features(arch, work, source.path).path] if model.card.recipe else []
        return made, modules.save(folder, made, [*extra, compiled.path])
