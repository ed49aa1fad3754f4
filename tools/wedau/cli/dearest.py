"""Search for the input that takes a model the most instructions, on the simulated board."""

from dataclasses import dataclass

import numpy as np

from wedau.cli.proving import Case
from wedau.convert.trees import GridTree
from wedau.device import link, replay
from wedau.models import Program, Sums, Votes
from wedau.models.program import GRID_MAX, GRID_MIN, Ints, Rows

_RESTARTS = 24
_STEPS = 200_000  # nodes of trees to look at while searching
_MEASURED = 256  # rows of a generation
_KEPT = 16
_GENERATIONS = 12


@dataclass(frozen=True)
class Found:
    """The dearest row that was measured."""

    instructions: int
    row: Rows


def search(case: Case, board: link.Board, name: str) -> Found:
    """Look for the dearest row: the deepest leaves first, then what the board itself counts.

    Args:
        case: the model, and the inputs that the search begins with.
        board: simulated, with the module on it.
        name: of the module.
    """
    random = np.random.default_rng(0)
    program = case.program
    seeds = case.rows if len(case.rows) else np.zeros((1, program.n_features), np.int16)
    some = seeds[random.permutation(len(seeds))[:_MEASURED]]
    rows = np.concatenate([some, deepest(program, seeds, random)])
    kept, costs = rows[:0], np.zeros(0, np.int64)
    for _ in range(_GENERATIONS):
        best = int(costs.max(initial=0))
        counted = replay.instructions(board, name, rows, program.n_outputs, program.task)
        kept, costs = np.concatenate([kept, rows]), np.concatenate([costs, counted])
        order = np.argsort(-costs, kind="stable")[:_KEPT]
        kept, costs = kept[order], costs[order]
        if int(costs[0]) <= best:
            break
        rows = _children(kept, seeds, program, random)
    return Found(int(costs[0]), kept[0])


def _children(kept: Rows, seeds: Rows, program: Program, random: np.random.Generator) -> Rows:
    """Return rows like those kept, some features taken from others or moved over thresholds."""
    made = kept[random.integers(len(kept), size=_MEASURED)].copy()
    other = seeds[random.integers(len(seeds), size=_MEASURED)]
    swapped = random.random(made.shape) < 2.0 / program.n_features
    made[swapped] = other[swapped]
    for row in made[_MEASURED // 2 :]:
        feature = random.integers(program.n_features)
        row[feature] = random.choice(_values(program, int(feature)))
    return made


def _values(program: Program, feature: int) -> Ints:
    """Return the values of a feature at which something may change."""
    found = [np.array([GRID_MIN, 0, GRID_MAX], np.int64)]
    for tree in _trees(program):
        at = tree.threshold[(tree.left >= 0) & (tree.feature == feature)]
        found += [at, np.minimum(at + 1, GRID_MAX)]
    return np.unique(np.concatenate(found).astype(np.int64))


def _trees(program: Program) -> tuple[GridTree, ...]:
    return tuple(program.trees) if isinstance(program, Votes | Sums) else ()


def deepest(program: Program, seeds: Rows, random: np.random.Generator) -> Rows:
    """Return rows that come to a leaf as deep as can be in one tree after the other.

    Args:
        program: the model; only trees have leaves, for others there are no rows.
        seeds: int16, shape (n, n_features), n > 0: what the rows look like otherwise.
        random: chooses the order of the trees and the seeds.
    """
    members = _trees(program)
    nodes = sum(len(tree.left) for tree in members)
    found = [np.zeros((0, program.n_features), np.int16)]
    for _ in range(min(_RESTARTS, max(1, _STEPS // nodes)) if nodes else 0):
        low = np.full(program.n_features, GRID_MIN, np.int64)
        high = np.full(program.n_features, GRID_MAX, np.int64)
        for number in random.permutation(len(members)):
            _narrow(members[number], low, high)
        row = np.clip(seeds[random.integers(len(seeds))], low, high)
        found.append(row[None].astype(np.int16))
    return np.concatenate(found)


def _narrow(tree: GridTree, low: Ints, high: Ints) -> None:
    """Narrow the box to the deepest leaf of a tree that it still reaches."""
    feature, threshold = tree.feature.tolist(), tree.threshold.tolist()
    left, right = tree.left.tolist(), tree.right.tolist()
    best: tuple[tuple[int, int, int], ...] = ()
    todo: list[tuple[int, tuple[tuple[int, int, int], ...]]] = [(0, ())]
    while todo:
        node, way = todo.pop()
        if left[node] < 0:
            best = max(best, way, key=len)
            continue
        f, at = feature[node], threshold[node]
        least = max([int(low[f]), *(a for g, a, _ in way if g == f)])
        most = min([int(high[f]), *(b for g, _, b in way if g == f)])
        if least <= at:
            todo.append((left[node], (*way, (f, least, min(most, at)))))
        if most > at:
            todo.append((right[node], (*way, (f, max(least, at + 1), most))))
    for f, least, most in best:
        low[f], high[f] = max(low[f], least), min(high[f], most)
