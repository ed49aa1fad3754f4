"""Programs in the manner of emlearn-micropython's documentation, on the board and on unix."""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import emlearn
import numpy as np
import prepared
import pytest
from scipy import signal
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.linear_model import ElasticNet
from sklearn.neighbors import KNeighborsClassifier

from wedau.build import compat, runtime
from wedau.build.simboard import SimFirmware
from wedau.device import push
from wedau.device.link import Board
from wedau.paths import resource
from wedau.sim import boards, unix

Run = Callable[..., Any]

_CHUNK_BYTES = 1024


def modules(arch: str, micropython: Path, folder: Path) -> dict[str, bytes]:
    """What emlearn_*.mpy need and are."""
    engine = runtime.build(runtime.TREES, arch=arch, micropython=micropython, out=folder).path
    said: list[str] = []
    files = {engine.name: engine.read_bytes(), **compat.build(arch, micropython, say=said.append)}
    assert said == []  # no warning of the compiler
    return files


def put(board: Board, name: str, data: bytes) -> None:
    for at in range(0, len(data) or 1, _CHUNK_BYTES):
        part = data[at : at + _CHUNK_BYTES]
        board.run(f"with open('/{name}', '{'ab' if at else 'wb'}') as f:\n f.write({part!r})")


def printed(text: str) -> Any:
    """The last line that a program printed, as a value."""
    said = text.strip().splitlines()[-1]
    return ast.literal_eval(re.sub(r"array\('[hf]', (\[.*?\])\)", r"\1", said))


@pytest.fixture(scope="module")
def on_board(
    sim_firmware: SimFirmware, micropython: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Board]:
    files = modules("xtensawin", micropython, tmp_path_factory.mktemp("xtensawin"))
    with boards.board(sim_firmware.elf, sim_firmware.plugin) as sim, Board(sim.port) as board:
        prepared.empty(board)
        push.push(board, files)
        yield board


