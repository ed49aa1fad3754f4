"""A program to C: the tables and the two functions that modules/bind/model/model.c calls."""

import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wedau.convert import trees
from wedau.errors import ConvertError
from wedau.models import Dense, Gaussian, Neighbours, Program, Sums, Votes, WithUnknown

_FLOAT_CORE = ("models/wd_exp.c", "wd_mathf.c")
_TASKS = {"classifier": 0, "regressor": 1, "anomaly": 2}
MAX_NEIGHBOUR_ROWS = 65535  # their indices are uint16
MAX_STACK_FLOATS = 2048  # what a call may take of the board's stack, 8 kB


@dataclass(frozen=True)
class Code:
    """The C of a program.

    Attributes:
        text: defines WD_TASK, WD_N_OUTPUTS, wd_model_classify and wd_model_outputs; expects
            WD_N_FEATURES.
        core: files in modules/core that it calls.
        optimize: the compiler's level, which weighs instructions against bytes.
    """

    text: str
    core: tuple[str, ...]
    optimize: str = "-Oz"


def code(program: Program) -> Code:
    """Return the C of a program.

    Raises:
        ConvertError: it is larger than a module can be.
    """
    emit: Any = _EMIT[type(program)]
    body: Code = emit(program)
    head = [
        f"#define WD_TASK {_TASKS[program.task]}",
        f"#define WD_N_OUTPUTS {program.n_outputs}",
    ]
    return replace(body, text="\n".join([*head, body.text]))


def _function(head: str, lines: Iterable[str]) -> str:
    return "\n".join([f"static inline {head} {{", *(f"    {line}" for line in lines), "}"])


def _functions(declare: str, fill: str, classify: str, outputs: Iterable[str]) -> str:
    """Return both functions: scores are declared and filled, then made a class or outputs."""
    first = [declare, fill]
    return "\n".join(
        [
            _function("int32_t wd_model_classify(const int16_t *row)", [*first, classify]),
            _function("void wd_model_outputs(const int16_t *row, float *out)", [*first, *outputs]),
        ]
    )


def _table(name: str, values: NDArray[Any], kind: str = "float") -> str:
    flat = np.ravel(values)
    words = map(_float, flat) if kind == "float" else (str(int(v)) for v in flat)
    return f"static const {kind} {name}[] = {{ {', '.join(words)} }};"


def _float(value: Any) -> str:
    """Return a float literal that is exactly this value rounded to float32."""
    with np.errstate(over="ignore"):
        rounded = np.float32(value)
    if not np.isfinite(rounded):
        raise ConvertError(
            f"the model has the parameter {value:g}, beyond the range of float32",
            "scale the features: put a StandardScaler before the estimator",
        )
    exact: float = struct.unpack("<f", struct.pack("<f", rounded))[0]
    return f"{exact.hex()}f"


def _votes(program: Votes) -> Code:
    n = program.n_outputs
    return Code(
        "\n".join(
            [
                '#include "wd_loop.h"',
                _bounded_loops(trees.forest_c(program.estimator, "wd_forest"), n),
                _function(
                    "int32_t wd_model_classify(const int16_t *row)",
                    ["return wd_forest_predict(row, WD_N_FEATURES);"],
                ),
                _function(
                    "void wd_model_outputs(const int16_t *row, float *out)",
                    [f"wd_forest_predict_proba(row, WD_N_FEATURES, out, {n});"],
                ),
            ]
        ),
        (),
    )


def _bounded_loops(text: str, n: int) -> str:
    """Return emlearn's C with its loops over the classes saying how often they pass."""
    return re.sub(r"\bfor \((?=int(?:32_t)? i=0; i<\w+; i\+\+\))", f"WD_FOR({n}, ", text)


def _sums(program: Sums) -> Code:
    n, members = len(program.base), program.trees
    starts = np.cumsum([0, *(tree.value.size for tree in members)])
    adds = []
    for i, (tree, start) in enumerate(zip(members, starts, strict=False)):
        leaf = f"wd_forest_tree_{i}(row, WD_N_FEATURES)"
        if tree.output >= 0:
            adds.append(f"score[{tree.output}] += wd_leaves[{start} + {leaf}];")
        elif n == 1:
            adds.append(f"score[0] += wd_leaves[{start} + {leaf}];")
        else:
            adds.append(f"wd_add(wd_leaves + {start} + {n} * {leaf}, score);")
    parts = [
        f"#define WD_N_SCORES {n}",
        '#include "models/wd_links.h"',
        '#include "models/wd_sums.h"',
        trees.leaf_finders_c(list(members), program.n_features),
        _table("wd_leaves", np.concatenate([np.ravel(t.value) for t in members]), "int32_t"),
        _function(
            "void wd_scores(const int16_t *row, int32_t *score)",
            [f"score[{k}] = {int(v)};" for k, v in enumerate(program.base)] + adds,
        ),
        _functions(
            "int32_t score[WD_N_SCORES];",
            "wd_scores(row, score);",
            _sums_class(program),
            _sums_outputs(program),
        ),
    ]
    return Code("\n".join(parts), _FLOAT_CORE)


