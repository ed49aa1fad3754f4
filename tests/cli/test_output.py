"""Where output goes, and that it suits pipes, files, narrow terminals and old code pages."""

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import samples
from outcomes import Wedau, refusal

from wedau.cli import console
from wedau.convert import code, module
from wedau.train.model import TrainedModel

COMMAND = [sys.executable, "-m", "wedau"]


def environment(**changes: str) -> dict[str, str]:
    """This process's environment, without what decides about colours and encodings."""
    decide = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM", "LC_ALL", "PYTHONIOENCODING")
    return {k: v for k, v in os.environ.items() if k not in decide} | changes


def train(place: Path, *more: str, **changes: str) -> "subprocess.CompletedProcess[bytes]":
    if not (place / "data.csv").exists():
        samples.table(place / "data.csv")
    return subprocess.run(
        [*COMMAND, "train", "data.csv", "-o", "saw", "--trees", "3", *more],
        cwd=place,
        env=environment(**changes),
        capture_output=True,
        timeout=120,
        check=False,
    )


def test_results_go_to_stdout_and_progress_to_stderr(place: Path) -> None:
    done = train(place, LC_ALL="C.UTF-8")
    out, err = done.stdout.decode(), done.stderr.decode()
    assert done.returncode == 0
    assert [line.split()[0] for line in out.splitlines()] == [
        *["Classes", "Rows", "Model", "Accuracy", "next:"]
    ]
    assert "cutting, idle, läuft" in out
    assert "reading data.csv" in err
    assert "\x1b" not in out + err


@pytest.mark.parametrize(
    "changes", [{"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}]
    + [{"PYTHONIOENCODING": code} for code in ("cp1252", "cp1251")],
)  # fmt: skip
def test_labels_survive_every_code_page(place: Path, changes: dict[str, str]) -> None:
    done = train(place, **changes)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(b"error") == 0
    encoding = changes.get("PYTHONIOENCODING", "ascii")
    expected = "läuft" if encoding == "cp1252" else r"l\xe4uft"
    assert expected in done.stdout.decode(encoding)
    document = train(place, "--json", **changes)
    assert json.loads(document.stdout.decode(encoding))["labels"] == ["cutting", "idle", "läuft"]


def test_an_error_survives_every_code_page(place: Path) -> None:
    samples.edit(samples.table(place / "data.csv"), 7, "noise", "größer")
    done = train(place, PYTHONIOENCODING="ascii")
    assert done.returncode == 1
    said = refusal(done.stderr.decode("ascii"))
    assert said.error == r"data.csv: row 7, column noise: 'gr\xf6\xdfer' is not a number"


def test_json_is_one_document_on_stdout(place: Path) -> None:
    done = train(place, "--json", PYTHONWARNINGS="always", LC_ALL="C.UTF-8")
    assert done.returncode == 0
    assert json.loads(done.stdout)["name"] == "saw"
    assert "läuft" in done.stdout.decode()


def test_json_holds_no_nan(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        console.print_json({"accuracy": float("nan")})
    assert capsys.readouterr().out == ""


def test_a_long_value_stays_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    path = "/a/very/long/path" * 20 + "/report.html"
    console.print_rows([("Report", path), ("Größe", "[bold]1[/] B"), ("高さ", "2")])
    assert capsys.readouterr().out == f"Report  {path}\nGröße   [bold]1[/] B\n高さ    2\n"


def test_brackets_and_colons_in_names_are_no_markup(wedau: Wedau, place: Path) -> None:
    name = "[red]saw :cat: 1[2]"
    samples.table(place / f"{name}.csv")
    done = wedau("train", f"{name}.csv", "-o", name, "--name", "saw", "--trees", "3")
    assert done.code == 0
    assert f"reading {name}.csv\n" in done.err
    assert done.out.endswith(f"\nnext: wedau build {name}\n")
    assert f"error: {name}/x is not a model folder" in wedau("build", f"{name}/x").err


def test_an_error_is_one_line_and_moves_no_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    console.complain("it failed:\n  first\n\nlast \x1b[2J", "see [here]")
    assert capsys.readouterr().err == (
        "error: it failed:; first; last \\x1b[2J\nhint: see [here]\n"
    )


def on_terminal(*command: str, **changes: str) -> str:
    """What a command prints when stdout is a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, *command],
        env=environment(LC_ALL="C.UTF-8", **changes),
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs)
    seen = b""
    with contextlib.suppress(OSError):  # raised when the other end is closed
        while piece := os.read(ours, 4096):
            seen += piece
    os.close(ours)
    assert process.wait() == 0
    return seen.decode().replace("\r\n", "\n")


def test_a_terminal_gets_emphasis(place: Path) -> None:
    data, model = str(samples.table(place / "data.csv")), str(place / "saw")
    command = ("-m", "wedau", "train", data, "-o", model, "--trees", "3")
    shown = on_terminal(*command, TERM="xterm-256color")
    assert "\x1b[1mClasses\x1b[0m" in shown
    assert "cutting, idle, läuft\n" in shown


_ROWS = "from wedau.cli import console; console.print_rows([('Report', 'report/' * 20)])"


def test_a_terminal_gets_no_colour_where_it_is_not_wanted() -> None:
    assert "\x1b[3" not in on_terminal("-c", _ROWS, TERM="xterm-256color", NO_COLOR="1")
    assert "\x1b" not in on_terminal("-c", _ROWS, TERM="dumb")


def test_a_narrow_terminal_breaks_no_line_of_ours() -> None:
    shown = on_terminal("-c", _ROWS, TERM="dumb", COLUMNS="40")
    assert shown == f"Report  {'report/' * 20}\n"


def test_help_fits_a_narrow_terminal(place: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "train", "--help"],
        env=environment(COLUMNS="40", LC_ALL="C.UTF-8"),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    lines = done.stdout.decode().splitlines()
    assert max(map(len, lines)) <= 40
    assert any("--label" in line for line in lines)


@pytest.mark.parametrize("args", [["--help"], ["train", "data.csv", "-o", "saw", "--json"]])
def test_a_closed_pipe_ends_quietly(place: Path, args: list[str]) -> None:
    samples.table(place / "data.csv")
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*COMMAND, *args],
        cwd=place,
        env=environment(),
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    os.close(writing)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"BrokenPipe" not in done.stderr
    assert b"error" not in done.stderr


@pytest.mark.parametrize(("sign", "code"), [(signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_an_interrupted_training_leaves_nothing(
    place: Path, sign: signal.Signals, code: int
) -> None:
    samples.table(place / "data.csv", n_rows=30_000)
    process = subprocess.Popen(
        [*COMMAND, "train", "data.csv", "-o", "saw", "--trees", "1000"],
        cwd=place,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stderr
    assert b"reading" in process.stderr.readline()
    time.sleep(1.0)
    process.send_signal(sign)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert out == b""
    assert b"Traceback" not in err
    if sign == signal.SIGINT:
        assert refusal(err.decode()).error == "interrupted"
    assert [path.name for path in place.iterdir()] == ["data.csv"]


def test_reading_a_model_prints_nothing(trained: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither Wedau's libraries nor those below them, be it from C, past Python's stdout."""
    model = TrainedModel.load(trained)
    info = module.ModuleInfo(
        name="saw",
        version="1",
        labels=model.card.labels,
        features=model.card.features,
        scale=model.card.scale,
        recipe=b"",
        data_sha256="",
        wedau="1",
    )
    assert module.header(info, code.code(model.program).text)
    assert capfd.readouterr() == ("", "")
