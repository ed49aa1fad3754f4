"""What modules are said to take at most, against what the simulated board counts."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from wedau import models
from wedau.bench import digits as reference
from wedau.build import bounds, natmod
from wedau.build.simboard import SimFirmware
from wedau.cli import verify
from wedau.cli.proving import Case
from wedau.convert import code
from wedau.convert.module import ModuleInfo
from wedau.device import link, push, replay
from wedau.errors import CheckError
from wedau.models import Program, Votes, trees
from wedau.paths import resource
from wedau.sim import boards

HAND = """
#include "py/dynruntime.h"
#include "wd_loop.h"

static mp_obj_t nothing(mp_obj_t x) {
    return x;
}
static MP_DEFINE_CONST_FUN_OBJ_1(nothing_obj, nothing);

// At most 20 passes, of which at most 3 are dear.
static mp_obj_t loops(mp_obj_t x_in) {
    mp_uint_t x = (mp_uint_t)x_in, n = (x >> 1) & 31, dear = x >> 6;
    mp_uint_t sum = x;
    n = n > 20 ? 20 : n;
    WD_FOR(20, mp_uint_t i = 0; i < n; i++) {
        sum = (sum << 3) ^ (sum >> 5);
    }
    dear = dear > 3 ? 3 : dear;
    WD_FOR(3, mp_uint_t i = 0; i < dear; i++) {
        WD_FOR(4, mp_uint_t j = 0; j < 4; j++) {
            sum = sum / (j + 3) + 1;
        }
    }
    return MP_OBJ_NEW_SMALL_INT(sum & 0xff);
}
static MP_DEFINE_CONST_FUN_OBJ_1(loops_obj, loops);

