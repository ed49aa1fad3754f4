"""wedau ota: what it says, what it refuses, and that a model gets into a release."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import samples
from outcomes import Refused, Wedau, refusal

from wedau.cli import modules

PASSPHRASE = "WEDAU_OTA_PASSPHRASE"


@pytest.fixture(autouse=True)
def no_secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing in the environment."""
    monkeypatch.delenv(PASSPHRASE, raising=False)
    yield


@pytest.fixture
def releases(wedau: Wedau, place: Path) -> Path:
    """A repository without a passphrase."""
    assert wedau("ota", "init", "releases", "--no-passphrase").code == 0
    return Path("releases")


@pytest.fixture
def application(place: Path) -> Path:
    """A folder with a file."""
    Path("app").mkdir()
    Path("app/main.py").write_text("print(1)\n", encoding="ascii")
    return Path("app")


def built(trained: Path, folder: Path) -> Path:
    """Copy a trained model and put a made-up module and a data file into it, as build would."""
    shutil.copytree(trained, folder)
    sha256 = modules._sha256((folder / modules.CARD).read_bytes())
    mpy, wdt = b"M\x06\x2b\x1f code", b"data"
    for arch, files in (
        ("xtensawin", {"saw.mpy": mpy}),
        ("data", {"saw.wdt": wdt, "saw.py": b""}),
    ):
        (folder / arch).mkdir()
        for name, data in files.items():
            (folder / arch / name).write_bytes(data)
        hashes = {name: modules._sha256(data) for name, data in files.items()}
        note = {"model_sha256": sha256, "build": {"heap_bytes": 1}, "files": hashes}
        (folder / arch / modules.NOTE).write_text(json.dumps(note), encoding="ascii")
    return folder


def test_init_says_where_each_key_should_live(wedau: Wedau, place: Path) -> None:
    said = wedau("ota", "init", "releases", "--no-passphrase", "--url", "https://example.com/u")
    assert said.code == 0
    for role, where in (("root", "stick"), ("targets", "releases"), ("timestamp", "publish")):
        assert any(role in line and where in line for line in said.out.splitlines())
    assert "not encrypted" in said.err
    settings = json.loads(Path("releases/settings.json").read_text(encoding="ascii"))
    assert settings["node"]["url"] == "https://example.com/u"


def test_init_encrypts_with_the_passphrase_of_the_environment(
    wedau: Wedau, refused: Refused, monkeypatch: pytest.MonkeyPatch, application: Path
) -> None:
    refusal = refused("ota", "init", "releases")
    assert "passphrase" in refusal.error and "--no-passphrase" in refusal.hint
    monkeypatch.setenv(PASSPHRASE, "four random words")
    assert wedau("ota", "init", "releases").code == 0
    assert wedau("ota", "release", "releases", "--app", application).code == 0
    assert wedau("ota", "rotate", "targets", "releases").code == 0
    assert all(b"ENCRYPTED" in path.read_bytes() for path in Path("releases/keys").rglob("*.pem"))
    monkeypatch.setenv(PASSPHRASE, "wrong")
    assert "does not open" in refused("ota", "renew", "releases").error
    monkeypatch.delenv(PASSPHRASE)
    assert PASSPHRASE in refused("ota", "renew", "releases").hint


def test_model_is_released_for_every_architecture_it_was_built_for(
    wedau: Wedau, trained: Path, releases: Path
) -> None:
    model = built(trained, Path("saw"))
    done = wedau("ota", "release", model, releases, "--to", "beta", "--json")
    assert done.code == 0, done
    native, data = sorted(json.loads(done.out), key=lambda each: -len(each["path"]))
    assert native["path"] == "beta/models/saw/xtensawin/saw.mpy"
    assert (native["custom"]["arch"], native["custom"]["mpy"]) == ("xtensawin", [6, 3])
    assert data["path"] == "beta/models/saw/data/saw.wdt"
    assert "arch" not in data["custom"]
    assert wedau("ota", "publish", releases, "--to", "web").code == 0
    shown = json.loads(wedau("ota", "show", releases, "--json").out)
    assert [target["serial"] for target in shown["targets"]] == [1, 1]
    assert shown["roles"]["timestamp"]["days_left"] >= 398


