"""wedau tune: the model it writes, the budget it keeps, and where it runs."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import samples
from outcomes import Refused, Wedau, contents, refusal

from wedau import cli
from wedau.build.simboard import SimFirmware
from wedau.train.model import TrainedModel

BUDGET = 450
NATIVE = ["--budget-instructions", str(BUDGET), "--budget-flash", "9000", "--trials", "16"]
DATA = ["--trials", "6", "--format", "data"]
_PATIENCE_S = 60.0


def noisy(path: Path) -> Path:
    """A table that small models tell worse apart than large ones."""
    samples.table(path, 150)
    rows = path.read_text(encoding="utf-8").splitlines()
    for i in range(1, len(rows), 7):
        cells, other = rows[i].split(","), rows[1 + (i + 3) % 150].split(",")
        rows[i] = ",".join([*cells[:-1], other[-1]])
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def tuned(sim_firmware: SimFirmware, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that was searched for within a budget."""
    folder = tmp_path_factory.mktemp("tuned")
    data = noisy(folder / "data.csv")
    kinds = ["--models", "random-forest,logistic,decision-tree"]
    assert cli.run(["tune", str(data), "-o", str(folder / "saw"), *NATIVE, *kinds]) == 0
    return folder / "saw"


@pytest.fixture
def table(place: Path) -> Path:
    return samples.table(place / "data.csv", 90)


def test_the_model_keeps_the_budget_when_it_is_built(tuned: Path, wedau: Wedau) -> None:
    search = json.loads((tuned / "tuning.json").read_text("utf-8"))
    chosen = search["points"][search["chosen"]]
    budget = [f"--budget-instructions={chosen['instructions']}"]
    budget.append(f"--budget-flash={chosen['flash_bytes']}")
    outcome = wedau("build", tuned, *budget, "--json")
    assert outcome.code == 0, outcome.err
    build = json.loads(outcome.out)["builds"][0]
    assert build["instructions_worst_bound"] == chosen["instructions"] <= BUDGET
    assert build["flash_bytes"] == chosen["flash_bytes"] <= 9000
    assert build["instructions_mean"] == chosen["instructions_mean"]


def test_what_is_more_accurate_was_over_the_budget(tuned: Path) -> None:
    search = json.loads((tuned / "tuning.json").read_text("utf-8"))
    chosen = search["points"][search["chosen"]]
    better = [p for p in search["points"] if (p["accuracy"] or 0) > chosen["accuracy"]]
    for each in better:
        known = each["instructions"] or each["instructions_estimated"]
        size = each["flash_bytes"] or each["flash_bytes_estimated"]
        assert known > BUDGET or size > 9000 or each["refused"]
    assert len(search["points"]) == 16
    assert any(p["instructions_estimated"] > BUDGET for p in search["points"])


def test_estimates_are_near_what_is_measured(tuned: Path) -> None:
    search = json.loads((tuned / "tuning.json").read_text("utf-8"))
    off = search["estimate_off_at_most"]
    assert 0 <= off["instructions"] < 0.25
    assert 0 <= off["flash_bytes"] < 0.15


def test_the_card_and_the_report_tell_the_same(tuned: Path) -> None:
    model = TrainedModel.load(tuned)
    search = json.loads((tuned / "tuning.json").read_text("utf-8"))
    chosen = search["points"][search["chosen"]]
    assert model.card.family == chosen["model"]
    assert len(model.card.features) == chosen["n_features"]
    assert model.card.metrics["search"] == {
        "trials": 16,
        "accuracy_search": chosen["accuracy"],
        "accuracy_aside": model.card.metrics["held_out"]["accuracy"],
    }
    assert search["judgement"]["rows"] == len(model.held_out.y)


def test_a_budget_that_nothing_keeps_names_the_cheapest(table: Path, refused: Refused) -> None:
    refusal = refused("tune", "data.csv", "-o", "saw", *DATA, "--budget-flash", "300", code=4)
    assert refusal.error.startswith("none of the 6 trials is within the budget; the cheapest is ")
    assert "bytes (estimated); nothing was written" in refusal.error
    assert "relax it to --budget-flash " in refusal.hint


def test_the_relaxed_budget_is_enough(table: Path, refused: Refused, wedau: Wedau) -> None:
    refusal = refused("tune", "data.csv", "-o", "saw", *DATA, "--budget-flash", "300", code=4)
    enough = refusal.hint.split("--budget-flash ")[1].split(",")[0]
    assert wedau("tune", "data.csv", "-o", "saw", *DATA, "--budget-flash", enough).code == 0