mp_obj_t mpy_init(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args) {
    MP_DYNRUNTIME_INIT_ENTRY
    mp_store_global(MP_QSTR_nothing, MP_OBJ_FROM_PTR(&nothing_obj));
    mp_store_global(MP_QSTR_loops, MP_OBJ_FROM_PTR(&loops_obj));
    MP_DYNRUNTIME_INIT_EXIT
}
"""


@pytest.fixture(scope="module")
def board(sim_firmware: SimFirmware) -> Iterator[link.Board]:
    with boards.board(sim_firmware.elf, sim_firmware.plugin) as sim, link.Board(sim.port) as opened:
        yield opened


def info_for(program: Program) -> ModuleInfo:
    labels = {"classifier": program.n_outputs, "regressor": 0, "anomaly": 2}[program.task]
    return ModuleInfo(
        name="saw",
        version="1",
        labels=[f"class {i}" for i in range(labels)],
        features=[f"f{i}" for i in range(program.n_features)],
        scale=np.full(program.n_features, 0.01, np.float32),
        recipe=b"",
        data_sha256="ab" * 32,
        wedau="1",
    )


def bounded(
    program: Program, rows: np.ndarray, folder: Path, board: link.Board, micropython: Path
) -> verify.Build:
    info, case = info_for(program), Case.of_program(program, rows)
    compiled = verify.compile_program(program, info, "xtensawin", folder, micropython)
    proof = verify.prove(case, compiled, board, verify.SIMULATED)
    return verify.bound(case, info, compiled, proof, board, micropython).build


@pytest.mark.parametrize("optimize", ["-Os", "-O2"])
def test_bound_of_loops_is_what_the_dearest_call_takes(
    optimize: str, board: link.Board, micropython: Path, tmp_path: Path
) -> None:
    source = tmp_path / "hand.c"
    source.write_text(HAND)
    compiled = natmod.build(
        "hand",
        [source],
        arch="xtensawin",
        micropython=micropython,
        out=tmp_path,
        include=[resource("modules", "core")],
        optimize=optimize,
    )
    push.push(board, {"hand.mpy": compiled.path.read_bytes()})
    analysed = bounds.Code(compiled.objects, bounds.function_table(micropython))
    board.soft_reset()
    board.run("import hand\nfrom sim import count")

    def counted(function: str, x: int) -> int:
        return int(board.eval(f"count(hand.{function}, {x})[1]"))

    around = counted("nothing", 0) - analysed.worst("nothing").instructions
    bound = analysed.worst("loops").instructions + around
    taken = {x: counted("loops", x) for x in (0, 1, 19, 20, 31, 20 + 32, 20 + 3 * 32, 31 + 7 * 32)}
    assert max(taken.values()) == taken[20 + 3 * 32] <= bound <= taken[20 + 3 * 32] + 4
    assert taken[0] >= analysed.least("loops") + around
    assert taken[0] + 100 < bound


@pytest.mark.parametrize("seed", range(4))
def test_no_row_takes_a_random_forest_more_than_the_bound(
    seed: int, board: link.Board, micropython: Path, tmp_path: Path
) -> None:
    from sklearn.ensemble import RandomForestClassifier

    random = np.random.default_rng(seed)
    n_features, n_classes = int(random.integers(2, 12)), int(random.integers(2, 6))
    rows = random.integers(-1000, 1000, (300, n_features)).astype(np.int16)
    y = random.integers(0, n_classes, len(rows))
    forest = RandomForestClassifier(
        int(random.integers(1, 12)), max_depth=int(random.integers(1, 9))
    )
    members = forest.set_params(random_state=seed).fit(rows, y).estimators_
    arrays = [trees.harden(m.tree_, np.arange(n_classes)) for m in members]
    build = bounded(Votes(arrays, n_features, n_classes), rows[:50], tmp_path, board, micropython)
    bound, found = build.instructions_worst_bound, build.instructions_worst_found
    assert bound is not None and found is not None and build.stack_bytes is not None
    many = random.integers(-32768, 32768, (500, n_features)).astype(np.int16)
    near = (rows + random.integers(-3, 4, rows.shape)).astype(np.int16)
    costs = replay.instructions(board, "saw", np.concatenate([many, near]), n_classes)
    assert costs.max() <= bound and found <= bound <= 1.2 * found
    floats = (near * np.float32(0.01)).astype(np.float32)
    assert build.instructions_worst_bound_floats is not None
    costs = replay.instructions(board, "saw", floats, n_classes)
    assert costs.min() > found
    assert costs.max() <= build.instructions_worst_bound_floats


# A row may be nearer than all before it each time, but not in the order in which the rows are.
@pytest.mark.parametrize(
    ("family", "apart"),
    [("linear", 1.2), ("neighbours", 2.2), ("boosting", 1.2), ("regressor", 1.2)],
)
def test_other_families_have_bounds(
    family: str, apart: float, board: link.Board, micropython: Path, tmp_path: Path
) -> None:
    from sklearn.ensemble import GradientBoostingRegressor, HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier

    random = np.random.default_rng(5)
    rows = random.integers(-1000, 1000, (120, 4)).astype(np.int16)
    y = (rows[:, 0] > rows[:, 1]).astype(int) + (rows[:, 2] > 0)
    estimator = {
        "linear": LogisticRegression(),
        "neighbours": KNeighborsClassifier(3),
        "boosting": HistGradientBoostingClassifier(max_iter=5),
        "regressor": GradientBoostingRegressor(n_estimators=5, random_state=0),
    }[family]
    program = models.from_sklearn(estimator.fit(rows.astype(float), y))
    build = bounded(program, rows, tmp_path, board, micropython)
    bound, found = build.instructions_worst_bound, build.instructions_worst_found
    assert bound is not None and found is not None
    assert build.instructions_max is not None and build.instructions_max <= found <= bound
    assert bound <= apart * found


def test_the_reference_forests_bound_is_close(
    board: link.Board, micropython: Path, tmp_path: Path
) -> None:
    forest, unseen, _ = reference.forest()
    build = bounded(forest, unseen, tmp_path, board, micropython)
    bound, found = build.instructions_worst_bound, build.instructions_worst_found
    assert bound is not None and found is not None and build.instructions_max is not None
    assert build.instructions_max < found <= bound <= 1.1 * found


def neighbours() -> tuple[Program, np.ndarray]:
    from sklearn.neighbors import KNeighborsClassifier

    rows = np.random.default_rng(5).integers(-1000, 1000, (60, 3)).astype(np.int16)
    y = (rows[:, 0] > rows[:, 1]).astype(int)
    return models.from_sklearn(KNeighborsClassifier(3).fit(rows.astype(float), y)), rows


def with_other_c(instead: str, board: link.Board, micropython: Path, folder: Path) -> verify.Build:
    """Prove and bound a model whose C includes something else than wd_nearest.h."""
    program, rows = neighbours()
    info, case, made = info_for(program), Case.of_program(program, rows), code.code(program)
    include = '#include "models/wd_nearest.h"'
    assert include in made.text
    tampered = replace(made, text=made.text.replace(include, instead))
    compiled = verify.compile_code(tampered, info, "xtensawin", folder, micropython)
    proof = verify.prove(case, compiled, board, verify.SIMULATED)
    return verify.bound(case, info, compiled, proof, board, micropython).build


PROMISE = """
#undef WD_FOR
#define WD_FOR(n, ...) {promise}
#include "models/wd_nearest.h"
"""


def test_a_loop_that_passes_more_often_than_it_says_makes_no_module(
    board: link.Board, micropython: Path, tmp_path: Path
) -> None:
    lie = PROMISE.format(promise="WD_FOR_NUMBERED(__COUNTER__, 1, __VA_ARGS__)")
    with pytest.raises(CheckError, match="more than the bound"):
        with_other_c(lie, board, micropython, tmp_path)


def test_a_loop_that_does_not_say_how_often_it_passes_has_no_bound(
    board: link.Board, micropython: Path, tmp_path: Path
) -> None:
    silent = PROMISE.format(promise="for (__VA_ARGS__)")
    build = with_other_c(silent, board, micropython, tmp_path)
    assert build.instructions_worst_bound is None
    assert build.unbounded and "does not say how often" in build.unbounded
