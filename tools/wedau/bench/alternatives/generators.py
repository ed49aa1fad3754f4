"""What m2cgen, everywhereml and micromlgen write of a forest; each is MIT licensed."""

import re
import warnings
from importlib import import_module
from typing import Any

import numpy as np

from wedau.bench.alternatives import candidate
from wedau.bench.alternatives.candidate import Candidate, NotPossibleError
from wedau.bench.alternatives.tasks import Task

_M2CGEN_PREDICT = """

def predict(x):
    scores = score(x)
    return scores.index(max(scores))
"""

_CLOCK = "from time import ticks_us, ticks_diff"
_STILL_CLOCK = "ticks_us, ticks_diff = lambda: 0, lambda a, b: a - b"

_LITERAL = re.compile(r"(<= -?\d[\d.]*(?:e[+-]?\d+)?)(?=\))")


def m2cgen(task: Task) -> Candidate:
    """m2cgen's pure Python, and the class with the highest score."""
    votes = candidate.forest(task, "m2cgen")
    written = _package("m2cgen").export_to_python(votes.estimator, indent=1)
    return Candidate(
        python=written + _M2CGEN_PREDICT, note="as it writes it, and the index of the highest score"
    )


def everywhereml(task: Task) -> Candidate:
    """everywhereml's class for MicroPython."""
    votes = candidate.forest(task, "everywhereml")
    ensemble = _package("everywhereml.sklearn.ensemble")
    dataset = _package("everywhereml.data.Dataset").Dataset
    shell = ensemble.RandomForestClassifier(n_estimators=len(votes.trees))
    shell.estimators_ = candidate.exact_below(votes).estimators_
    classes = np.arange(votes.n_outputs)
    shell.dataset = dataset.from_XY(np.zeros((len(classes), votes.n_features)), classes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it prints all attributes, importances too
        written = str(shell.to_micropython())
    assert written.count(_CLOCK) == 1, "everywhereml reads the clock twice a call"
    written = written.replace(_CLOCK, _STILL_CLOCK)
    return Candidate(
        python=f"{written}\npredict = RandomForestClassifier().predict\n",
        note="thresholds raised, for it tests < where scikit-learn tests <=; it weighs a tree's "
        "vote by how frequent the class is in that tree's training data; the clock that it reads "
        "stands still, for what a clock takes differs from call to call",
    )


def micromlgen(task: Task) -> Candidate:
    """micromlgen's C++, its one function taken out of its class."""
    votes = candidate.forest(task, "micromlgen")
    written = str(_package("micromlgen").port(votes.estimator))
    head = "int predict(float *x) {"
    body = _block(written[written.index(head) + len(head) :])
    body = _LITERAL.sub(r"\1f", body)
    return Candidate(
        row="f",
        c=f"static int32_t decide(const float *x) {{{body}}}\n",
        note="the function taken out of its C++ class; its double literals made float",
    )


def _package(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise NotPossibleError(
            f"not installed ({error}): pip install 'wedau[bench]'",
        ) from None


def _block(text: str) -> str:
    """Return the text up to the brace that closes the block it begins in."""
    depth = 1
    for found in re.finditer(r"[{}]", text):
        depth += 1 if found[0] == "{" else -1
        if not depth:
            return text[: found.start()]
    raise NotPossibleError("micromlgen wrote something else than version 1.1.28")