def test_without_a_compiler_data_files_are_searched_for(
    table: Path, wedau: Wedau, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    outcome = wedau("tune", "data.csv", "-o", "saw", "--trials", "4", "--jobs", "1", "--json")
    assert outcome.code == 0, outcome.err
    assert "instructions are estimated" in outcome.err
    document = json.loads(outcome.out)
    chosen = document["points"][document["chosen"]]
    assert document["format"] == "data"
    assert chosen["instructions"] is None
    assert chosen["instructions_estimated"] > 0
    built = wedau("build", "saw", "--format", "data", "--budget-flash", chosen["flash_bytes"])
    assert built.code == 0, built.err


def test_recordings_are_searched_with_their_windows(place: Path, wedau: Wedau) -> None:
    (place / "data").mkdir()
    for number in range(12):
        rows = [[*row, samples.LABELS[number % 3]] for row in samples.recording(number)]
        samples.write(place / "data" / f"r{number}.csv", ["t_ms", "ax", "ay", "label"], rows)
    more = ["--time", "t_ms", "--window-ms", "640", *DATA, "--jobs", "1", "--json"]
    outcome = wedau("tune", "data", "-o", "saw", *more)
    assert outcome.code == 0, outcome.err
    document = json.loads(outcome.out)
    assert {p["window_ms"] for p in document["points"]} <= {640.0, 426.667, 320.0}
    model, chosen = TrainedModel.load(Path("saw")), document["points"][document["chosen"]]
    assert model.card.recipe
    assert model.card.recipe.length == round(chosen["window_ms"] * samples.RATE_HZ / 1000)
    assert model.card.settings["window_ms"] == chosen["window_ms"]


def test_a_new_training_forgets_the_search(table: Path, wedau: Wedau) -> None:
    assert wedau("tune", "data.csv", "-o", "saw", *DATA, "--jobs", "1").code == 0
    assert Path("saw/tuning.html").exists()
    assert wedau("train", "data.csv", "-o", "saw", "--trees", "3").code == 0
    assert not list(Path("saw").glob("tuning.*"))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Dask scheduler and two workers, each a process; yields the scheduler's address."""
    place = tmp_path_factory.mktemp("cluster")
    file = place / "scheduler.json"
    common = ["--scheduler-file", str(file), "--no-dashboard"]
    parts = [["scheduler", "--host", "127.0.0.1", "--port", "0", *common]]
    own = ["--nthreads", "1", "--no-nanny", "--local-directory", str(place)]
    parts += [["worker", "--host", "127.0.0.1", *own, *common]] * 2
    with (place / "log").open("wb") as log:
        running = [
            subprocess.Popen([sys.executable, "-m", "dask", *part], stdout=log, stderr=log)
            for part in parts
        ]
        try:
            end = time.monotonic() + _PATIENCE_S
            while not file.exists():
                assert time.monotonic() < end, (place / "log").read_text()
                time.sleep(0.1)
            yield json.loads(file.read_text())["address"]
        finally:
            for process in running:
                process.kill()  # a worker that looks for its scheduler heeds nothing else
                process.wait(_PATIENCE_S)


def test_a_dask_cluster_finds_the_same_bytes(cluster: str, table: Path, wedau: Wedau) -> None:
    from distributed import Client

    on_dask = ["--backend", "dask", "--scheduler", cluster]
    with Client(cluster, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=_PATIENCE_S)
        before = client.run(lambda dask_worker: dask_worker.state.executed_count)
        assert wedau("tune", "data.csv", "-o", "dask/saw", *DATA, *on_dask).code == 0
        after = client.run(lambda dask_worker: dask_worker.state.executed_count)
    done = [after[worker] - before[worker] for worker in before]
    assert len(done) == 2
    assert all(done), "a worker had nothing to do"
    assert sum(done) >= 6
    for jobs in (1, 2):
        assert wedau("tune", "data.csv", "-o", f"{jobs}/saw", *DATA, "--jobs", jobs).code == 0
        assert contents(Path(f"{jobs}/saw")) == contents(Path("dask/saw"))


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (["--backend", "dask"], "--backend dask and --scheduler go together"),
        (["--scheduler", "tcp://127.0.0.1:1"], "--backend dask and --scheduler go together"),
        (["--jobs", "0"], "--jobs 0 would do nothing"),
        (["--models", "linear"], "linear is a model for numbers"),
        (["--models", ","], "--models names no kind of model"),
        (["--models", "mlp"], "mlp cannot be a data file"),
        (["--trials", "0"], "invalid value for '--trials'"),
        (
            ["--backend", "dask", "--scheduler", "nowhere"],
            "no Dask scheduler answers at nowhere",
        ),
    ],
)
def test_wrong_options_are_refused(
    table: Path, refused: Refused, args: list[str], error: str
) -> None:
    refusal = refused("tune", "data.csv", "-o", "saw", "--format", "data", *args, code=2)
    assert refusal.error.startswith(error)


def test_an_interrupted_search_leaves_nothing(place: Path) -> None:
    samples.table(place / "data.csv", 90)
    before = contents(place)
    (place.parent / "tmp").mkdir()
    command = ["tune", "data.csv", "-o", "saw", "--trials", "5000", "--format", "data"]
    process = subprocess.Popen(
        [sys.executable, "-m", "wedau", *command, "--jobs", "2"],
        cwd=place,
        env=os.environ | {"TMPDIR": str(place.parent / "tmp")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C goes to all processes of a terminal
    )
    assert process.stderr
    assert process.stderr.readline().startswith("reading")
    time.sleep(5)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert refusal(err).error == "interrupted"
    assert contents(place) == before
    assert contents(place.parent / "tmp") == {}