@pytest.fixture(scope="module")
def on_unix(micropython: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unix")
    for name, data in modules("x64", micropython, folder).items():
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture(params=["board", "unix"])
def run(request: pytest.FixtureRequest) -> Run:
    """Run a program beside some files; returns the last line that it printed as a value."""
    if request.param == "unix":
        folder: Path = request.getfixturevalue("on_unix")

        def run_on_unix(program: str, files: Mapping[str, bytes] = {}) -> Any:
            for name, data in files.items():
                (folder / name).write_bytes(data)
            return printed(unix.run(program, folder))

        return run_on_unix
    board: Board = request.getfixturevalue("on_board")

    def run_on_board(program: str, files: Mapping[str, bytes] = {}) -> Any:
        board.soft_reset()
        for name, data in files.items():
            put(board, name, data)
        return printed(board.run(program, timeout_s=120))

    return run_on_board


def saved(estimator: Any, folder: Path) -> bytes:
    """What emlearn's save(format='csv') writes."""
    path = folder / "model.csv"
    emlearn.convert(estimator, method="inline").save(file=str(path), name="model", format="csv")
    return path.read_bytes()


def votes(estimator: Any, rows: np.ndarray) -> np.ndarray:
    """The share of the trees that vote for each class."""
    each = np.array([tree.predict(rows) for tree in estimator.estimators_]).astype(int)
    return np.array([np.mean(each == c, axis=0) for c in range(estimator.n_classes_)]).T


TREES = """
import emlearn_trees
import array

model = emlearn_trees.new(30, 2000, 20)
with open('model.csv', 'r') as f:
    emlearn_trees.load_model(model, f)

out = array.array('f', range(model.outputs()))
answers = []
for row in {rows}:
    model.predict(array.array('h', row), out)
    answers.append(list(out))
print(answers)
"""


def xor(n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    rows = random.integers(-32768, 32767, (n, 2)).astype(np.int16)
    return rows, ((rows[:, 0] > 0) ^ (rows[:, 1] > 0)).astype(int)


def test_trees_decide_as_scikit_learn(run: Run, tmp_path: Path) -> None:
    rows, y = xor()
    forest = RandomForestClassifier(3, max_depth=3, random_state=1).fit(rows, y)
    asked = np.concatenate([rows[:40], [[-32768, 32767], [32767, -32768], [0, 0], [-1, -1]]])
    got = run(TREES.format(rows=asked.tolist()), {"model.csv": saved(forest, tmp_path)})
    np.testing.assert_array_equal(np.float32(got), votes(forest, asked).astype(np.float32))


def test_small_integers_are_decided_as_by_scikit_learn_on_both_sides_of_each_threshold(
    run: Run, tmp_path: Path
) -> None:
    """emlearn's own trees truncate -1.5 to -1 and take < for <=, which tells here."""
    random = np.random.default_rng(6)
    rows = random.integers(-4, 5, (250, 3)).astype(np.int16)
    forest = ExtraTreesClassifier(12, max_depth=7, random_state=2)
    forest.fit(rows, (rows[:, 0] > rows[:, 1]).astype(int) + (rows[:, 2] > 1))
    text = saved(forest, tmp_path).decode()
    thresholds = [np.floor(float(line.split(",")[2])) for line in text.split() if line[0] == "n"]
    values = sorted({int(t) + more for t in thresholds for more in (0, 1)})
    asked = random.choice(values, (120, 3))
    got = run(TREES.format(rows=asked.tolist()), {"model.csv": text.encode()})
    np.testing.assert_array_equal(np.float32(got), votes(forest, asked).astype(np.float32))


def test_wide_forests_are_decided_as_by_scikit_learn(run: Run, tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    rows = random.integers(-100, 100, (60, 300)).astype(np.int16)
    forest = RandomForestClassifier(3, random_state=3).fit(rows, rows[:, 299] > rows[:, 257])
    got = run(TREES.format(rows=rows[:8].tolist()), {"model.csv": saved(forest, tmp_path)})
    np.testing.assert_array_equal(np.float32(got), votes(forest, rows[:8]).astype(np.float32))


BY_HAND = """
import emlearn_trees, array
model = emlearn_trees.new(2, 2, 2)
model.setdata(2, 3)
model.addleaf(2)
model.addleaf(0)
model.addroot(0)
model.addroot(-2)
model.addnode(-2, 1, 0, 10)
model.addnode(-2, -1, 1, -5)
out = array.array('f', [9, 9, 9])
answers = []
for row in ((9, 0), (10, -6), (10, -5)):
    model.predict(array.array('h', row), out)
    answers.append(list(out))
print(answers)
"""


def test_trees_are_added_by_hand(run: Run) -> None:
    assert run(BY_HAND) == [[1, 0, 0], [1, 0, 0], [0.5, 0, 0.5]]


NEIGHBORS = """
import emlearn_neighbors
import array

model = emlearn_neighbors.new(100, 3, {k})
item = array.array('h', [0, 0, 0])
for row, label in {known}:
    index = model.additem(array.array('h', row), label)
    model.getitem(index, item)
    assert list(item) == row
answers = []
for row in {rows}:
    label = model.predict(array.array('h', row))
    answers.append((label, [model.getresult(i) for i in range({n})]))
print(answers)
"""


@pytest.mark.parametrize("k", [1, 5])
def test_neighbors_are_those_of_scikit_learn(run: Run, k: int) -> None:
    random = np.random.default_rng(8)
    known = random.integers(-32768, 32767, (40, 3)).astype(np.int16)
    y = random.integers(0, 30, 40)
    rows = random.integers(-32768, 32767, (12, 3)).astype(np.int16)
    model = KNeighborsClassifier(k, algorithm="brute").fit(known.astype(float), y)
    away, order = model.kneighbors(rows.astype(float), 40)
    items = list(zip(known.tolist(), y.tolist(), strict=True))
    got = run(NEIGHBORS.format(k=k, n=40, known=items, rows=rows.tolist()))
    assert [label for label, _ in got] == model.predict(rows.astype(float)).tolist()
    for (_, ranked), distances, indices in zip(got, away, order, strict=True):
        expected = zip(indices, np.floor(distances), y[indices], strict=True)
        assert ranked == [tuple(int(v) for v in row) for row in expected]


def test_neighbors_at_the_ends_of_the_range_are_told_apart(run: Run) -> None:
    known = [([-32768] * 3, 3), ([32767, 32767, 32766], 1), ([32767] * 3, 2), ([32767] * 3, 1)]
    got = run(NEIGHBORS.format(k=1, n=4, known=known, rows=[[32767] * 3]))
    far = int(np.sqrt(3 * 65535.0**2))
    assert got == [(2, [(2, 0, 2), (3, 0, 1), (1, 1, 1), (0, far, 3)])]


LINREG = """
import emlearn_linreg
import array

model = emlearn_linreg.new({features}, {alpha}, {l1_ratio}, {rate})
X = array.array('f', {rows})
y = array.array('f', {y})
one = array.array('f', X)[:{features}]
ended = emlearn_linreg.train(model, X, y, max_iterations={steps}, tolerance={tolerance})
weights = array.array('f', [0] * model.get_n_features())
model.get_weights(weights)
said = array.array('f', [model.get_bias(), model.predict(one), model.score_mse(X, y)])
model.set_weights(array.array('f', [2] * {features}))
model.set_bias(7)
constant = model.predict(array.array('f', [0] * {features}))
print([ended[0], bytes(weights), bytes(said), constant])
"""


def float32_steps(
    rows: np.ndarray, y: np.ndarray, steps: int, alpha: Any, l1: Any, rate: Any
) -> tuple[np.ndarray, Any]:
    """The same descent in NumPy, each operation rounded to float32."""
    one, n = np.float32(1), np.float32(len(y))
    alpha, l1, rate = np.float32(alpha), np.float32(l1), np.float32(rate)
    weights, bias = np.zeros(rows.shape[1], np.float32), np.float32(0)
    for _ in range(steps):
        gradient, bias_gradient = np.zeros_like(weights), np.float32(0)
        for row, target in zip(rows, y, strict=True):
            said = bias
            for w, x in zip(weights, row, strict=True):
                said = said + w * x
            bias_gradient = bias_gradient + (said - target)
            gradient = gradient + (said - target) * row
        moved = weights - rate * (gradient / n + (alpha * (one - l1)) * weights)
        away = np.maximum(np.abs(moved) - alpha * l1 * rate, np.float32(0))
        weights = np.copysign(away, moved)
        bias = bias - rate * (bias_gradient / n)
    return weights, bias


def regression() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(9)
    rows = random.normal(size=(30, 3)).astype(np.float32)
    return rows, (rows @ [2.0, -1.0, 0.0] + 0.5).astype(np.float32)


def linreg(rows: np.ndarray, y: np.ndarray, **settings: Any) -> str:
    return LINREG.format(features=rows.shape[1], rows=rows.tobytes(), y=y.tobytes(), **settings)


def test_linear_regression_has_the_bits_of_numpys_float32(run: Run) -> None:
    rows, y = regression()
    settings = {"alpha": 0.05, "l1_ratio": 0.5, "rate": 0.1}
    got = run(linreg(rows, y, **settings, steps=15, tolerance=0))
    weights, bias = float32_steps(rows, y, 15, 0.05, 0.5, 0.1)
    assert got[0] == 14
    np.testing.assert_array_equal(np.frombuffer(got[1], np.float32), weights)
    assert (np.frombuffer(got[2], np.float32)[0], got[3]) == (bias, 7.0)


def test_linear_regression_ends_where_scikit_learns_does(run: Run) -> None:
    rows, y = regression()
    expected = ElasticNet(alpha=0.05, l1_ratio=0.5, tol=1e-6).fit(rows, y)
    settings = {"alpha": 0.05, "l1_ratio": 0.5, "rate": 0.1}
    ended, weights, said, _ = run(linreg(rows, y, **settings, steps=800, tolerance=1e-9))
    bias, first, error = np.frombuffer(said, np.float32)
    assert 20 < ended < 799
    np.testing.assert_allclose(np.frombuffer(weights, np.float32), expected.coef_, atol=2e-4)
    assert bias == pytest.approx(expected.intercept_, abs=2e-4)
    assert first == pytest.approx(expected.predict(rows[:1])[0], abs=1e-3)
    assert error == pytest.approx(np.mean((expected.predict(rows) - y) ** 2), rel=1e-2)


def test_training_that_diverges_or_is_good_enough_ends_early(run: Run) -> None:
    rows, y = regression()
    assert run(linreg(rows, y, alpha=0, l1_ratio=0, rate=9.0, steps=500, tolerance=0))[0] == 10
    program = linreg(rows, y, alpha=0, l1_ratio=0, rate=0.1, steps=500, tolerance=0)
    assert run(program.replace("tolerance=0", "score_limit=100.0"))[0] == 0


FFT = """
import emlearn_fft
import array

fft = emlearn_fft.FFT({n})
emlearn_fft.fill(fft, {n})
real = array.array('f', {real})
imag = array.array('f', {imag})
fft.run(real, imag)
print([bytes(real), bytes(imag)])
"""


@pytest.mark.parametrize("n", [2, 4, 8, 128, 512])
def test_fourier_transform_is_numpys(run: Run, n: int) -> None:
    random = np.random.default_rng(n)
    real, imag = random.normal(size=(2, n)).astype(np.float32)
    said = run(FFT.format(n=n, real=real.tobytes(), imag=imag.tobytes()))
    got = [np.frombuffer(part, np.float32) for part in said]
    expected = np.fft.fft(real.astype(float) + 1j * imag)
    np.testing.assert_allclose(got[0] + 1j * got[1], expected, atol=1e-5 * np.sqrt(n))


def test_fourier_transform_takes_tables_of_its_own(run: Run) -> None:
    program = FFT.format(n=4, real=[1.0, 2.0, 3.0, 4.0], imag=[0.0] * 4)
    tables = "fft.fill(array.array('f', [0, 1]), array.array('f', [1, 0]))"
    said = run(program.replace("emlearn_fft.fill(fft, 4)", tables))
    got = [np.frombuffer(part, np.float32).tolist() for part in said]
    assert got == [[10, -2, -2, -2], [0, 2, 0, -2]]


IIR = """
import emlearn_iir
import array

filter = emlearn_iir.new(array.array('f', {coefficients}))
out = []
for part in {parts}:
    values = array.array('f', part)
    filter.run(values)
    out.append(bytes(values))
print(b''.join(out))
"""


def test_filter_is_scipys_over_all_parts_of_a_signal(run: Run) -> None:
    sections = np.float32(signal.butter(4, [0.05, 0.2], "bandpass", output="sos"))
    x = np.random.default_rng(4).normal(size=200).astype(np.float32)
    parts = [part.tobytes() for part in (x[:70], x[:0], x[70:71], x[71:])]
    said = run(IIR.format(coefficients=sections.tobytes(), parts=parts))
    got = np.frombuffer(said, np.float32)
    # scipy calculates in float64; float32 leaves six digits of the largest value
    np.testing.assert_allclose(got, signal.sosfilt(sections.astype(float), x), atol=1e-5)


LINEAR_MAP = """
from emlearn_arrayutils import linear_map
import array

whole = array.array('h', {whole})
floats = array.array('f', whole)
linear_map(whole, floats, {there})
back = array.array('h', whole)
linear_map(floats, back, {back})
print([bytes(floats), list(back)])
"""


def test_linear_map_goes_there_and_back(run: Run) -> None:
    whole = [-32768, -32767, -1000, -1, 0, 1, 999, 16384, 32767]
    there, back = "-32768, 32768, -1.0, 1.0", "-1.0, 1.0, -32768, 32768"
    got = run(LINEAR_MAP.format(whole=whole, there=there, back=back))
    floats = np.frombuffer(got[0], np.float32)
    np.testing.assert_array_equal(floats, np.float32(whole) / np.float32(32768))
    assert got[1] == whole


def test_linear_map_truncates_saturates_and_may_fall(run: Run) -> None:
    program = LINEAR_MAP.format(
        whole=[-50, 0, 3, 7, 50], there="0, 10, 1.0, -1.0", back="-1.0, 1.0, -99999, 99.9"
    )
    said, back = run(program)
    floats = np.frombuffer(said, np.float32)
    np.testing.assert_allclose(floats, [1.0, 1.0, 0.4, -0.4, -1.0], rtol=1e-6)
    mapped = (floats + 1) * 50049.45 - 99999
    assert back == np.trunc(np.clip(mapped, -32768, 99.9)).astype(int).tolist()


FILES = """
import emlearn_trees, array, io
x = array.array('h', [0, 5, -7, 1])
def outcome(text):
    model = emlearn_trees.new(10, 60, 10)
    try:
        emlearn_trees.load_model(model, io.StringIO(text))
    except ValueError:
        try:
            model.outputs()
        except ValueError:
            return 0
        return 9
    out = array.array('f', [0] * model.outputs())
    try:
        model.predict(x, out)
    except ValueError:
        return 1
    return 2 if abs(sum(out) - 1) < 1e-5 else 9
"""


def small_csv(folder: Path) -> str:
    random = np.random.default_rng(1)
    rows = random.integers(-20, 20, (80, 4)).astype(np.int16)
    forest = RandomForestClassifier(3, max_depth=2, random_state=4)
    return saved(forest.fit(rows, rows[:, 0] > rows[:, 1]), folder).decode()


def test_a_file_that_is_cut_short_is_refused_wherever_it_is_cut(run: Run, tmp_path: Path) -> None:
    text = small_csv(tmp_path)
    program = f"text = {text!r}\nprint([outcome(text[:n]) for n in range(len(text) + 1)])"
    assert run(FILES + program) == [0] * len(text) + [2]


def mutants(text: str, n: int) -> Iterator[str]:
    random = np.random.default_rng(12)
    for _ in range(n):
        changed = list(text)
        for _ in range(random.integers(1, 4)):
            at = int(random.integers(len(changed)))
            what = random.choice(list("0123456789-,.nrlfce\n é"))
            changed[at : at + int(random.integers(0, 2))] = [what]
        yield "".join(changed)


def test_a_damaged_file_is_refused_or_another_whole_model(run: Run, tmp_path: Path) -> None:
    text = small_csv(tmp_path)
    got = run(f"{FILES}print([outcome(t) for t in {list(mutants(text, 250))}])")
    assert {0, 2} <= set(got) <= {0, 1, 2}  # 1: another number of features
    assert got.count(0) > 60


ALONE = "f,4\nc,2\nl,0\nl,1\n"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("r,0\nn,0,5.0,0,-1", "a decision leads to itself"),
        ("r,0\nn,0,5.0,1,1\nn,0,5.0,-1,-2", "a decision is reached twice"),
        ("r,0\nr,0\nn,0,5.0,-1,-2", "a decision is reached twice"),
        ("r,0\nn,0,5.0,-1,-2\nn,0,5.0,-1,-2", "a decision belongs to no tree"),
        ("r,0\nn,0,5.0,-1,1", "a decision is missing"),
        ("r,3\nn,0,5.0,-1,-2", "a decision is missing"),
        ("r,0\nn,0,5.0,-1,-3", "a leaf is missing"),
        ("r,-3", "a leaf is missing"),
        ("r,0\nn,4,5.0,-1,-2", "a decision compares a feature that does not exist"),
        ("r,0\nn,-1,5.0,-1,-2", "line 6: a number is out of its range"),
        ("l,2\nr,-3", "a leaf names a class that does not exist"),
        ("l,[255 0]\nr,-3", "line 5: not a whole number"),
        ("lb,8\nr,-1", "line 5: leaf_bits is not 0: convert with leaf_bits=0"),
        ("r,0\nn,0,nan,-1,-2", "line 6: not a whole number"),
        ("r,0\nn,0,1e9,-1,-2", "line 6: not a whole number"),
        ("r,0\nn,0,32768.0,-1,-2", "line 6: a number is out of its range"),
        ("r,0\nn,0,5.0,-1", "line 6: not a line of a model"),
        ("x,0", "line 5: not a line of a model"),
        ("f,4", "line 5: a second line of this kind"),
        ("r,70000", "line 5: a number is out of its range"),
        ("r,0\nr,0\nr,0", "line 7: more trees than max_trees"),
        ("l,0\nl,0", "line 6: more leaves than max_leaves"),
        ("n,0,1.0,1,1\n" * 4, "line 8: more decisions than max_nodes"),
        ("", "the model is not loaded"),
    ],
)
def test_files_that_are_no_forest_are_refused_with_the_reason(
    on_unix: Path, lines: str, said: str
) -> None:
    program = f"""
import emlearn_trees, io
model = emlearn_trees.new(2, 3, 3)
try:
    emlearn_trees.load_model(model, io.StringIO({ALONE + lines!r}))
except ValueError as error:
    print([str(error)])
emlearn_trees.load_model(model, io.BytesIO(b'f,4\\r\\nc,2\\r\\nl,0\\r\\nr,-1\\r\\n'))
"""
    assert printed(unix.run(program, on_unix)) == [said]


def test_thresholds_near_zero_are_read_as_numpy_writes_them(run: Run) -> None:
    """1e-05: left at 0; -1e-05: right at 0, left at -1."""
    text = ALONE + "r,0\nr,1\nr,2\nn,0,1e-05,-1,-2\nn,0,-1e-05,-1,-2\nn,0,-0.5,-1,-2"
    got = run(TREES.format(rows=[[v, 0, 0, 0] for v in (-1, 0, 1)]), {"model.csv": text.encode()})
    np.testing.assert_allclose(got, [[1, 0], [1 / 3, 2 / 3], [0, 1]], rtol=1e-6)


CALLS = """
import emlearn_trees, emlearn_neighbors, emlearn_linreg, emlearn_fft, emlearn_iir, io
from emlearn_arrayutils import linear_map
from array import array

def prepare():
    global H3, F3, F8, trees, empty, near, line, fft, other, iir
    H3, F3, F8 = array('h', [1, 2, 3]), array('f', [1, 2, 3]), array('f', [1] * 8)
    trees = emlearn_trees.new(2, 3, 3)
    emlearn_trees.load_model(trees, io.StringIO('f,3\\nc,2\\nl,1\\nr,0\\nn,2,5.5,-1,-1'))
    empty = emlearn_trees.new(9, 9, 9)
    near = emlearn_neighbors.new(4, 3, 1)
    near.additem(H3, 1)
    near.predict(H3)
    line = emlearn_linreg.new(3, 0.1, 0.5, 0.1)
    fft = emlearn_fft.FFT(8)
    other = emlearn_fft.FFT(8)
    emlearn_fft.fill(fft, 8)
    iir = emlearn_iir.new(array('f', [1, 0, 0, 1, 0, 0]))
prepare()
huge = 1 << 40
def call(text):
    try:
        eval(text)
    except Exception as error:
        return type(error).__name__
    return 'none'
def calls(place, values):
    prepare()
    return [call(place.format(value)) for value in values]
"""

# What every place takes; anything else in its stead raises.
PLACES = [
    ("emlearn_trees.new({}, 5, 5)", "int"),
    ("emlearn_trees.new(5, {}, 5)", "int"),
    ("emlearn_trees.new(5, 5, {})", "int"),
    ("emlearn_trees.load_model({}, io.StringIO(''))", ""),
    ("emlearn_trees.load_model(emlearn_trees.new(1, 1, 1), {})", ""),
    ("empty.setdata({}, 2)", "int"),
    ("empty.setdata(2, {})", "int"),
    ("empty.addroot({})", "int zero negative"),
    ("empty.addnode({}, -1, 0, 0)", "int zero negative"),
    ("empty.addnode(-1, {}, 0, 0)", "int zero negative"),
    ("empty.addnode(-1, -1, {}, 0)", "int zero"),
    ("empty.addnode(-1, -1, 0, {})", "int zero negative"),
    ("empty.addleaf({})", "int zero"),
    ("trees.predict({}, array('f', [0, 0]))", "H3"),
    ("trees.predict(H3, {})", ""),
    ("empty.predict({}, array('f', [0, 0]))", ""),
    ("emlearn_neighbors.new({}, 3, 1)", "int bool"),
    ("emlearn_neighbors.new(4, {}, 1)", "int bool"),
    ("emlearn_neighbors.new(4, 3, {})", "int bool"),
    ("near.additem({}, 1)", "H3"),
    ("near.additem(H3, {})", "int zero bool"),
    ("near.getitem({}, array('h', [0, 0, 0]))", "zero"),
    ("near.getitem(0, {})", "H3"),
    ("near.predict({})", "H3"),
    ("near.getresult({})", "zero"),
    ("emlearn_linreg.new({}, 0.1, 0.5, 0.1)", "int bool"),
    ("emlearn_linreg.new(3, {}, 0.5, 0.1)", "int zero float bool huge"),
    ("emlearn_linreg.new(3, 0.1, {}, 0.1)", "zero float bool"),
    ("emlearn_linreg.new(3, 0.1, 0.5, {})", "int float bool huge"),
    ("line.predict({})", "F3"),
    ("line.step({}, array('f', [1]))", "F3"),
    ("line.step(F3, {})", ""),
    ("line.score_mse({}, array('f', [1]))", "F3"),
    ("line.score_mse(F3, {})", ""),
    ("line.get_weights({})", "F3"),
    ("line.set_weights({})", "F3"),
    ("emlearn_linreg.train(line, {}, array('f', [1]))", "F3"),
    ("emlearn_linreg.train(line, F3, array('f', [1]), {})", "int huge"),
    ("emlearn_fft.FFT({})", ""),
    ("emlearn_fft.fill({}, 8)", ""),
    ("emlearn_fft.fill(fft, {})", ""),
    ("fft.fill({}, array('f', [1] * 4))", ""),
    ("fft.run({}, array('f', [1] * 8))", "F8"),
    ("fft.run(array('f', [1] * 8), {})", "F8"),
    ("other.run({}, F8)", ""),
    ("emlearn_iir.new({})", ""),
    ("iir.run({})", "F3 F8 empty_f"),
    ("linear_map({}, F3, 0, 1, 0, 1)", "H3"),
    ("linear_map(H3, {}, 0, 1, 0, 1)", "F3"),
    ("linear_map(F3, {}, 0, 1, 0, 1)", "H3"),
    ("linear_map(H3, F3, {}, 1, 0, 1)", "zero int negative float huge"),
    ("linear_map(H3, F3, 0, {}, 0, 1)", "int negative float bool huge"),
    ("linear_map(H3, F3, 0, 1, {}, 1)", "zero int negative float bool huge"),
    ("linear_map(H3, F3, 0, 1, 0, {})", "zero int negative float bool huge"),
]

VALUES = {
    "int": "3",
    "zero": "0",
    "negative": "-1",
    "float": "0.5",
    "bool": "True",
    "H3": "array('h', [1, 2, 3])",
    "F3": "array('f', [1, 2, 3])",
    "F8": "array('f', [1] * 8)",
    "empty_f": "array('f')",
    "empty_h": "array('h')",
    "short": "array('h', [1, 2])",
    "long": "array('h', [1, 2, 3, 4])",
    "unsigned": "array('H', [1, 2, 3])",
    "words": "array('i', [1, 2, 3])",
    "bytes": "b'123456'",
    "bytearray": "bytearray(12)",
    "readonly": "memoryview(b'123456789012')",
    "none": "None",
    "text": "'3'",
    "list": "[1, 2, 3]",
    "huge": "huge",
    "nan": "float('nan')",
    "object": "object()",
}


def test_every_wrong_argument_raises_and_every_right_one_does_not(run: Run) -> None:
    places, values = [place for place, _ in PLACES], list(VALUES.values())
    got = run(f"{CALLS}print([calls(place, {values!r}) for place in {places!r}])")
    wrong = []
    for (place, takes), said in zip(PLACES, got, strict=True):
        for name, outcome in zip(VALUES, said, strict=True):
            right = {"none"} if name in takes.split() else {"ValueError", "TypeError"}
            if outcome not in right:
                wrong.append((place.format(VALUES[name]), outcome))
    assert wrong == [], wrong


NOT_HEAP = """
import micropython
out = array('f', [0, 0])
near.additem(H3, 1)
trees.predict(H3, out)
emlearn_fft.fill(fft, 8)
def work():
    trees.predict(H3, out)
    near.predict(H3)
    line.step(F3, one)
    fft.run(F8, F8)
    iir.run(F8)
    linear_map(H3, F3, -5, 5, 0, 1)
    linear_map(F3, H3, 0, 1, -5, 5)
one = array('f', [1])
work()
micropython.heap_lock()
work()
micropython.heap_unlock()
print(1)
"""


def test_what_runs_over_and_over_allocates_nothing(run: Run) -> None:
    assert run(CALLS + NOT_HEAP) == 1


FULL = """
import gc, emlearn_trees, emlearn_neighbors, emlearn_linreg, emlearn_fft, emlearn_iir
from array import array
coefficients = array('f', [1, 0, 0, 1, 0, 0] * 20)
lines = ['f,3', 'c,2', 'l,1', 'l,0']
lines += ['r,%d' % i for i in range(0, 60, 3)]
lines += ['n,2,5.5,1,2', 'n,1,-3.5,-1,-2', 'n,0,1.5,-2,-1'] * 20
x, out = array('h', [1, 2, 3]), array('f', [0, 0])
def trees():
    model = emlearn_trees.new(20, 60, 2)
    emlearn_trees.load_model(model, lines)
    model.predict(x, out)
def neighbors():
    model = emlearn_neighbors.new(100, 3, 1)
    model.additem(x, 1)
    model.predict(x)
def fft():
    emlearn_fft.fill(emlearn_fft.FFT(512), 512)
makers = (trees, neighbors, fft, lambda: emlearn_linreg.new(300, 0.1, 0.5, 0.1),
    lambda: emlearn_iir.new(coefficients))
seen = [0] * 10
held = [None] * 3000
def fill():
    n = 0
    size = 65536
    while size >= 32 and n < len(held):
        try:
            held[n] = bytearray(size)
            n += 1
        except MemoryError:
            size //= 2
def give_back():
    for i in range(len(held)):
        held[i] = None
    gc.collect()
for rest in range(100, 16000, 795):
    for i, make in enumerate(makers):
        gc.collect()
        free = bytearray(rest)
        fill()
        free = None
        gc.collect()
        try:
            make()
            seen[2 * i] += 1
        except MemoryError:
            seen[2 * i + 1] += 1
        give_back()
for make in makers:
    make()
print(seen)
"""


def test_a_full_heap_raises_memory_error_and_then_all_works_again(run: Run) -> None:
    seen = run(FULL)
    assert sum(seen) == 100, seen
    assert all(fitted > 0 for fitted in seen[::2]), seen
    assert all(refused > 0 for refused in seen[1::2])


def test_numbers_of_the_data_file_are_those_of_the_engine() -> None:
    header = resource("modules", "core", "trees", "wd_trees.h").read_text(encoding="utf-8")
    ours = resource("modules", "compat", "emlearn_trees.py").read_text(encoding="utf-8")
    defined = dict(re.findall(r"#define WD_TREES_(\w+) (\w+)", header))
    stated = dict(re.findall(r"^_(\w+) = const\((\w+)\)", ours, re.MULTILINE))
    named = set(stated) & set(defined)
    assert named == {"VERSION", "WIDE", "LEFT_NEXT", "NARROW_LEAF", "WIDE_LEAF", "INFO_TEXTS"} | {
        "MAX_CLASSES",
        "MAX_NARROW_FEATURES",
    }
    assert {n: int(stated[n], 0) for n in named} == {n: int(defined[n], 0) for n in named}
    assert int(stated["ROOT_LEAF"], 0) == 1 << int(defined["ROOT_LEAF_BIT"])
