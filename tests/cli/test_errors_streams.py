"""What surrounds a command: closed or full streams, no home, files that may not grow, no rights."""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import samples
from outcomes import Refusal, contents, refusal

_LARGEST_BYTES = 200
Prepare = Callable[[], None]


def _run(
    place: Path, *words: str, prepare: Prepare | None = None, **streams: object
) -> "subprocess.CompletedProcess[str]":
    given = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.run(
        [sys.executable, "-m", "wedau", *words],
        cwd=place,
        text=True,
        timeout=120,
        preexec_fn=prepare,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "COLUMNS": "200"},
        **{**given, **streams},  # type: ignore[call-overload]
    )


@pytest.fixture
def place(tmp_path: Path) -> Path:
    samples.table(tmp_path / "data.csv")
    return tmp_path


def _without(*handles: int) -> Prepare:
    def close() -> None:
        for handle in handles:
            os.close(handle)

    return close


def test_closed_streams_do_no_harm(place: Path) -> None:
    """The files of the model would else get their numbers, and what is printed."""
    train = ("train", "data.csv", "--trees", "3", "-o")
    done = _run(place, *train, "open")
    assert done.returncode == 0, done.stderr
    done = _run(place, *train, "closed", prepare=_without(0, 1, 2), stdin=None)
    assert done.returncode == 0
    assert done.stdout == done.stderr == ""
    opened, closed = (contents(place / name) for name in ("open", "closed"))
    assert opened["held_out.csv"] == closed["held_out.csv"]
    assert opened["trees.json"] == closed["trees.json"]
    assert set(opened) == set(closed)


def test_json_goes_nowhere_where_stdout_is_closed(place: Path) -> None:
    done = _run(place, "boards", "--json", prepare=_without(1))
    assert (done.returncode, done.stderr) == (0, "")


def test_nobody_is_asked_where_stdin_is_closed(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("WEDAU_OTA_PASSPHRASE", "WEDAU_RELEASE_PASSPHRASE"):
        monkeypatch.delenv(name, raising=False)
    before = contents(place)
    for words in (("ota", "init", "repo"), ("release", "make-key", "own.pem")):
        done = _run(place, *words, prepare=_without(0), stdin=None)
        assert done.returncode == 1
        assert "needs a passphrase, and there is no terminal" in done.stderr.replace(
            "need a", "needs a"
        )
        assert "PASSPHRASE" in refusal(done.stderr).hint
    assert contents(place) == before


@pytest.mark.parametrize("words", [("boards",), ("boards", "--json"), ("--help",)])
def test_a_full_disk_behind_stdout_is_told(place: Path, words: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        done = _run(place, *words, stdout=full)
    assert done.returncode == 1
    assert refusal(done.stderr).error == "the system says: No space left on device"


def test_no_home_is_no_obstacle(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    assert _run(place, "sim", "list").returncode == 0


def test_a_home_that_is_no_folder_is_named(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WEDAU_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/dev/null")
    done = _run(place, "sim", "list")
    assert done.returncode == 1
    said = refusal(done.stderr)
    assert said.error.startswith("the folder /dev/null/.cache/wedau")
    assert said.error.endswith("cannot be made: Not a directory")
    assert "WEDAU_CACHE" in said.hint


def _small_files() -> None:
    """Files end early, as on a disk that is full; pipes do not."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_BYTES, _LARGEST_BYTES))


@pytest.fixture
def filled(place: Path, trained: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place with a model, a repository and a release, before files may not grow any more."""
    monkeypatch.setenv("WEDAU_RELEASE_PASSPHRASE", "open sesame")
    shutil.copytree(trained, place / "saw")
    (place / "release").mkdir()
    shutil.copy(place / "data.csv", place / "release" / "a.whl")
    for words in (
        ("ota", "init", "repo", "--no-passphrase"),
        ("release", "make-key", "own.pem"),
        ("build", "saw", "--format", "data"),
        ("ota", "release", "saw", "repo"),
    ):
        done = _run(place, *words)
        assert done.returncode == 0, done.stderr
    return place


def _files(place: Path) -> dict[str, bytes]:
    """All files; empty folders that publishing has made hold nothing by half."""
    return {name: data for name, data in contents(place).items() if data is not None}


def _full_disk_refused(place: Path, *words: str) -> Refusal:
    before = _files(place)
    done = _run(place, *words, prepare=_small_files)
    assert done.returncode == 1, (words, done.stdout, done.stderr)
    assert _files(place) == before, words
    return refusal(done.stderr)


def test_a_disk_that_is_full_leaves_everything_as_it_was(filled: Path) -> None:
    for words in (
        ("train", "data.csv", "-o", "saw", "--trees", "3"),
        ("build", "saw", "--format", "data"),
        ("ota", "init", "other", "--no-passphrase"),
        ("ota", "renew", "repo"),
        ("ota", "publish", "repo", "--to", "web"),
        ("release", "make-key", "other.pem"),
        ("release", "sign", "release", "--key", "own.pem"),
    ):
        said = _full_disk_refused(filled, *words)
        assert "File too large" in said.error, (words, said)
