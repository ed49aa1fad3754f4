"""Build a model's module, prove on a board that it decides as the host does, and report.

Composes convert, build, sim, device and report for the commands build, demo and bench.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from wedau import __version__
from wedau.build import compilers, natmod, runtime
from wedau.build.targets import target
from wedau.cli import modules, worst
from wedau.cli.budget import NO_BUDGET, Budget
from wedau.cli.console import bar, say
from wedau.cli.proving import Case, Checked
from wedau.cli.quality import quality
from wedau.cli.workbench import micropython_source, sim_firmware
from wedau.convert import code, module
from wedau.device import link, push, replay
from wedau.device.info import BoardInfo
from wedau.errors import SimError
from wedau.models import Program
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
        max_error: largest distance of an output from scikit-learn's.
        build: what the module costs.
    """

    held_out: int
    boundary_inputs: int
    differences: int
    max_error: float
    build: Build

    @classmethod
    def of(cls, case: Case, checked: Checked, build: Build) -> "Proof":
        """Return the proof of a module that was checked."""
        return cls(
            len(case.held_out), len(case.boundary), checked.differences, checked.max_error, build
        )


def compile_module(
    model: TrainedModel, arch: str, folder: Path, micropython: Path
) -> natmod.Natmod:
    """Convert and compile a model; NAME.mpy and its sources lie in folder afterwards."""
    return compile_program(model.program, module_info(model.card), arch, folder, micropython)


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


def compile_program(
    program: Program, info: module.ModuleInfo, arch: str, folder: Path, micropython: Path
) -> natmod.Natmod:
    """Convert and compile what a model computes; see compile_module."""
    return compile_code(code.code(program), info, arch, folder, micropython)


def compile_code(
    made: code.Code, info: module.ModuleInfo, arch: str, folder: Path, micropython: Path
) -> natmod.Natmod:
    """Compile the C of what a model computes, with the code that binds it to MicroPython."""
    text = module.header(info, made.text)
    Path(folder, "model.h").write_text(text, encoding="ascii")
    core = resource("modules", "core")
    return natmod.build(
        info.name,
        [
            resource("modules", "bind", "model", "model.c"),
            core / "wd_quantize.c",
            core / "wd_round.c",
            *(core / name for name in made.core),
        ],
        arch=arch,
        micropython=micropython,
        out=folder,
        include=[folder, core],
        defines={"WD_QUANTIZE_MAX": str(len(info.features))},
        optimize=made.optimize,
        say=say,
    )


def case(model: TrainedModel) -> Case:
    """Return what a model's module has to give."""
    rows = model.held_out
    return Case(model.program, rows.x, rows.predicted, rows.outputs)


def prove(case: Case, compiled: natmod.Natmod, board: link.Board, board_name: str) -> Proof:
    """Replay all inputs on a board that has nothing else to do, compare, and measure.

    Raises:
        ConvertError: the board decides one input otherwise than scikit-learn; names the input.
        DeviceError: the module does not fit, or the board breaks off.
    """
    name, task = compiled.path.stem, case.program.task
    before = board.info
    push.push(board, {compiled.path.name: compiled.path.read_bytes()})
    decided = None
    with bar("replaying on the board") as on_progress:
        if task != "regressor":
            decided = replay.classes(board, name, case.rows, on_progress=on_progress)
        given = replay.outputs(
            board,
            name,
            case.held_out if task != "regressor" else case.rows,
            case.program.n_outputs,
            task,
            on_progress=on_progress,
        )
    checked = case.check(decided, given)
    some = case.held_out if len(case.held_out) else case.rows
    measured = replay.measure(board, name, some, case.program.n_outputs, task)
    build = sized(compiled, board_name, **costs(measured, before))
    return Proof.of(case, checked, build)


def costs(measured: replay.Measured, before: BoardInfo) -> dict[str, Any]:
    """Return the fields of the report's Build that were measured, and what was free before."""
    return {
        "heap_bytes": measured.import_heap_bytes,
        "call_heap_bytes": measured.call_heap_bytes,
        "instructions_mean": measured.instructions_mean,
        "instructions_min": measured.instructions_min,
        "instructions_max": measured.instructions_max,
        "import_instructions": measured.import_instructions,
        "board_heap_bytes": before.heap_free_bytes,
        "board_flash_bytes": before.flash_free_bytes,
    }


