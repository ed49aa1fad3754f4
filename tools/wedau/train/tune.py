"""Search features, kinds of models and their options for the best accuracy within limits.

A random search that looks closer where it was good: half of the trials are drawn from all that may
be chosen, the first of them being what `wedau train` does by default; then come two rounds of
choices near the best so far that keep the limits. Each trial is judged by the cross-validation of
`wedau train`, on all rows but those that were set aside at the beginning. The choices of a round
depend on the seed and on the trials of the rounds before, never on the order in which they end: the
number of workers and where they run change nothing.

Source: Bergstra and Bengio, Random search for hyper-parameter optimization, 2012; Cawley and
Talbot, On over-fitting in model selection, 2010, for what is set aside and why.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from joblib import Parallel, delayed, parallel_config

from wedau.errors import ConvertError, DataError
from wedau.models import Program, Votes
from wedau.train import evaluate, tune_cost
from wedau.train.dataset import Dataset
from wedau.train.settings import TrainSettings
from wedau.train.tune_cost import Cost, Limits
from wedau.train.tune_data import Material
from wedau.train.tune_space import Choice, Space

PARENTS = 8
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Trial:
    """A choice and what came of it.

    Attributes:
        number: from 0 on, in the order of drawing.
        choice: what was trained.
        n_features: length of a row.
        accuracy: share of the rows right, each judged by a model that had not seen its group; None
            if the choice cannot be trained.
        cost: estimate for the costliest model of the folds; None as well.
        failure: why it cannot be trained; None if it can.
    """

    number: int
    choice: Choice
    n_features: int
    accuracy: float | None
    cost: Cost | None
    failure: str | None = None

    @property
    def judged(self) -> tuple[float, Cost] | None:
        """Accuracy and cost; None if the choice cannot be trained."""
        return None if self.accuracy is None or self.cost is None else (self.accuracy, self.cost)


def search(
    material: Material,
    space: Space,
    trials: int,
    limits: Limits,
    as_data: bool = False,
    on_progress: Progress = lambda done, total: None,
) -> tuple[Trial, ...]:
    """Run the trials on the workers of joblib's current configuration.

    Args:
        material: the data.
        space: what may be chosen.
        trials: how many; fewer are made where the space is smaller.
        limits: where to look closer.
        as_data: whether models become data files instead of native modules.
        on_progress: called with the number of trials that are done and that of all.

    Returns:
        The trials by number.
    """
    random = np.random.default_rng(material.settings.seed)
    known = {space.default()}
    first = space.fresh((trials + 1) // 2 - 1, lambda _: space.draw(random), known)
    done = _round(material, [space.default(), *first], (), as_data, trials, on_progress)
    for share in (2, 1):
        parents = best(done, limits)[:PARENTS]
        near = _near(parents, (trials - len(done)) // share, space, random, known)
        done += _round(material, near, done, as_data, trials, on_progress)
    return done


def best(trials: Sequence[Trial], limits: Limits, tolerance: float = 0.0) -> list[Trial]:
    """Return the trials that could be trained, those to build first at the front.

    First come those within the limits by their estimates, the most accurate first, of equal ones
    the cheaper; then the others, the cheapest first.

    Args:
        trials: any.
        limits: what a model may take.
        tolerance: share of the limits that an estimate may lie above them.
    """

    def place(trial: Trial) -> tuple[float, ...]:
        assert trial.judged
        accuracy, cost = trial.judged
        used = limits.used(cost)
        taken = cost.instructions, cost.flash_bytes
        within = used <= 1 + tolerance
        return (not within, -accuracy if within else used, *taken, trial.number)

    return sorted((trial for trial in trials if trial.judged), key=place)


def _near(
    parents: Sequence[Trial],
    count: int,
    space: Space,
    random: np.random.Generator,
    known: set[Choice],
) -> list[Choice]:
    """Return new choices: two of three near the parents, which take turns, the others any."""
    if not parents:
        return []

    def near(number: int) -> Choice:
        if number % 3 == 2:
            return space.draw(random)
        return space.near(parents[number % len(parents)].choice, random)

    found = space.fresh(count, near, known)
    return found + space.fresh(count - len(found), lambda _: space.draw(random), known)


def _round(
    material: Material,
    choices: Sequence[Choice],
    before: Sequence[Trial],
    as_data: bool,
    total: int,
    on_progress: Progress,
) -> tuple[Trial, ...]:
    """Run trials side by side; return them by number."""
    workers = _Workers(batch_size=1)  # type: ignore[no-untyped-call]
    workers.on_done = lambda n: on_progress(len(before) + n, total)
    made = workers(
        delayed(judge)(
            len(before) + i, choice, material.seen(choice), material.settings_of(choice), as_data
        )
        for i, choice in enumerate(choices)
    )
    return tuple(made)


class _Workers(Parallel):
    """joblib's workers, saying how many trials are done."""

    on_done: Callable[[int], None]

    def print_progress(self) -> None:
        """Say it; joblib calls this whenever a trial has ended, whatever the backend."""
        self.on_done(self.n_completed_tasks)


def judge(
    number: int, choice: Choice, data: Dataset, settings: TrainSettings, as_data: bool
) -> Trial:
    """Cross-validate one choice.

    Args:
        number: of the trial.
        choice: what is trained.
        data: the rows to learn from and to judge by, with the choice's features.
        settings: those of the choice.
        as_data: whether the model is to become a data file.
    """
    n_features = len(data.features)
    try:
        with parallel_config(backend="sequential"):
            result = evaluate.cross_validate(_aligned(data), settings)
    except (DataError, ConvertError) as error:
        return Trial(number, choice, n_features, None, None, error.message)
    costs = [estimate(fold.program, data.features, as_data) for fold in result.folds]
    cost = Cost(max(c.instructions for c in costs), max(c.flash_bytes for c in costs))
    return Trial(number, choice, n_features, result.metrics["accuracy_unseen"], cost)


def _aligned(data: Dataset) -> Dataset:
    """Return the rows in memory of our own: in a message of a cluster they may lie anywhere."""
    return replace(data, x=data.x.copy(), y=data.y.copy())


def estimate(program: Program, features: Sequence[str], as_data: bool) -> Cost:
    """Estimate what a program takes in the format that it is built in."""
    if as_data and isinstance(program, Votes):
        return tune_cost.of_data(program, features)
    return tune_cost.of_module(program, features)
