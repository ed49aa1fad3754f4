"""Pipes and devices in the place of a file: each is named, and none is waited for or read on."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import samples
from outcomes import Refusal, refusal

_MEMORY_BYTES = 4_000_000_000


def _limited() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))


def _run(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of its own that can neither hang the test nor exhaust the machine."""
    return subprocess.run(
        [sys.executable, "-m", "wedau", *words],
        cwd=place,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=_limited,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "COLUMNS": "200"},
    )


def _refused(place: Path, *words: str) -> Refusal:
    done = _run(place, *words)
    assert done.returncode == 1, done.stderr
    return refusal(done.stderr)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name in ("pipe", "pipe.csv", "pipe.bin"):
        os.mkfifo(tmp_path / name)
    samples.table(tmp_path / "data.csv")
    return tmp_path


FLASH = ("flash", "--board", "SEEED_XIAO_ESP32S3", "--port", "/dev/null", "--image")


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("train", "pipe", "-o", "s"), "pipe"),
        (("train", "pipe.csv", "-o", "s"), "pipe.csv"),
        (("train", "/dev/zero", "-o", "s"), "/dev/zero"),
        (("train", "data.csv", "--recipe", "pipe", "-o", "s"), "pipe"),
        ((*FLASH, "pipe.bin"), "pipe.bin"),
        ((*FLASH, "/dev/zero"), "/dev/zero"),
        (("release", "check", ".", "--key", "pipe"), "pipe"),
        (("release", "sign", ".", "--key", "pipe"), "pipe"),
    ],
)
def test_a_pipe_or_a_device_is_no_file(place: Path, words: tuple[str, ...], name: str) -> None:
    said = _refused(place, *words)
    assert said.error == f"{name} is not a file"
    assert "save its content" in said.hint
    assert not (place / "s").exists()


@pytest.fixture
def keyed(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place with a publisher's key."""
    monkeypatch.setenv("WEDAU_RELEASE_PASSPHRASE", "open sesame")
    assert _run(place, "release", "make-key", "own.pem").returncode == 0
    return place


def test_a_pipe_is_no_release(keyed: Path) -> None:
    said = _refused(keyed, "release", "check", "pipe", "--key", "own.pem.pub")
    assert said.error == "pipe/index.json cannot be read: Not a directory"


def test_a_pipe_is_no_index_of_a_release(keyed: Path) -> None:
    (keyed / "release").mkdir()
    os.mkfifo(keyed / "release" / "index.json")
    said = _refused(keyed, "release", "check", "release", "--key", "own.pem.pub")
    assert said.error == "release/index.json is not a file"


def test_a_pipe_in_a_folder_is_not_signed(keyed: Path) -> None:
    (keyed / "release").mkdir()
    (keyed / "release" / "wedau.whl").write_bytes(b"a wheel")
    os.mkfifo(keyed / "release" / "pipe")
    said = _refused(keyed, "release", "sign", "release", "--key", "own.pem")
    assert said.error.endswith("pipe is not a file")
    assert sorted(p.name for p in (keyed / "release").iterdir()) == ["pipe", "wedau.whl"]


def test_a_folder_named_like_a_recording_is_passed_over(place: Path) -> None:
    folder = samples.recordings(place / "runs")
    (folder / "dir.csv").mkdir()
    windows = ("--time", "t_ms", "--window-ms", "1000")
    done = _run(place, "train", "runs", *windows, "-o", "s")
    assert done.returncode == 0, done.stderr
    os.mkfifo(folder / "late.csv")
    said = _refused(place, "train", "runs", *windows, "-o", "other")
    assert said.error == "runs/late.csv is not a file"


def test_a_pipe_is_no_part_of_a_model(place: Path) -> None:
    assert _run(place, "train", "data.csv", "-o", "s", "--trees", "2").returncode == 0
    for name in ("held_out.csv", "model.json"):
        (place / "s" / name).unlink()
        os.mkfifo(place / "s" / name)
        said = _refused(place, "build", "s", "--format", "data")
        assert said.error == f"s/{name} is not a file"


def test_a_pipe_is_no_firmware(place: Path) -> None:
    os.mkfifo(place / "manifest.json")
    said = _refused(place, "sim", "start", "--firmware", ".")
    assert said.error == ". holds no firmware of the simulated board"


def test_a_pipe_is_no_key_of_a_repository(place: Path) -> None:
    made = _run(place, "ota", "init", "repo", "--no-passphrase")
    assert made.returncode == 0, made.stderr
    said = _refused(place, "ota", "renew", "repo", "--key", "pipe")
    assert said.error == "pipe is not a file"
