"""What a search may choose from: kinds of models, their options, windows and features.

Every choice is drawn from a random generator whose seed is the search's, one after the other, and
never depends on how many workers there are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from wedau.errors import UsageError
from wedau.train import kinds

DEFAULT_MODELS = (
    *("random-forest", "extra-trees", "decision-tree"),
    *("hist-gradient-boosting", "mlp", "logistic"),
)
_WIDTHS = (4, 8, 12, 16, 24, 32, 48)
_TRIES = 50

Draw = Callable[[np.random.Generator], Any]


@dataclass(frozen=True)
class Choice:
    """What a trial trains.

    Attributes:
        model: kind of model, as `wedau train --model` names it.
        options: names and values of the options that the kind takes.
        window_ms: length of a window; None where the features are ready.
        parts: what is computed from a window: statistics, ``bands_hz``, ``correlations``, ...;
            where the features are ready, the names of those that are used.
    """

    model: str
    options: tuple[tuple[str, Any], ...]
    window_ms: float | None
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Space:
    """All that may be chosen.

    Attributes:
        models: kinds of models, all classifiers.
        windows_ms: lengths of windows, the user's first; ``(None,)`` where features are ready.
        parts: what may be left out, where ready features the most important first.
        nested: whether only the first so many parts may be kept, rather than any of them.
    """

    models: tuple[str, ...]
    windows_ms: tuple[float | None, ...]
    parts: tuple[str, ...]
    nested: bool

    def default(self) -> Choice:
        """Return what `wedau train` would do with the first kind of model."""
        model = self.models[0]
        options = tuple(sorted(kinds.find(model).defaults.items()))
        return Choice(model, options, self.windows_ms[0], self.parts)

    def draw(self, random: np.random.Generator) -> Choice:
        """Return any choice."""
        model = self.models[random.integers(len(self.models))]
        window = self.windows_ms[random.integers(len(self.windows_ms))]
        return Choice(model, _options(model, random), window, self._some_parts(random))

    def near(self, choice: Choice, random: np.random.Generator) -> Choice:
        """Return a choice like another, one or two things of it drawn anew."""
        for _ in range(1 + int(random.integers(2))):
            choice = self._change(choice, random)
        return choice

    def fresh(self, count: int, make: Callable[[int], Choice], known: set[Choice]) -> list[Choice]:
        """Return up to count choices that are not known yet, and add them to known.

        Args:
            count: how many are wanted; fewer come where hardly any are left.
            make: draws the choice of this number.
            known: all choices so far.
        """
        found: list[Choice] = []
        for _ in range(count * _TRIES):
            if len(found) == count:
                break
            choice = make(len(found))
            if choice not in known:
                known.add(choice)
                found.append(choice)
        return found

    def _change(self, choice: Choice, random: np.random.Generator) -> Choice:
        options = dict(choice.options)
        genes = ["parts", *options, *options, *(["window"] if len(self.windows_ms) > 1 else [])]
        gene = genes[random.integers(len(genes))]
        if gene == "parts":
            return replace(choice, parts=self._other_parts(choice.parts, random))
        if gene == "window":
            window = self.windows_ms[random.integers(len(self.windows_ms))]
            return replace(choice, window_ms=window)
        options[gene] = _ranges(choice.model)[gene](random)
        return replace(choice, options=tuple(sorted(options.items())))

    def _some_parts(self, random: np.random.Generator) -> tuple[str, ...]:
        if self.nested:
            return self.parts[: _whole(1, len(self.parts))(random)]
        if random.random() < 0.25:
            return self.parts
        kept = random.random(len(self.parts)) < random.uniform(0.3, 1.0)
        kept[random.integers(len(self.parts))] = True
        return tuple(part for part, keep in zip(self.parts, kept, strict=True) if keep)

    def _other_parts(self, parts: tuple[str, ...], random: np.random.Generator) -> tuple[str, ...]:
        if self.nested:
            count = round(len(parts) * float(random.uniform(0.6, 1.5)))
            return self.parts[: min(max(count, 1), len(self.parts))]
        flipped = self.parts[random.integers(len(self.parts))]
        kept = tuple(part for part in self.parts if (part in parts) != (part == flipped))
        return kept or parts


def check_models(models: Sequence[str]) -> None:
    """Raise UsageError unless all are kinds of classifiers, each named once."""
    if not models:
        raise UsageError("--models names no kind of model", "such as --models random-forest,mlp")
    for model in models:
        if kinds.find(model).task != "classifier":
            raise UsageError(
                f"{model} is a model for {_FOR[kinds.find(model).task]}, and only classifiers can "
                "be searched",
                f"leave it out of --models, or train it: wedau train --model {model}",
            )
        if list(models).count(model) > 1:
            raise UsageError(f"--models names {model} twice", "name each kind once")


_FOR = {"regressor": "numbers", "anomaly": "anomalies"}


def _options(model: str, random: np.random.Generator) -> tuple[tuple[str, Any], ...]:
    ranges = _ranges(model)
    return tuple((name, ranges[name](random)) for name in sorted(ranges))


def _ranges(model: str) -> Mapping[str, Draw]:
    """Return how each option of a kind is drawn."""
    given = {**_RANGES, **(_BOOSTING if "boosting" in model else {})}
    return {name: given[name] for name in kinds.find(model).defaults}


def _whole(low: int, high: int) -> Draw:
    """Draw whole numbers, each doubling as likely as the next."""
    return lambda random: round(float(np.exp(random.uniform(np.log(low), np.log(high)))))


def _rate(low: float, high: float) -> Draw:
    return lambda random: float(f"{np.exp(random.uniform(np.log(low), np.log(high))):.2g}")


def _even(low: int, high: int) -> Draw:
    return lambda random: int(random.integers(low, high + 1))


def _hidden(random: np.random.Generator) -> tuple[int, ...]:
    layers = 1 + int(random.random() < 0.3)
    return tuple(int(_WIDTHS[random.integers(len(_WIDTHS))]) for _ in range(layers))


_RANGES: Mapping[str, Draw] = {
    "trees": _whole(3, 100),
    "depth": _even(2, 12),
    "leaves": _whole(4, 200),
    "learning_rate": _rate(0.001, 0.02),
    "hidden": _hidden,
    "neighbors": lambda random: int(2 * random.integers(5) + 1),
    "rows": _whole(32, 512),
}
_BOOSTING: Mapping[str, Draw] = {
    "trees": _whole(5, 60),
    "depth": _even(2, 5),
    "leaves": _whole(4, 16),
    "learning_rate": _rate(0.05, 0.4),
}
