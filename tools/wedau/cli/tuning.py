"""Search for a model within a budget, build the best ones, and keep the first that holds it.

Composes the search of wedau.train.tune with what `wedau build` does: the estimates of the search
only say which model is built next; whether it keeps the budget is measured.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from wedau import __version__
from wedau.cli import data_files, verify
from wedau.cli.console import bar, say
from wedau.cli.options import Format
from wedau.errors import CheckError, ConvertError, DataError, DeviceError, UsageError
from wedau.report import Build
from wedau.report.tuning import Judgement, Point, Tuning
from wedau.train import evaluate, pipeline, recordings, tune, tune_data, tune_space
from wedau.train.evaluate import CrossValidation
from wedau.train.model import TrainedModel
from wedau.train.recordings import Recordings
from wedau.train.settings import TrainSettings
from wedau.train.tune import Trial
from wedau.train.tune_cost import TOLERANCE, Cost, Limits
from wedau.train.tune_data import Material
from wedau.train.tune_space import Space

VOTING = ("random-forest", "extra-trees", "decision-tree")


@dataclass(frozen=True)
class Plan:
    """What is searched for.

    Attributes:
        settings: of the data, and name, version and seed of the model.
        models: kinds to choose from.
        trials: how many models are tried.
        limits: what the model may take.
        format: native modules, or data files.
        micropython: its source, instead of the pin.
    """

    settings: TrainSettings
    models: tuple[str, ...]
    trials: int
    limits: Limits
    format: Format
    micropython: Path | None = None

    @property
    def as_data(self) -> bool:
        """Whether models become data files."""
        return self.format is Format.DATA


@dataclass
class Tried:
    """What building the trials has shown so far.

    Attributes:
        builds: of trials that were built, by number.
        refused: why others than the chosen one were not chosen.
    """

    builds: dict[int, Build] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)


def choose_models(given: str | None, format: Format) -> tuple[str, ...]:
    """Return the kinds to choose from.

    Raises:
        UsageError: one is not known, is no classifier, or does not go into the format.
    """
    if given is None:
        return VOTING if format is Format.DATA else tune_space.DEFAULT_MODELS
    models = tuple(name.strip() for name in given.split(",") if name.strip())
    tune_space.check_models(models)
    for model in models:
        if format is Format.DATA and model not in VOTING:
            raise UsageError(
                f"{model} cannot be a data file, which holds trees that vote",
                f"leave it out of --models, or search for native modules: {', '.join(VOTING)} "
                "can be both",
            )
    return models


def run(plan: Plan, data: Recordings | None = None) -> tuple[TrainedModel, Tuning]:
    """Search, build the best, and return the model that is best within the limits.

    Args:
        plan: what is searched for.
        data: recordings that are already there; else those of the settings are read.

    Raises:
        DataError: the data or the settings cannot be used.
        CheckError: no trial is within the limits; names the cheapest.
    """
    plan.settings.check()
    if data is None and not pipeline.is_table(plan.settings):
        assert plan.settings.data is not None
        say(f"reading the recordings in {plan.settings.data}")
        data = recordings.read(plan.settings.data, plan.settings)
    material = _material(plan, data)
    space = Space(plan.models, tuple(material.rows), material.parts, nested=data is None)
    with bar(f"trying {plan.trials} models") as on_progress:
        trials = tune.search(material, space, plan.trials, plan.limits, plan.as_data, on_progress)
    if not any(trial.judged for trial in trials):
        raise DataError(
            f"none of the {len(trials)} trials can be trained: {trials[0].failure}",
            "search other kinds with --models, or look at the data",
        )
    tried = Tried()
    trial, model = _first_within(plan, material, trials, tried, data)
    tuning = _tuning(plan, material, trials, tried, trial, model)
    return _signed(model, tuning), tuning


def _material(plan: Plan, data: Recordings | None) -> Material:
    if data is not None:
        return tune_data.of_recordings(data, plan.settings, say)
    return tune_data.of_table(pipeline.prepare(plan.settings, say), plan.settings)


def _first_within(
    plan: Plan,
    material: Material,
    trials: Sequence[Trial],
    tried: Tried,
    data: Recordings | None,
) -> tuple[Trial, TrainedModel]:
    """Build one trial after the other, the most accurate first, until one is within the limits."""
    for trial in tune.best(trials, plan.limits, TOLERANCE):
        assert trial.judged
        if plan.limits.used(trial.judged[1]) > 1 + TOLERANCE:
            break
        accuracy, _ = trial.judged
        say(f"building trial {trial.number}, right in {100 * accuracy:.1f} %, to measure it")
        model = train(plan, material, trial, data)
        try:
            build = _build(plan, model)
        except (ConvertError, DeviceError) as error:
            tried.refused[trial.number] = error.message
            continue
        tried.builds[trial.number] = build
        broken = _broken(plan.limits, build, trial)
        if not broken:
            return trial, model
        tried.refused[trial.number] = broken
        say(broken)
    raise _none_within(plan, trials, tried)


def train(plan: Plan, material: Material, trial: Trial, data: Recordings | None) -> TrainedModel:
    """Train the model of a trial on all rows but those set aside, through `wedau train`'s way."""
    settings = material.settings_of(trial.choice)
    rows = pipeline.prepare(settings, data=data)
    result = evaluate.cross_validate(rows, settings, folds=material.folds(trial.choice))
    return pipeline.assemble(rows, result, settings)