def _sums_class(program: Sums) -> str:
    if program.task == "regressor":
        return "return score[0];"
    if program.link == "logistic":
        return f"return score[0] >= {program.from_};"
    if program.link == "isolation":
        return f"return score[0] < {program.from_};"
    return "return wd_largest_sum(score);"


def _sums_outputs(program: Sums) -> list[str]:
    real = f"wd_real(score, {_float(2.0**-program.shift)}, out);"
    if program.link == "logistic":
        return [f"wd_two((float)score[0] * {_float(program.gain * 2.0**-program.shift)}, out);"]
    if program.link == "isolation":
        factor = _float(-np.log(2.0) * 2.0**-program.shift / program.gain)
        return [f"out[0] = {_float(-program.offset)} - wd_exp((float)score[0] * {factor});"]
    after = {"softmax": ["wd_softmax(out, out);"], "exp": ["out[0] = wd_exp(out[0]);"]}
    return [real, *after.get(program.link, [])]


def _dense(program: Dense) -> Code:
    widths = [program.n_features, *(len(layer.biases) for layer in program.layers)]
    if sum(widths) > MAX_STACK_FLOATS:
        raise ConvertError(
            f"the layers hold {sum(widths)} numbers, {MAX_STACK_FLOATS} fit the board's stack",
            "use narrower layers",
        )
    parts = [
        f"#define WD_N_SCORES {widths[-1]}",
        '#include "models/wd_links.h"',
        '#include "models/wd_dense.h"',
        _table("wd_centre", program.centre, "int16_t"),
    ]
    steps, last = [], len(program.layers) - 1
    for i, layer in enumerate(program.layers):
        name = f"wd_layer_{i}"
        activation = "identity" if i == last else program.activation
        parts += [
            _table(f"{name}_weights", layer.weights.T),
            _table(f"{name}_biases", layer.biases),
            f"WD_DENSE({name}, {widths[i]}, {widths[i + 1]}, wd_{activation})",
        ]
        into = "score" if i == last else f"x{i + 1}"
        steps += [*([] if i == last else [f"float {into}[{widths[i + 1]}];"])]
        steps.append(f"{name}(x{i}, {into});")
    centred = [
        "float x0[WD_N_FEATURES];",
        "WD_FOR(WD_N_FEATURES, int32_t i = 0; i < WD_N_FEATURES; i++) {",
        "    x0[i] = (float)(row[i] - wd_centre[i]);",
        "}",
    ]
    parts.append(_function("void wd_scores(const int16_t *row, float *score)", centred + steps))
    parts.append(_float_functions(program, program.link))
    # At -O2 clang calls wd_tanh() and wd_exp() in a loop through a pointer, and there is no bound.
    plain = program.activation in ("identity", "relu")
    return Code("\n".join(parts), _FLOAT_CORE, "-O2" if plain else "-Oz")


def _float_functions(program: Program, link: str) -> str:
    classify, outputs = {
        "identity": ("return (int32_t)score[0];", ["out[0] = score[0];"]),
        "logistic": ("return score[0] > 0.0f;", ["wd_two(score[0], out);"]),
        "softmax": ("return wd_largest(score);", ["wd_softmax(score, out);"]),
        "rest": ("return wd_largest(score);", ["wd_rest(score, out);"]),
        "density": ("return wd_decision(score) < 0.0f;", ["out[0] = wd_decision(score);"]),
        "distance": ("return wd_decision(score) < 0.0f;", ["out[0] = wd_decision(score);"]),
    }[link]
    if program.task == "regressor":
        classify = "return 0;"
    return _functions("float score[WD_N_SCORES];", "wd_scores(row, score);", classify, outputs)


def _gaussian(program: Gaussian) -> Code:
    shape = "diagonal" if program.is_diagonal else "triangle"
    n = program.n_features
    factor = program.factor if program.is_diagonal else program.factor[:, *np.triu_indices(n)]
    parts = [
        f"#define WD_N_SCORES {len(program.base)}",
        '#include "models/wd_links.h"',
        _table("wd_mean", program.mean),
        _table("wd_factor", factor),
        _table("wd_base", program.base),
        '#include "models/wd_gauss.h"',
        _function(
            "void wd_scores(const int16_t *row, float *score)", [f"wd_gauss_{shape}(row, score);"]
        ),
    ]
    threshold = _float(program.threshold)
    if program.link == "density":
        decision = f"return wd_log_sum(score) - {threshold};"
    else:
        decision = f"return 2.0f * score[0] - {threshold};"
    if program.link != "softmax":
        parts.append(_function("float wd_decision(const float *score)", [decision]))
    parts.append(_float_functions(program, program.link))
    return Code("\n".join(parts), _FLOAT_CORE)