def test_model_that_was_not_built_is_not_released(
    refused: Refused, trained: Path, releases: Path
) -> None:
    assert "was not built" in refused("ota", "release", trained, releases).error


def test_model_that_was_changed_is_not_released(
    refused: Refused, trained: Path, releases: Path
) -> None:
    model = built(trained, Path("saw"))
    (model / "xtensawin/saw.mpy").write_bytes(b"M other")
    assert "was changed after it was built" in refused("ota", "release", model, releases).error


def test_what_may_not_be_read_is_named_and_not_left_out(wedau: Wedau, nobody: Path) -> None:
    assert wedau("ota", "init", nobody / "releases", "--no-passphrase").code == 0
    (nobody / "app" / "closed").mkdir(parents=True)
    (nobody / "app" / "main.py").write_text("print(1)\n", encoding="ascii")
    table = samples.table(nobody / "data.csv")
    assert wedau("train", table, "-o", nobody / "saw", "--trees", "2").code == 0
    (nobody / "saw" / "xtensawin").mkdir()
    for closed, words in (
        (nobody / "saw" / "xtensawin", (nobody / "saw", nobody / "releases")),
        (nobody / "app" / "closed", (nobody / "releases", "--app", nobody / "app")),
    ):
        closed.chmod(0)
        outcome = wedau("ota", "release", *words)
        closed.chmod(0o755)
        assert outcome.code == 1
        said = refusal(outcome.err)
        assert said.error == f"cannot read the folder {closed}: Permission denied"
    assert wedau("ota", "show", nobody / "releases", "--json").out.count("sha256") == 0


def test_release_refuses_what_makes_no_sense(
    refused: Refused, releases: Path, application: Path
) -> None:
    Path("fw.bin").write_bytes(b"\xe9")
    fw = ("--firmware", "fw.bin")
    assert "2 folders" in refused("ota", "release", releases, code=2).error
    assert "needs the board" in refused("ota", "release", releases, *fw, code=2).error
    like = refused("ota", "release", releases, *fw, "--board", "UM_FEATHER", code=2)
    assert "UM_FEATHERS3" in like.hint
    assert "no image" in refused("ota", "release", releases, *fw, "--board", "SIM").error
    both = refused("ota", "release", releases, *fw, "--app", application, code=2)
    assert "both" in both.error
    accent = refused("ota", "release", releases, "--app", application, "--version", "1.0é")
    assert "'1.0é'" in accent.error
    assert "no repository" in refused("ota", "release", "app", "--app", application).error
    assert "no folder" in refused("ota", "publish", releases, "--to", "ftp://x", code=2).error
    assert "no role" in refused("ota", "rotate", "boss", releases, code=2).error
    assert "no root waits" in refused("ota", "sign-root", releases).error


def test_root_is_signed_elsewhere_and_comes_back(wedau: Wedau, place: Path) -> None:
    init = ("ota", "init", "releases", "--no-passphrase", "--root-key-out", "stick")
    assert wedau(*init).code == 0
    assert not Path("releases/keys/root.pem").exists()
    waiting = wedau("ota", "rotate", "timestamp", "releases")
    assert waiting.code == 0
    assert "waits in releases/pending.root.json" in waiting.out
    assert wedau("ota", "show", "releases").err.count("sign-root") == 1
    shutil.copy("releases/pending.root.json", "copy.json")
    assert wedau("ota", "sign-root", "copy.json", "--key", "stick/root.pem").code == 0
    shutil.copy("copy.json", "releases/pending.root.json")
    assert "version 2 of root is signed" in wedau("ota", "sign-root", "releases").out
    assert wedau("ota", "publish", "releases", "--to", "web").code == 0