def _build(plan: Plan, model: TrainedModel) -> Build:
    """Do what `wedau build` does, in a folder of its own."""
    with verify.scratch() as work:
        folder = work / model.card.name
        model.save(folder)
        if plan.as_data:
            report, _ = data_files.build_data(folder)
        else:
            report, _ = verify.build_model(folder, "xtensawin", plan.micropython)
    return report.builds[0]


def _broken(limits: Limits, build: Build, trial: Trial) -> str | None:
    """Return which limit a build breaks, None if none.

    A data file's instructions cannot be bounded here: its estimate stands for them.
    """
    assert trial.judged and build.flash_bytes is not None
    instructions = build.instructions_worst_bound
    if instructions is None and build.is_data:
        instructions = trial.judged[1].instructions
    if instructions is None and limits.instructions is not None:
        return f"no bound on its instructions: {build.unbounded}"
    if limits.instructions is not None and (instructions or 0) > limits.instructions:
        return f"takes up to {instructions:,} instructions, more than {limits.instructions:,}"
    if limits.flash_bytes is not None and build.flash_bytes > limits.flash_bytes:
        return f"takes {build.flash_bytes:,} bytes of flash, more than {limits.flash_bytes:,}"
    return None


def _none_within(plan: Plan, trials: Sequence[Trial], tried: Tried) -> CheckError:
    def known(trial: Trial) -> Cost:
        assert trial.judged
        guess, build = trial.judged[1], tried.builds.get(trial.number)
        if build is None:
            return guess
        return Cost(
            build.instructions_worst_bound or guess.instructions,
            build.flash_bytes or guess.flash_bytes,
        )

    judged = [trial for trial in trials if trial.judged]
    cheapest = min(judged, key=lambda trial: (plan.limits.used(known(trial)), trial.number))
    cost, is_measured = known(cheapest), cheapest.number in tried.builds
    needed = [
        f"{option} {value if is_measured else _roomy(value)}"
        for option, limit, value in (
            ("--budget-instructions", plan.limits.instructions, cost.instructions),
            ("--budget-flash", plan.limits.flash_bytes, cost.flash_bytes),
        )
        if limit is not None and value > limit
    ]
    relaxed = f"relax it to {' and '.join(needed)}, or " if needed else ""
    return CheckError(
        f"none of the {len(trials)} trials is within the budget; the cheapest is "
        f"{_point(cheapest, tried).words}: {cost.instructions:,} instructions, "
        f"{cost.flash_bytes:,} bytes ({'measured' if is_measured else 'estimated'}); "
        "nothing was written",
        f"{relaxed}search longer with --trials, or smaller kinds with --models decision-tree",
    )


