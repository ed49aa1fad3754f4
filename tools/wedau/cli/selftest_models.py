"""The checks of the device suite that compare models and features with the host's answers."""

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wedau import __version__, _core
from wedau.build import runtime
from wedau.cli.selftest_check import Check, Step
from wedau.convert.data import to_data
from wedau.convert.module import ModuleInfo
from wedau.convert.trees import boundary_inputs
from wedau.models import trees
from wedau.train import filters, grid, windows
from wedau.train.recipe import Recipe

MODEL = "wedau_model"
PIPELINE = "wedau.pipeline"
BASELINE = "wedau.baseline"

_LABELS = ("läuft", "klemmt", "aus")
_N_FEATURES = 4

Floats = NDArray[np.float32]


def members() -> list[trees.TreeArrays]:
    """Return the trees of the small model."""
    return _forest()[0]


def _forest() -> tuple[list[trees.TreeArrays], NDArray[np.int16]]:
    """Return a small forest and inputs: some at random, and at every threshold."""
    from sklearn.ensemble import RandomForestClassifier

    random = np.random.default_rng(4)
    rows = random.integers(-3000, 3000, (200, _N_FEATURES)).astype(np.int16)
    y = (rows[:, 0] > 0).astype(int) + (rows[:, -1] > rows[:, -2])
    fitted = RandomForestClassifier(3, max_depth=4, random_state=0).fit(rows, y)
    grown = [trees.harden(member.tree_, np.arange(3)) for member in fitted.estimators_]
    return grown, np.concatenate([rows[:8], *boundary_inputs(grown, rows)])


def forest() -> Any:
    """Return the small model, a fitted estimator."""
    return trees.forest(members(), _N_FEATURES, 3)


def info(name: str) -> ModuleInfo:
    """Return what the small model tells of itself."""
    scale = np.array([0.1, 2.0, 1e-3, 7.0], np.float32)
    features = ("a.rms", "a.peak", "b", "ü")
    return ModuleInfo(name, "1.0.0", _LABELS, features, scale, b"", "", __version__)


def _decided() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the inputs for the small model, and what scikit-learn makes of them."""
    grown, rows = _forest()
    forest = trees.forest(grown, _N_FEATURES, 3)
    return {"rows": [row.tobytes() for row in rows]}, {
        "labels": _LABELS,
        "classes": forest.predict(rows).tolist(),
        "shares": [row.tobytes() for row in forest.predict_proba(rows).astype(np.float32)],
    }


def model() -> Check:
    given, expected = _decided()
    expected["features"] = tuple(info(MODEL).features)
    expected["refusals"] = ["ValueError", "TypeError", "ValueError", "TypeError"]
    steps = [Step("model", given | {"model": MODEL}, expected)] * 2
    return Check("model", "a compiled model decides as scikit-learn", steps, (MODEL,))


def trees_file() -> Check:
    given, expected = _decided()
    data = to_data(members(), info("selftest"))
    damage = [(at, 0, 0) for at in (0, 3, 20, len(data) - 1)]
    damage += [(len(data), at, bit) for at, bit in product(range(0, len(data), 97), (1, 128))]
    expected |= {
        "classes_from_file": expected["classes"],
        "damaged": [("ValueError", _why_damaged(data, how)) for how in damage],
        "refusals": ["ValueError", "TypeError", "ValueError", "ValueError", "OSError"],
    }
    step = Step("trees", given | {"data": data, "damage": damage}, expected)
    what = "a data file decides as scikit-learn, damaged ones are refused"
    return Check("trees", what, [step], (runtime.TREES,))


def _why_damaged(data: bytes, how: tuple[int, int, int]) -> str:
    """Return what the host's core says of a file that is cut or changed; see trees.py."""
    length, at, change = how
    copy = bytearray(data[:length])
    if change:
        copy[at] ^= change
    try:
        _core.trees_check(bytes(copy))
    except ValueError as error:
        return str(error)
    raise AssertionError("the host takes the damaged file")