def sized(compiled: natmod.Natmod, board: str, **measured: Any) -> Build:
    """Return the report's entry for a module: what it is, where it ran, what was measured."""
    return Build(
        arch=compiled.arch,
        compiler=compiled.compiler,
        board=board,
        module_bytes=compiled.module_bytes,
        text_bytes=compiled.text_bytes,
        rodata_bytes=compiled.rodata_bytes,
        static_ram_bytes=compiled.bss_bytes,
        **measured,
    )


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
    return Report(
        name=card.name,
        version=card.version,
        wedau_version=__version__,
        kind=f"{model.program.kind}, {model.program.size}",
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
        **quality(model),
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


def check_tools(arch: str, port: str | None = None) -> None:
    """Check first what would be missed only after a download or minutes of work.

    Args:
        arch: to build for.
        port: of a board to try the module on; None: a simulated one, or MicroPython for unix.

    Raises:
        SimError: no simulated board, which a module is tried on, could run here.
        UsageError: the architecture is unknown.
        BuildError: there is no compiler for it.
        DeviceError: there is no such board at the port.
    """
    from wedau.cli import board_proof

    target(arch)
    if port:
        board_proof.check(port, arch)
    elif arch == "xtensawin":
        boards.find_qemu()
    elif arch != "x64":
        raise SimError(
            f"there is no simulated {arch} board, and a module that no board tried is not made",
            f"connect a board and name it: --arch {arch} --port PORT",
        )
    compilers.for_arch(arch)


def bound(
    case: Case,
    info: module.ModuleInfo,
    compiled: natmod.Natmod,
    proof: Proof,
    board: link.Board,
    micropython: Path,
) -> Proof:
    """Add what the module takes at most, of any input, to its proof; see wedau.cli.worst.

    Args:
        case: the model and its inputs.
        info: what the module tells of itself.
        compiled: the module, for xtensawin; its folder is written to.
        proof: what is known so far.
        board: simulated, with the module on it.
        micropython: its source.

    Raises:
        CheckError: an input takes more than the bound, which is then wrong.
    """
    empty = compile_code(
        worst.empty_code(case.program),
        replace(info, name=worst.EMPTY),
        compiled.arch,
        compiled.path.parent,
        micropython,
    )
    build = worst.bounded(case, compiled, proof.build, board, info, empty, micropython)
    return replace(proof, build=build)


def build_model(
    folder: Path,
    arch: str,
    micropython: Path | None = None,
    budget: Budget = NO_BUDGET,
    port: str | None = None,
) -> tuple[Report, Path]:
    """Build, prove and report; NAME.mpy and the report appear in folder only if all is equal.

    Args:
        folder: of the model.
        arch: to build for.
        micropython: its source, instead of the pinned one.
        budget: what it may take.
        port: of a board to prove it on; None: a simulated one, or MicroPython for unix.

    Returns:
        The report, and the path of the module.

    Raises:
        CheckError: the budget is not kept.
    """
    from wedau.cli import board_proof, unix_proof

    model = TrainedModel.load(folder)
    check_tools(arch, port)
    source = micropython_source(micropython)
    with scratch() as work:
        say(f"compiling {model.card.name} for {arch}")
        compiled = compile_module(model, arch, work, source.path)
        inputs = case(model)
        if port:
            proof = board_proof.prove(inputs, compiled, port)
        elif arch == "x64":
            proof = unix_proof.prove(inputs, compiled)
        else:
            with fresh_board(micropython) as board:
                proof = prove(inputs, compiled, board, SIMULATED)
                info = module_info(model.card)
                proof = bound(inputs, info, compiled, proof, board, source.path)
        proof = replace(proof, build=worst.totals(proof.build))
        budget.check(proof.build)
        made = report(model, proof)
        paths = [compiled.path]
        if model.card.recipe:
            features = runtime.build(
                runtime.FEATURES, arch=arch, micropython=source.path, out=work, say=say
            )
            paths.insert(0, features.path)
        return made, modules.save(folder, made, paths)
