"""emlearn's C that walks tables, which it calls loadable."""

import contextlib
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier

from wedau.bench.alternatives import candidate
from wedau.bench.alternatives.candidate import Candidate, NotPossibleError
from wedau.bench.alternatives.tasks import Task
from wedau.models import Dense

with np.errstate():  # emlearn's import makes every NumPy underflow in the process an exception
    import emlearn
    from emlearn.convert import convert

_CONST = "the model's struct made const and its tables kept from the collector"

# A native module has no C library.
_MATH = """\
#include <math.h>
#include "wd_mathf.h"
#include "models/wd_exp.h"
#define expf wd_exp
#define logf wd_log
#define tanhf wd_tanh
"""

# MicroPython's collector keeps a module's tables where the code points at the first of them; these
# are reached through a struct only. Nothing calls this.
_KEPT = """\
char first[4];
__attribute__((used)) static void keep(void) {
    __asm__ volatile ("" : : "r" (first));
}
"""


def loadable(task: Task) -> Candidate:
    """emlearn's tables and the loop over them, with thresholds that decide as scikit-learn."""
    if isinstance(task.program, Dense):
        return _perceptron(task, task.program)
    exact = candidate.exact_below(candidate.forest(task, "emlearn"))
    raised = "thresholds raised, for it tests < where scikit-learn tests <="
    return _trees(exact, f"{raised}; {_CONST}")


def as_written(task: Task) -> Candidate:
    """The same, with the thresholds that emlearn writes."""
    return _trees(candidate.forest(task, "this row").estimator, _CONST)


def _trees(estimator: Any, note: str) -> Candidate:
    written = str(convert(estimator, method="loadable", dtype="int16_t").save(name="model"))
    return Candidate(
        c=f"{_constant(written)}\nstatic int32_t decide(const int16_t *x) {{\n"
        f"    return model_predict(x, {estimator.n_features_in_});\n}}\n",
        include=(_include(),),
        note=note,
    )


def _perceptron(task: Task, dense: Dense) -> Candidate:
    if dense.link != "softmax":
        raise NotPossibleError("the perceptron has other outputs than emlearn's")
    shell = MLPClassifier(activation=dense.activation)
    shell.coefs_ = [layer.weights for layer in dense.layers]
    first = dense.layers[0]
    centred = first.biases - dense.centre @ first.weights
    shell.intercepts_ = [centred, *(layer.biases for layer in dense.layers[1:])]
    shell.out_activation_ = "softmax"
    shell.n_layers_ = len(dense.layers) + 1
    shell.classes_ = np.arange(dense.n_outputs)
    # emlearn compiles it for this computer at once, into a folder of the current one.
    with tempfile.TemporaryDirectory(prefix="wedau-") as folder, contextlib.chdir(folder):
        written = str(convert(shell, method="inline").save(name="model"))
    return Candidate(
        row="f",
        c=f"{_MATH}{_constant(written)}\nstatic int32_t decide(const float *x) {{\n"
        f"    return model_predict(x, {dense.n_features});\n}}\n",
        include=(_include(),),
        core=("models/wd_exp.c", "wd_mathf.c"),
        note=f"its exponentials are ours; {_CONST}; scaling folded into the first layer",
    )


def _constant(written: str) -> str:
    made, n = re.subn(
        r"^(?:static )?(Eml(?:Trees|Net)) model =", r"static const \1 model =", written, flags=re.M
    )
    assert n == 1, "emlearn declares its models so"
    return _KEPT + made


def _include() -> Path:
    return Path(emlearn.includedir)