def _recipe(*, filtered: bool) -> Recipe:
    sections = filters.design("lowpass", 2, (10.0,), (0, 2), 50.0) if filtered else None
    return Recipe(
        channels=("x", "y", "z"),
        units=("g", "g", "g"),
        rate_hz=50.0,
        length=32,
        hop=16,
        magnitudes=(("m", (0, 1, 2)),),
        statistics=("mean", "std", "rms", "skewness"),
        band_edges=(0, 1, 4, 17),
        hann=True,
        correlations=((0, 1),),
        filters=(sections,) if sections else (),
        quantiles=(0.5,),
    )


def _recording(samples: int) -> Floats:
    random = np.random.default_rng(5)
    waves = np.sin(np.arange(samples)[:, None] * np.array([0.3, 0.7, 1.9]))
    recording: Floats = (waves + random.normal(size=(samples, 3)) / 8).astype(np.float32)
    return recording


def features() -> Check:
    recipe = _recipe(filtered=False)
    samples = _recording(64)
    sizes = [np.float32(size) for size in (1, 1e-40, 1e-20, 1e8)]
    cut = [samples[at : at + recipe.length] * size for at in (0, 16, 32) for size in sizes]
    rows = [recipe.extract(window, np.zeros(1, np.int64))[0] for window in cut]
    scale = grid.fit_scale(np.array(rows[::4]))
    expected = {
        "info": (3, recipe.length, len(rows[0])),
        "rows": [row.tobytes() for row in rows],
        "grids": [grid.quantize(row[None], scale).tobytes() for row in rows],
        "refusals": ["ValueError"] * 4 + ["TypeError"] + ["ValueError"] * 2,
    }
    given = {
        "recipe": recipe.blob,
        "windows": [window.tobytes() for window in cut],
        "scale": scale.tobytes(),
    }
    what = "features of a recording are the host's bits"
    return Check("features", what, [Step("features", given, expected)], (runtime.FEATURES,))


def pipeline() -> Check:
    recipe = _recipe(filtered=True)
    samples = _recording(100)
    starts = windows.starts(len(samples), recipe.length, recipe.hop)
    rows = recipe.extract(samples, starts)
    expected = {
        "rows": [row.tobytes() for row in rows],
        "refusals": ["ValueError", "ValueError", "TypeError", "ValueError"],
    }
    step = Step("pipeline", {"recipe": recipe.blob, "samples": samples.tobytes()}, expected)
    what = "samples as they come give the host's bits"
    return Check("pipeline", what, [step], (runtime.FEATURES, PIPELINE))


def baseline() -> Check:
    random = np.random.default_rng(6)
    learned = random.normal(size=(40, 3)).astype(np.float32)
    judged = np.concatenate([learned[:6] * np.float32(size) for size in (1, 9, 99)])
    scores = np.zeros(len(judged), np.float32)
    kept = _core.baseline(32, 0.1, b"selftest", learned, judged, scores)
    given = {
        "n_features": 3,
        "windows": 32,
        "false_alarms": 0.1,
        "key": b"selftest",
        "learned": [row.tobytes() for row in learned],
        "judged": [row.tobytes() for row in judged],
    }
    right = [score.tobytes() for score in scores]
    first = {
        "left": [max(31 - i, 0) for i in range(len(learned))],
        "kept": kept,
        "scores": right,
        "classes": (scores > 1).astype(int).tolist(),
        "refusals": ["ValueError", "TypeError", "ValueError"],
    }
    again = {
        "ready": True,
        "problem": None,
        "scores": right,
        "other_problem": "the stored baseline is of other features or settings",
    }
    steps = [Step("baseline", given, first), Step("baseline_again", given, again)]
    what = "what is learnt and stored has the host's bits, and is there after a soft reset"
    return Check("baseline", what, steps, (runtime.BASELINE, BASELINE))
