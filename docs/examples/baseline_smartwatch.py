"""Learn on a board that one exercise is normal, and count what it says of that and of the others.

Usage: baseline_smartwatch.py PORT [ORDERS]. The data are the smartwatch recordings of the demo: ten
people, seven exercises, windows of 4 s, one each second. A baseline learns from 200 windows of an
exercise. It is then asked about all further ones, and about 200 of the other exercises. The
exercise's windows come in a random order, as from a source that does not change (in as many as
ORDERS says; 1), and then in the order of the recordings, so that the later people are others than
those it learnt from.
"""

import sys

import numpy as np

from wedau.device.link import Board
from wedau.device.stream import Stream
from wedau.train import datasets, recipe, windows

LEARNT, OTHERS = 200, 200

ON_BOARD = """
import os
from array import array
import wedau
baseline = wedau.Baseline({n}, {learnt}, path='/smartwatch.wdb')
taken = 0
while not baseline.ready:
    baseline.learn(array('f', take(4 * {n})))
    taken += 1
give(bytearray(baseline.predict(array('f', take(4 * {n}))) for _ in range({rows} - taken)))
baseline.reset()
"""


def rows_by_exercise():
    """Return the features of all windows, in the order of the recordings, by exercise."""
    watch = datasets.smartwatch()
    plan = recipe.standard(watch.channels, watch.units, watch.rate_hz, length=200, hop=50)
    found = {}
    for item in watch.items:
        starts = windows.starts(len(item.samples), plan.length, plan.hop)
        found.setdefault(item.label, []).append(plan.extract(item.samples, starts))
    return {label: np.concatenate(found[label]) for label in sorted(found)}


def judge(board, rows):
    """Let the board learn from the first rows; return what it says of the rest, 1: an anomaly."""
    board.soft_reset()
    program = ON_BOARD.format(n=rows.shape[1], learnt=LEARNT, rows=len(rows))
    with Stream(board, program) as stream:
        stream.give(rows.tobytes())
        return np.frombuffer(stream.take(), np.uint8)


def count(board, rows, order, random):
    """Return false alarms, further windows, windows of other exercises found, all such windows."""
    total = np.zeros(4, int)
    for label, mine in rows.items():
        others = np.concatenate([rows[other] for other in rows if other != label])
        others = random.permutation(others)[:OTHERS]
        mine = random.permutation(mine) if order == "random" else mine
        said = judge(board, np.concatenate([mine, others])).astype(int)
        normal, other = said[:-OTHERS], said[-OTHERS:]
        total += (normal.sum(), len(normal), other.sum(), len(other))
    return total


def main():
    """Print a line for each kind of order."""
    random = np.random.default_rng(0)
    rows = rows_by_exercise()
    orders = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with Board(sys.argv[1]) as board:
        for order, times in (("random", orders), ("person by person", 1)):
            counts = sum(count(board, rows, order, random) for _ in range(times))
            alarms, normal, found, other = (int(c) for c in counts)
            print(f"{order}: {100 * alarms / normal:.1f} % false alarms of {normal:,} windows,")
            print(f"  {100 * found / other:.0f} % of {other:,} windows of other exercises found")


if __name__ == "__main__":
    main()