def _neighbours(program: Neighbours) -> Code:
    if len(program.rows) > MAX_NEIGHBOUR_ROWS:
        raise ConvertError(
            f"the neighbours remember {len(program.rows)} rows, {MAX_NEIGHBOUR_ROWS} are possible",
            "train on fewer rows",
        )
    weights = program.weight.astype(np.float32)
    parts = [
        f"#define WD_N_SCORES {program.n_outputs}",
        f"#define WD_N_ROWS {len(program.rows)}",
        f"#define WD_N_NEAREST {program.k}",
        '#include "models/wd_links.h"',
        _table("wd_rows", program.rows, "int16_t"),
    ]
    by_weight = "1.0f" if np.all(weights == 1) else "weight[i]"
    parts += [_table("wd_weight", weights), f"#define WD_WEIGHT(i) {by_weight}"]
    if program.task == "regressor":
        parts.append(_table("wd_target", program.target))
    else:
        parts.append(_table("wd_target", program.target, "uint8_t"))
    by = "true" if program.by_distance else "false"
    add = "score[0] += share[k] * wd_target[index[k]];"
    if program.task == "classifier":
        add = f"score[wd_target[index[k]]] += {'share[k]' if program.by_distance else '1.0f'};"
    scores = [
        "uint16_t index[WD_N_NEAREST];",
        "float square[WD_N_NEAREST], share[WD_N_NEAREST];",
        "wd_nearest(row, index, square);",
        f"wd_nearest_shares(square, {by}, share);",
        "WD_FOR(WD_N_SCORES, int32_t i = 0; i < WD_N_SCORES; i++) {",
        "    score[i] = 0.0f;",
        "}",
        "WD_FOR(WD_N_NEAREST, int32_t k = 0; k < WD_N_NEAREST; k++) {",
        f"    {add}",
        "}",
    ]
    counted = program.task == "classifier" and not program.by_distance
    outputs = [
        "WD_FOR(WD_N_SCORES, int32_t i = 0; i < WD_N_SCORES; i++) {",
        f"    out[i] = score[i]{f' / {program.k}.0f' if counted else ''};",
        "}",
    ]
    classify = "return wd_largest(score);" if program.task == "classifier" else "return 0;"
    parts += [
        '#include "models/wd_nearest.h"',
        _function("void wd_scores(const int16_t *row, float *score)", scores),
        _functions("float score[WD_N_SCORES];", "wd_scores(row, score);", classify, outputs),
    ]
    return Code("\n".join(parts), _FLOAT_CORE)


def _with_unknown(program: WithUnknown) -> Code:
    known, n = program.known, program.known.n_outputs
    emit: Any = _EMIT[type(known)]
    body: Code = emit(known)
    # Of trees that vote the class is the largest share; running them once is enough.
    decide = "wd_largest_share(out)" if isinstance(known, Votes) else "wd_known_classify(row)"
    parts = [
        re.sub(r"\bwd_model_(classify|outputs)\b", r"wd_known_\1", body.text),
        f"#define WD_N_KNOWN {n}",
        f"#define WD_CONFIDENCE {_float(program.confidence)}",
        f"#define WD_NOVELTY {program.novelty}u",
        _table("wd_low", program.low, "int16_t"),
        _table("wd_high", program.high, "int16_t"),
        _table("wd_median", program.median, "int16_t"),
        _table("wd_weight", program.weight, "uint16_t"),
        '#include "models/wd_novelty.h"',
        _function(
            "int32_t wd_decide(const int16_t *row, float *out)",
            [
                "wd_known_outputs(row, out);",
                f"int32_t best = {decide};",
                "return wd_is_unknown(row, best, out[best]) ? WD_N_KNOWN : best;",
            ],
        ),
        _function(
            "int32_t wd_model_classify(const int16_t *row)",
            ["float out[WD_N_KNOWN];", "return wd_decide(row, out);"],
        ),
        _function(
            "void wd_model_outputs(const int16_t *row, float *out)",
            ["bool unknown = wd_decide(row, out) == WD_N_KNOWN;", "out[WD_N_KNOWN] = unknown;"],
        ),
    ]
    return Code("\n".join(parts), body.core, body.optimize)


_EMIT = {
    Votes: _votes,
    Sums: _sums,
    Dense: _dense,
    Gaussian: _gaussian,
    Neighbours: _neighbours,
    WithUnknown: _with_unknown,
}