def _roomy(estimated: int) -> int:
    """Return a limit that what was estimated surely keeps."""
    return math.ceil(estimated * (1 + TOLERANCE) / 10) * 10


def _tuning(
    plan: Plan,
    material: Material,
    trials: Sequence[Trial],
    tried: Tried,
    chosen: Trial,
    model: TrainedModel,
) -> Tuning:
    metrics = model.card.metrics
    judgement = Judgement(
        rows=len(model.held_out.y),
        groups=sorted(set(model.held_out.group) - {""}),
        chosen=metrics["held_out"]["accuracy"],
        default=_default_aside(material, trials[0]),
    )
    made = Tuning(
        name=model.card.name,
        wedau_version=__version__,
        source=model.card.data.source,
        apart=metrics["by"],
        seed=plan.settings.seed,
        format=str(plan.format),
        budget_instructions=plan.limits.instructions,
        budget_flash=plan.limits.flash_bytes,
        points=[_point(trial, tried) for trial in trials],
        chosen=chosen.number,
        judgement=judgement,
    )
    return replace(made, notes=_notes(made, bool(material.plan)))


def _default_aside(material: Material, default: Trial) -> float | None:
    """Return what the default model gets right of the rows set aside."""
    if not default.judged:
        return None
    by, folds = material.folds(default.choice)
    settings = material.settings_of(default.choice)
    result: CrossValidation = evaluate.cross_validate(
        material.some(default.choice), settings, folds=(by, folds[:1])
    )
    return float(result.metrics["accuracy_unseen"])


def _point(trial: Trial, tried: Tried) -> Point:
    choice, build = trial.choice, tried.builds.get(trial.number)
    return Point(
        number=trial.number,
        model=choice.model,
        options=dict(choice.options),
        window_ms=choice.window_ms,
        parts=choice.parts,
        n_features=trial.n_features,
        accuracy=trial.accuracy,
        instructions_estimated=trial.cost.instructions if trial.cost else None,
        flash_bytes_estimated=trial.cost.flash_bytes if trial.cost else None,
        instructions=build.instructions_worst_bound if build else None,
        flash_bytes=build.flash_bytes if build else None,
        instructions_mean=build.instructions_mean if build else None,
        refused=trial.failure or tried.refused.get(trial.number),
    )


def _notes(made: Tuning, is_recorded: bool) -> list[str]:
    apart = {
        "group": "groups that the model had not seen",
        "recording": "recordings that the model had not seen",
        "row": "rows that the model had not seen",
    }[made.apart]
    notes = [
        f"The accuracy of a trial is cross-validated on {apart}. {made.judgement.rows:,} rows were "
        "set aside before the search began. Only the chosen model and, to compare, the default one "
        "were judged by them, once: that figure is not flattered by the choice, but it rests on "
        "fewer rows.",
        "Instructions are the most that a prediction takes, whatever the row: what "
        "'wedau build --budget-instructions' compares.",
    ]
    if made.format == "data":
        notes.append(
            "The models are data files for the engine. Their instructions are estimated, as "
            "nothing was run on a board; the size of a file that was built is exact."
        )
    else:
        notes.append(
            "Estimates only decide what is built next. What was chosen was compiled, replayed on "
            "the simulated board and measured."
        )
    if is_recorded:
        notes.append(
            "Computing the features of a window costs instructions as well. They are not in these "
            "figures, nor in the budget."
        )
    return notes


def _signed(model: TrainedModel, tuning: Tuning) -> TrainedModel:
    """Return the model with a card that says that it was chosen, and by what."""
    search = {
        "trials": len(tuning.points),
        "accuracy_search": tuning.winner.accuracy,
        "accuracy_aside": tuning.judgement.chosen,
    }
    metrics = {**model.card.metrics, "search": search}
    return replace(model, card=replace(model.card, metrics=metrics))
