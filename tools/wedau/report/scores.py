"""Figures that follow from a confusion matrix."""

from collections.abc import Sequence
from dataclasses import dataclass

Confusion = Sequence[Sequence[int]]


@dataclass(frozen=True)
class ClassScore:
    """One class's scores, 0 to 1.

    A score is None where it is undefined: precision of a class that was never predicted, recall of
    a class that never occurred, f1 where both are so.
    """

    label: str
    precision: float | None
    recall: float | None
    f1: float | None
    support: int


@dataclass(frozen=True)
class Mixup:
    """How often one class was taken for another."""

    true: str
    predicted: str
    count: int
    support: int


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def per_class(labels: Sequence[str], confusion: Confusion) -> tuple[ClassScore, ...]:
    """Return precision, recall, f1 and support of each class.

    Args:
        labels: the classes' names, n of them.
        confusion: counts, shape (n, n); rows are true classes, columns predicted ones.

    Source: sklearn.metrics.precision_recall_fscore_support with zero_division=nan (None here).
    """
    scores = []
    for i, label in enumerate(labels):
        right = confusion[i][i]
        support = sum(confusion[i])
        predicted = sum(row[i] for row in confusion)
        scores.append(
            ClassScore(
                label=label,
                precision=_share(right, predicted),
                recall=_share(right, support),
                f1=_share(2 * right, support + predicted),
                support=support,
            )
        )
    return tuple(scores)


def total(confusion: Confusion) -> int:
    """Return how many rows were judged."""
    return sum(map(sum, confusion))


def right(confusion: Confusion) -> int:
    """Return how many rows were given their true class."""
    return sum(row[i] for i, row in enumerate(confusion))


def guessing(labels: Sequence[str], confusion: Confusion) -> tuple[str, float] | None:
    """Return the most frequent true class and how often always answering it would be right.

    Returns:
        (label, share 0 to 1), the first of equals; None if nothing was judged.
    """
    rows = [sum(row) for row in confusion]
    if not sum(rows):
        return None
    most = max(range(len(rows)), key=rows.__getitem__)
    return labels[most], rows[most] / sum(rows)


def mixups(labels: Sequence[str], confusion: Confusion, most: int = 3) -> list[Mixup]:
    """Return the most frequent mistakes, the largest count first, ties in label order."""
    found = [
        Mixup(labels[i], labels[j], count, sum(row))
        for i, row in enumerate(confusion)
        for j, count in enumerate(row)
        if i != j and count
    ]
    return sorted(found, key=lambda m: -m.count)[:most]
