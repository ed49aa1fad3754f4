"""The main job on the smartwatch data, end to end, every person left out once."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wedau.build import runtime
from wedau.cli import modules, verify, worst
from wedau.cli.console import bar, say
from wedau.cli.workbench import micropython_source
from wedau.device import link, push, replay
from wedau.errors import CheckError
from wedau.report import Report, summary
from wedau.train import datasets, evaluate, grid, pipeline, windows
from wedau.train.dataset import Dataset
from wedau.train.model import TrainedModel, check_replaceable
from wedau.train.recordings import Recordings
from wedau.train.settings import TrainSettings

NAME = "exercises"


@dataclass(frozen=True)
class Shown:
    """What the demo did.

    Attributes:
        report: on the model that ships, the first fold's.
        held_out: windows replayed on the board, each by the model that never saw its person.
        boundary_inputs: inputs at the thresholds of all those models.
        differences: how many of all these the board decided otherwise than the host.
        raw_windows: windows sent as samples; the board computed features, grid row and class.
        features_equal: features of those windows, compared bit for bit.
        folder: where the model, its module and the report are.
    """

    report: Report
    held_out: int
    boundary_inputs: int
    differences: int
    raw_windows: int
    features_equal: int
    folder: Path

    def document(self) -> dict[str, Any]:
        """Return the figures as JSON's types."""
        build = self.report.builds[0]
        return {
            "held_out": self.held_out,
            "boundary_inputs": self.boundary_inputs,
            "differences": self.differences,
            "raw_windows": self.raw_windows,
            "features_equal": self.features_equal,
            "accuracy_unseen": self.report.accuracy_unseen,
            "instructions_mean": build.instructions_mean,
            "instructions_max": build.instructions_max,
            "instructions_worst_bound": build.instructions_worst_bound,
            "instructions_worst_found": build.instructions_worst_found,
            "module_bytes": build.module_bytes,
            "heap_bytes": build.heap_bytes,
            "heap_call_bytes": build.call_heap_bytes,
            "ram_bytes": build.ram_bytes,
            "model": str(self.folder),
            "report": str(self.folder / "report.html"),
        }

    def rows(self) -> list[tuple[str, str]]:
        """Return what a person wants to know."""
        equal = (
            f"{self.differences} differences in {self.held_out:,} held-out windows and "
            f"{self.boundary_inputs:,} boundary inputs"
        )
        raw = (
            f"{self.raw_windows:,} windows from samples to class on the board, "
            f"{self.features_equal:,} features equal bit for bit"
        )
        kept = [(n, v) for n, v in summary(self.report) if n != "Board against laptop"]
        report = ("Report", str(self.folder / "report.html"))
        return [*kept, ("Board against laptop", equal), ("The whole way", raw), report]


def run(folder: Path, micropython: Path | None = None) -> Shown:
    """Train, judge, convert, compile, push, replay and report; see Shown."""
    target = folder / NAME
    check_replaceable(target)
    verify.check_tools("xtensawin")
    source = micropython_source(micropython)
    settings = TrainSettings(name=NAME)
    recordings = datasets.smartwatch()
    say(f"{len(recordings.items)} smartwatch recordings of seven exercises, six channels, 50 Hz")
    data = pipeline.prepare(settings, say, recordings)
    result = evaluate.cross_validate(data, settings, say)
    models = [
        pipeline.assemble(data, result, settings, number) for number in range(len(result.folds))
    ]
    with verify.scratch() as work, verify.fresh_board(micropython) as board:
        proofs = []
        compiled = []
        for number, model in enumerate(models, 1):
            say(f"fold {number} of {len(models)}: compiling, pushing, replaying")
            place = work / str(number)
            place.mkdir()
            compiled.append(verify.compile_module(model, "xtensawin", place, source.path))
            proofs.append(verify.prove(verify.case(model), compiled[-1], board, verify.SIMULATED))
        features = runtime.build(
            runtime.FEATURES, arch="xtensawin", micropython=source.path, out=work, say=say
        )
        say("the whole way on the board: samples, features, grid, class")
        push.push(board, {p.name: p.read_bytes() for p in (features.path, compiled[0].path)})
        raw = _whole_way(board, models[0], recordings, data, result.folds[0].rows)
        say("searching for the dearest input")
        case, info = verify.case(models[0]), verify.module_info(models[0].card)
        proof = verify.bound(case, info, compiled[0], proofs[0], board, source.path)
        report = verify.report(models[0], replace(proof, build=worst.totals(proof.build)))
        models[0].save(target)
        modules.forget(target)
        modules.save(target, report, [features.path, compiled[0].path])
    return Shown(
        report=report,
        held_out=sum(p.held_out for p in proofs),
        boundary_inputs=sum(p.boundary_inputs for p in proofs),
        differences=sum(p.differences for p in proofs),
        raw_windows=raw[0],
        features_equal=raw[1],
        folder=target,
    )


def _whole_way(
    board: link.Board,
    model: TrainedModel,
    recordings: Recordings,
    data: Dataset,
    rows: NDArray[np.int64],
) -> tuple[int, int]:
    """Send the held-out windows as samples; all that the board computes must equal the host's.

    Returns:
        Number of windows, number of features compared.

    Raises:
        CheckError: a feature or a class differs.
    """
    recipe = model.card.recipe
    assert recipe is not None
    samples = cut(recordings, recipe.length, recipe.hop)[rows]
    with bar("features on the board") as on_progress:
        got = replay.features(board, recipe.blob, samples, on_progress=on_progress)
    host = data.x[rows]
    different = int(np.count_nonzero(got.view(np.uint32) != host.view(np.uint32)))
    if different:
        raise CheckError(
            f"{different} of {host.size} features differ between host and board",
            "a compiler is the likely culprit: run 'wedau doctor' and report its versions",
        )
    classes = replay.classes(board, NAME, grid.quantize(got, model.card.scale))
    if np.any(classes != model.held_out.predicted):
        raise CheckError("the board decides otherwise from its own features", "report this")
    return len(samples), host.size


def cut(recordings: Recordings, length: int, hop: int) -> NDArray[np.float32]:
    """Cut recordings into windows: float32, shape (n_windows, length * n_channels)."""
    parts = [
        windows.cut(item.samples, windows.starts(len(item.samples), length, hop), length)
        for item in recordings.items
    ]
    return np.concatenate(parts)
