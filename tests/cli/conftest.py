"""The command line in this process: what it prints, its exit code, what it leaves behind."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import samples
from outcomes import Outcome, Refusal, Refused, Wedau, contents, refusal

from wedau import cli


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in, so that files can be named as a person would."""
    folder = tmp_path / "place"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def wedau(capsys: pytest.CaptureFixture[str], place: Path) -> Wedau:
    """Run a command."""

    def run(*args: object) -> Outcome:
        capsys.readouterr()
        code = cli.run([str(arg) for arg in args])
        return Outcome(code, *capsys.readouterr())

    return run


@pytest.fixture
def refused(wedau: Wedau, place: Path) -> Refused:
    """Run a command that has to fail in two lines, with nothing on stdout and nothing left."""

    def run(*args: object, code: int = 1) -> Refusal:
        before = contents(place)
        outcome = wedau(*args)
        assert outcome.code == code, outcome
        assert outcome.out == ""
        assert contents(place) == before
        return refusal(outcome.err)

    return run


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table of ready features and a model that was trained on it."""
    folder = tmp_path_factory.mktemp("trained")
    samples.table(folder / "data.csv")
    args = ["train", str(folder / "data.csv"), "-o", str(folder / "saw"), "--trees", "5"]
    assert cli.run(args) == 0
    return folder


@pytest.fixture(scope="module")
def trained(trained_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with its table beside it, for one file of tests that may build in it."""
    folder = tmp_path_factory.mktemp("trained")
    shutil.copytree(trained_once, folder, dirs_exist_ok=True)
    return folder / "saw"


@pytest.fixture
def nobody(trained: Path) -> Iterator[Path]:
    """A folder that everybody may enter, and no special rights for this process.

    One training comes first: what it imports may lie where only root may read.
    """
    user = os.geteuid()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        if user == 0:
            os.seteuid(65534)
        try:
            yield folder
        finally:
            os.seteuid(user)
