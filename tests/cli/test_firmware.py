"""`wedau firmware build` with MicroPython's real Makefile and a stand-in for ESP-IDF."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from outcomes import Refused, Wedau, contents, refusal

import idf_stand_in as stand_in
from mock_board import MB, MockBoard
from wedau.build import boards, idf, monocypher

XIAO = "SEEED_XIAO_ESP32S3"
BUILD = ("firmware", "build", "--board")
IMAGES = ["bootloader.bin", "partition-table.bin", "ota_data_initial.bin", "micropython.bin"]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, micropython: Path) -> Path:
    """MicroPython's source, as far as it is read here, as if it were 1.28.0."""
    return stand_in.micropython(tmp_path_factory.mktemp("source") / "micropython", micropython)


@pytest.fixture
def machine(tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with make, git and a compiler, without ESP-IDF and Docker; returns its home."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv(monocypher.VARIABLE, str(monocypher.folder()))
    for name in ("IDF_PATH", "IDF_TOOLS_PATH", "IDF_PYTHON_ENV_PATH", "SOURCE_DATE_EPOCH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("WEDAU_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("WEDAU_MICROPYTHON", str(source))
    monkeypatch.setenv("PATH", str(stand_in.programs(tmp_path / "programs")))
    return home


@pytest.fixture
def esp_idf(machine: Path) -> Path:
    """The stand-in for ESP-IDF, where people put it."""
    return stand_in.idf(machine / "esp/esp-idf")


def called(esp_idf: Path) -> tuple[list[str], dict[str, str], str]:
    """What idf.py was called with: arguments, environment, folder."""
    args, env, cwd = json.loads((esp_idf / "tools/called.json").read_text())
    return args, env, cwd


def test_build_runs_micropythons_makefile_with_our_board_and_modules(
    wedau: Wedau, esp_idf: Path, source: Path, place: Path, tmp_path: Path
) -> None:
    before = contents(source)
    done = wedau(*BUILD, XIAO)
    assert done.code == 0, done.err
    args, env, cwd = called(esp_idf)
    work = cwd.removesuffix("/micropython/ports/esp32")
    assert work.startswith(str(tmp_path / "cache/esp32/work-"))
    assert args == [
        *["-D", f"MICROPY_BOARD={XIAO}", "-D", f"MICROPY_BOARD_DIR={work}/boards/{XIAO}"],
        f"-DUSER_C_MODULES={work}/modules/bind/micropython.cmake",
        *["-B", f"{work}/build", "build"],
    ]
    assert env["MICROPY_MPYCROSS"] == f"{work}/micropython/mpy-cross/build/mpy-cross"
    assert env["WEDAU_MONOCYPHER"] == f"{work}/monocypher"
    assert env["MICROPY_GIT_TAG"] == "v1.28.0"
    assert env["SOURCE_DATE_EPOCH"] == "1700000000"
    assert env["IDF_PATH"] == str(esp_idf)
    assert not Path(work).exists()
    assert contents(source) == before
    log = (place / f"build/firmware/{XIAO}.log").read_text()
    assert f"$ make -C {work}/micropython/ports/esp32 BOARD={XIAO} BOARD_DIR=" in log
    assert "built mpy-cross" in log
    assert "application @0x010000" in log  # MicroPython's makeimg.py


def test_build_makes_one_folder_with_all_that_is_needed(
    wedau: Wedau, esp_idf: Path, place: Path
) -> None:
    done = wedau(*BUILD, XIAO, "--json")
    assert done.code == 0, done.err
    folder = place / "build/firmware" / XIAO
    said, manifest = json.loads(done.out), json.loads((folder / "manifest.json").read_text())
    assert said == {"folder": f"build/firmware/{XIAO}", **manifest}
    table = {part.name: part for part in boards.table(boards.load(XIAO))}
    offsets = [0, 0x8000, table["otadata"].offset, table["ota_0"].offset]
    assert [(each["file"], each["offset"]) for each in manifest["images"]] == list(
        zip(IMAGES, offsets, strict=True)
    )
    merged = (folder / "merged.bin").read_bytes()
    for each in [*manifest["images"], manifest["merged"]]:
        data = (folder / each["file"]).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (each["size"], each["sha256"])
        at = each.get("offset", 0)
        assert merged[at : at + len(data)] == data
    slot = table["ota_0"].size
    free = round(1 - 140_000 / slot, 4)
    assert manifest["app"] == {"size": 140_000, "slot_bytes": slot, "free_share": free}
    assert manifest["made_of"]["micropython"] == "1.28.0"
    assert manifest["made_of"]["esp_idf"] == "5.5.2"
    web = json.loads((folder / "web-manifest.json").read_text())
    assert web["builds"][0]["chipFamily"] == "ESP32-S3"
    parts = [(each["path"], each["offset"]) for each in web["builds"][0]["parts"]]
    assert parts == list(zip(IMAGES, offsets, strict=True))
    assert "# solved again" in (folder / "dependencies.lock").read_text()


@pytest.mark.parametrize(
    "name", ["ADAFRUIT_FEATHER_ESP32S3", "ESP32_S3_DEVKITC_1_N16R8", "M5STACK_CORES3"]
)
def test_build_is_what_wedau_flash_takes(name: str, wedau: Wedau, esp_idf: Path) -> None:
    done = wedau(*BUILD, name)
    assert done.code == 0, done.err
    hardware = boards.load(name).hardware
    in_package = (hardware["psram"], hardware["psram_mb"]) in (("octal", 8), ("quad", 2))
    psram_bytes = hardware["psram_mb"] * MB if in_package else 0
    board = MockBoard(flash_bytes=hardware["flash_mb"] * MB, psram_bytes=psram_bytes)
    with board.plugged_in("tcp") as port:
        done = wedau("flash", "--board", name, "--port", port)
    assert done.code == 0, done.err
    assert "written and verified" in done.out


def test_build_repeats_byte_for_byte_and_replaces_the_older(
    wedau: Wedau, esp_idf: Path, place: Path
) -> None:
    assert wedau(*BUILD, XIAO).code == 0
    before = contents(place / "build/firmware" / XIAO)
    assert wedau(*BUILD, XIAO).code == 0
    assert contents(place / "build/firmware" / XIAO) == before
    assert sorted(path.name for path in (place / "build/firmware").iterdir()) == [
        XIAO,
        f"{XIAO}.log",
    ]


@pytest.mark.parametrize("kind", ["idf", "docker"])
def test_build_puts_models_into_the_firmware(
    kind: str, wedau: Wedau, machine: Path, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = stand_in.idf(machine / "elsewhere")
    stand_in.docker(machine / "bin", where)
    monkeypatch.setenv("PATH", f"{machine / 'bin'}:{os.environ['PATH']}")
    option = ("--docker",) if kind == "docker" else ("--idf", where)
    done = wedau(*BUILD, XIAO, "--model", trained, *option, "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["made_of"]["models"] == {"saw": "1.0.0"}
    args, _, cwd = called(where)
    work = cwd.removesuffix("/micropython/ports/esp32")
    assert f"-DUSER_C_MODULES={work}/models/micropython.cmake" in args


def test_build_with_docker_mounts_one_folder_and_belongs_to_the_user(
    wedau: Wedau, machine: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bin_folder = stand_in.docker(machine / "bin", stand_in.idf(machine / "elsewhere"))
    monkeypatch.setenv("PATH", f"{bin_folder}:{os.environ['PATH']}")
    done = wedau(*BUILD, XIAO)
    assert done.code == 0, done.err
    asked = [json.loads(line) for line in (bin_folder / "docker.json").read_text().splitlines()]
    runs = [args for args in asked if args[0] == "run"]
    assert len(runs) == 2
    for args in runs:
        assert args.count("--volume") == 1
        host, inside = args[args.index("--volume") + 1].split(":")
        assert host.startswith(str(tmp_path / "cache"))
        assert inside == args[args.index("--workdir") + 1] == "/wedau"
        assert args[args.index("--user") + 1] == f"{os.getuid()}:{os.getgid()}"
        assert "HOME=/wedau/home" in args
    image = runs[1].index("espressif/idf:v5.5.2")
    assert runs[1][image + 1 :] == [
        *["make", "-C", "/wedau/micropython/ports/esp32", f"BOARD={XIAO}"],
        f"BOARD_DIR=/wedau/boards/{XIAO}",
        "USER_C_MODULES=/wedau/modules/bind/micropython.cmake",
        "BUILD=/wedau/build",
    ]


def test_build_takes_an_esp_idf_of_espressifs_installer(wedau: Wedau, machine: Path) -> None:
    path = stand_in.idf(machine / "anywhere/v5.5.2/esp-idf")
    tools = machine / ".espressif/tools"
    tools.mkdir(parents=True)
    entry = {"path": str(path), "python": sys.executable, "idfToolsPath": str(tools)}
    (tools / "eim_idf.json").write_text(json.dumps({"idfInstalled": [entry]}))
    assert wedau(*BUILD, XIAO).code == 0
    _, env, _ = called(path)
    assert env["IDF_TOOLS_PATH"] == str(tools)
    assert env["IDF_PYTHON_ENV_PATH"] == str(Path(sys.executable).parent.parent)


def test_build_lets_nothing_of_the_environment_change_the_result(
    wedau: Wedau, esp_idf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BOARD_VARIANT", "FROZEN_MANIFEST", "IDFPY_FLAGS", "MAKEFLAGS", "PYTHONPATH"):
        monkeypatch.setenv(name, "B=planted")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    done = wedau(*BUILD, XIAO)
    assert done.code == 0, done.err
    args, env, _ = called(esp_idf)
    assert not any("planted" in arg for arg in args)
    assert not {"BOARD_VARIANT", "FROZEN_MANIFEST", "PYTHONPATH"} & set(env)
    assert env["HTTPS_PROXY"] == "http://proxy.example:3128"


def test_dry_run_says_what_would_be_done_and_does_nothing(
    wedau: Wedau, machine: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WEDAU_MICROPYTHON")
    before = contents(place)
    done = wedau(*BUILD, XIAO, "--dry-run")
    assert done.code == 0, done.err
    assert contents(place) == before
    assert "not there yet: it would be got from https://github.com/micropython" in done.out
    assert "none here; with Docker: ESP-IDF 5.5.2 in the container image" in done.out
    assert f"BOARD_DIR=/wedau/boards/{XIAO} USER_C_MODULES=/wedau/modules/bind" in done.out
    assert f"build/firmware/{XIAO}/merged.bin" in done.out


def test_dry_run_prints_json_with_the_very_commands(
    wedau: Wedau, esp_idf: Path, place: Path
) -> None:
    done = wedau(*BUILD, XIAO, "--dry-run", "--json")
    assert done.code == 0, done.err
    said = json.loads(done.out)
    assert not (place / "build").exists()
    assert not (esp_idf / "tools/called.json").exists()
    assert wedau(*BUILD, XIAO).code == 0
    log = (place / said["log"]).read_text()
    for command in said["commands"]:
        assert f"$ {' '.join(command)}\n" in log
    made = sorted(path.as_posix() for path in Path(f"build/firmware/{XIAO}").iterdir())
    assert sorted(said["files"]) == made


@pytest.mark.parametrize(
    ("system", "words"),
    [
        ("Linux", ("docker.io", "git clone -b v5.5.2", "install.sh esp32s3")),
        ("Darwin", ("Docker Desktop", "brew install eim", "eim install -i v5.5.2")),
        ("Windows", ("Docker Desktop", "WSL")),
    ],
)
def test_build_without_esp_idf_names_two_ways_to_get_it(
    system: str,
    words: tuple[str, ...],
    refused: Refused,
    machine: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    said = refused(*BUILD, XIAO)
    assert said.error.startswith("there is no ESP-IDF")
    assert "it is not installed" in said.error
    assert all(word in said.hint for word in words), said.hint


def test_build_says_that_docker_does_not_run(
    refused: Refused, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bin_folder = stand_in.docker(machine / "bin", machine)
    (bin_folder / "stopped").touch()
    monkeypatch.setenv("PATH", f"{bin_folder}:{os.environ['PATH']}")
    assert "there is no ESP-IDF" in refused(*BUILD, XIAO).error
    assert "Docker cannot be used" in refused(*BUILD, XIAO, "--docker").error


@pytest.mark.parametrize(
    ("micropython", "esp_idf", "why"),
    [
        ("1.28.0", "5.2.1", "needs ESP-IDF 5.3 or newer"),
        ("1.28.0", "5.5.5", "was not tried with it"),
        ("1.28.0", "6.0.0", "not ported to ESP-IDF 6"),
        ("1.26.1", "5.5.2", "made for MicroPython 1.28"),
        ("1.30.0", "5.5.2", "nobody has tried"),
    ],
)
def test_pair_that_is_not_supported_is_refused_with_the_reason(
    micropython: str, esp_idf: str, why: str
) -> None:
    with pytest.raises(idf.BuildError) as caught:
        idf.check_pair(micropython, esp_idf)
    assert why in caught.value.message
    assert idf.check_pair("1.28.0", idf.pins()["version"])


def test_build_refuses_an_esp_idf_of_another_version(refused: Refused, machine: Path) -> None:
    wrong = stand_in.idf(machine / "wrong", version="6.0.0")
    said = refused(*BUILD, XIAO, "--idf", wrong)
    assert said.error.startswith("MicroPython 1.28.0 with ESP-IDF 6.0.0 is not supported")
    assert "ESP-IDF 5.5.2" in said.hint
    said = refused(*BUILD, XIAO, "--idf", machine)
    assert said.error == f"{machine} does not hold ESP-IDF"


def test_build_refuses_a_source_without_its_submodules(
    refused: Refused, esp_idf: Path, micropython: Path
) -> None:
    said = refused(*BUILD, XIAO, "--micropython", stripped(micropython, esp_idf.parent))
    assert "lacks lib/micropython-lib, which firmware is built from" in said.error
    assert "git submodule update --init lib/micropython-lib" in said.hint


def stripped(real: Path, folder: Path) -> Path:
    """MicroPython as Debian's package has it: a submodule is an empty folder."""
    path = stand_in.micropython(folder / "stripped", real)
    (path / "lib/micropython-lib/README.md").unlink()
    return path


def test_build_refuses_tools_that_are_not_installed(refused: Refused, esp_idf: Path) -> None:
    (esp_idf / "tools/refuse").touch()
    outcome = refused(*BUILD, XIAO, "--out", ".")
    assert "tool xtensa-esp-elf has no installed versions" in outcome.error
    assert outcome.hint == f"install them: {esp_idf}/install.sh esp32s3"


def test_build_refuses_what_the_user_got_wrong(
    refused: Refused, esp_idf: Path, place: Path, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "there is no board XIAO" in refused(*BUILD, "XIAO", code=2).error
    said = refused(*BUILD, XIAO, "--docker", "--idf", "x", code=2)
    assert said.error == "--idf and --docker exclude each other"
    assert "without ESP-IDF" in refused(*BUILD, "SIM", "--docker", code=2).error
    (place / XIAO).mkdir()
    (place / XIAO / "diary.txt").touch()
    said = refused(*BUILD, XIAO, "--out", ".", code=2)
    assert said.error == f"{XIAO} is there and is no firmware's folder"
    monkeypatch.setenv("WEDAU_CACHE", str(machine / "with space"))
    assert "the path has a space" in refused(*BUILD, XIAO).error


def test_build_that_is_too_large_for_its_slot_says_by_how_much(
    wedau: Wedau, esp_idf: Path, place: Path
) -> None:
    slot = next(p.size for p in boards.table(boards.load(XIAO)) if p.name == "ota_0")
    (esp_idf / "tools/app_bytes").write_text(str(slot + 1000))
    done = wedau(*BUILD, XIAO)
    assert done.code == 1
    said = refusal(done.err)
    assert f"has {slot + 1000:,} bytes, 1,000 more than fit into its slot of {slot:,}" in said.error
    assert not (place / "build/firmware" / XIAO).exists()


def test_build_that_fails_shows_the_end_of_the_log(
    wedau: Wedau, esp_idf: Path, place: Path, tmp_path: Path
) -> None:
    (esp_idf / "tools/fail").touch()
    done = wedau(*BUILD, XIAO)
    assert done.code == 1
    said = refusal(done.err)
    assert said.error.endswith("failed: main.c:1:2: error: planted mistake")
    assert said.hint == f"the whole log is in build/firmware/{XIAO}.log"
    assert "ninja: stopped" in done.err
    assert [path.name for path in (place / "build/firmware").iterdir()] == [f"{XIAO}.log"]
    assert not list((tmp_path / "cache/esp32").iterdir())


def test_build_that_makes_something_else_is_not_given_out(
    wedau: Wedau, esp_idf: Path, place: Path
) -> None:
    (esp_idf / "tools/shift").write_text(str(0x10000))
    done = wedau(*BUILD, XIAO)
    assert done.code == 1
    assert (
        "0x20000 micropython.bin, which the board's definition does not" in refusal(done.err).error
    )
    assert not (place / "build/firmware" / XIAO).exists()


def test_build_that_is_interrupted_leaves_only_its_log(
    esp_idf: Path, place: Path, tmp_path: Path
) -> None:
    (esp_idf / "tools/wait").touch()
    command = [sys.executable, "-m", "wedau", *BUILD, XIAO]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    waiting = esp_idf / "tools/waiting"
    while not (waiting.exists() and waiting.read_text()):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert refusal(err).error == "interrupted"
    assert [path.name for path in (place / "build/firmware").iterdir()] == [f"{XIAO}.log"]
    assert not list((tmp_path / "cache/esp32").iterdir())
    state = Path(f"/proc/{waiting.read_text()}/stat")  # of idf.py, a grandchild
    assert not state.exists() or state.read_text().split()[2] == "Z"
