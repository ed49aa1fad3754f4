"""Each settings file, with values and bytes changed: a command is done or refuses in two lines."""

import json
import shutil
from pathlib import Path

import damage
import pytest
import samples
from hypothesis import given
from test_ota_command import built

import firmware_samples
from wedau.paths import resource

BOARD = "ARDUINO_NANO_ESP32"
NOWHERE = ("--port", "/dev/nowhere")
FLASH = ("flash", "--board", firmware_samples.BOARD, "--image", "release", *NOWHERE)
CHECK = ("release", "check", "release", "--key", "own.pem.pub")
RECIPE = {
    "window_ms": 1000,
    "hop_ms": 500,
    "filters": [{"kind": "lowpass", "order": 2, "cutoff_hz": 15}],
    "differences": ["ax"],
    "statistics": ["mean", "std", "mean_abs_diff"],
    "bands_hz": [0.5, 2, 15],
    "correlations": [["ax", "ay"]],
    "quantiles": [0.05, 0.95],
    "hann": True,
}

Commands = list[tuple[str, ...]]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache with nothing in it, and a passphrase."""
    monkeypatch.setenv("WEDAU_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("WEDAU_RELEASE_PASSPHRASE", "open sesame")
    monkeypatch.delenv("WEDAU_RELEASE_KEY", raising=False)
    monkeypatch.delenv("WEDAU_OTA_PASSPHRASE", raising=False)


def try_out(
    file: Path, commands: Commands, number: int, makes: tuple[str, ...] = (), *, again: str = ""
) -> None:
    """Run commands with a file that is changed each time, then put the file back.

    Args:
        makes: folders that the commands may change if they are done.
        again: folder that is put back if they have changed it.
    """
    whole = file.read_bytes()
    changed = damage.wrong_json(whole) if file.suffix == ".json" else damage.damaged(whole)
    kept = Path.cwd().parent / "kept"
    if again:
        shutil.copytree(again, kept)

    @damage.examples(number)
    @given(data=changed)
    def change(data: bytes) -> None:
        for command in commands:
            file.write_bytes(data)
            done = damage.survives(Path.cwd(), *command, makes=makes)
            if again and done.code == 0:
                shutil.rmtree(again)
                shutil.copytree(kept, again)

    change()
    if again:
        shutil.rmtree(again)
        shutil.move(kept, again)
    file.write_bytes(whole)


def test_recipes(place: Path) -> None:
    samples.recordings(place / "data", 100)
    Path("recipe.json").write_text(json.dumps(RECIPE), encoding="utf-8")
    train = ("train", "data", "-o", "saw", "--time", "t_ms", "--trees", "2")
    train = (*train, "--recipe", "recipe.json")
    assert damage.wedau(*train).code == 0
    shutil.rmtree("saw")
    try_out(Path("recipe.json"), [train], 30, ("saw",))


@pytest.mark.parametrize("name", ["model.json", "trees.json", "held_out.csv"])
def test_trained_models(place: Path, trained: Path, name: str) -> None:
    shutil.copytree(trained, "saw")
    commands = [("push", "saw", *NOWHERE), ("build", "saw", "--format", "data")]
    try_out(Path("saw", name), commands, 12, ("saw",), again="saw")


@pytest.mark.parametrize("name", ["model.json", "xtensawin/modules.json", "data/modules.json"])
def test_built_models(place: Path, trained: Path, name: str) -> None:
    built(trained, Path("saw"))
    assert damage.wedau("ota", "init", "updates", "--no-passphrase").code == 0
    commands = [("ota", "release", "saw", "updates")]
    try_out(Path("saw", name), commands, 15, ("updates",))


@pytest.fixture
def release(place: Path) -> Path:
    """A signed release."""
    firmware_samples.write(Path("release", firmware_samples.BOARD))
    assert damage.wedau("release", "make-key", "own.pem").code == 0
    assert damage.wedau("release", "sign", "release", "--key", "own.pem").code == 0
    return Path("release")


@pytest.mark.parametrize("name", [f"{firmware_samples.BOARD}/manifest.json", "index.json"])
def test_releases(release: Path, name: str) -> None:
    sign = ("release", "sign", "release", "--key", "own.pem")
    keyed = (*FLASH, "--key", "own.pem.pub")
    commands = [CHECK, keyed] if name == "index.json" else [CHECK, FLASH, sign]
    try_out(release / name, commands, 12, ("release",), again="release")


@pytest.mark.parametrize("name", ["release/index.json.sig", "own.pem", "own.pem.pub"])
def test_keys_and_signatures(release: Path, name: str) -> None:
    sign = ("release", "sign", "release", "--key", "own.pem")
    try_out(Path(name), [sign if name == "own.pem" else CHECK], 15, ("release",))


def test_firmware_of_a_simulated_board(release: Path) -> None:
    manifest = release / firmware_samples.BOARD / "manifest.json"
    document = json.loads(manifest.read_text("utf-8")) | {"board": "SIM"}
    manifest.write_text(json.dumps(document), encoding="utf-8")
    folder = str(manifest.parent)
    try_out(manifest, [("sim", "start", "odd", "--firmware", folder)], 15)


REPOSITORY = [
    *("settings.json", "metadata/1.root.json", "metadata/2.targets.json"),
    *("metadata/2.snapshot.json", "metadata/timestamp.json"),
    *("keys/targets.pem", "keys/timestamp.pem"),
]


@pytest.mark.parametrize("name", REPOSITORY)
def test_repositories_of_updates(place: Path, name: str) -> None:
    Path("app").mkdir()
    Path("app/main.py").write_text("print(1)\n", encoding="ascii")
    assert damage.wedau("ota", "init", "updates", "--no-passphrase").code == 0
    assert damage.wedau("ota", "release", "updates", "--app", "app").code == 0
    commands = [("ota", "show", "updates"), ("ota", "publish", "updates", "--to", "web")]
    commands += [("ota", "renew", "updates"), ("ota", "rotate", "timestamp", "updates")]
    try_out(Path("updates", name), commands, 4, ("updates", "web"), again="updates")


FILES = [f"{BOARD}/board.json", f"{BOARD}/pins.csv", f"{BOARD}/mpconfigboard.h"]
FILES += [f"{BOARD}/mpconfigboard.cmake", f"{BOARD}/sdkconfig.board", "shared/esp32s3.json"]
FILES += ["shared/partitions.csv.in", "shared/flash_16MB.cmake", "shared/board.cmake"]


@pytest.mark.parametrize("name", FILES)
def test_definitions_of_boards(place: Path, name: str) -> None:
    for part in (BOARD, "shared"):
        shutil.copytree(resource("boards") / part, Path("boards", part))
    where = ("--folder", "boards")
    commands = [("boards", BOARD, *where), ("boards", "--json", *where)]
    try_out(Path("boards", name), [*commands, ("boards", "--check", *where)], 10)


def test_a_header_that_includes_itself(place: Path) -> None:
    for part in (BOARD, "shared"):
        shutil.copytree(resource("boards") / part, Path("boards", part))
    header = Path("boards", BOARD, "mpconfigboard.h")
    header.write_text('#include "../shared/wedau_board.h"\n#include "mpconfigboard.h"\n')
    said = damage.survives(place, "boards", BOARD, "--folder", "boards")
    assert f"{BOARD}/mpconfigboard.h includes itself" in said.err
