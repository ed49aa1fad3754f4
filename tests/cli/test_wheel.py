"""The wheel: whole, installable anywhere, and able to do the main job from where it lands."""

import os
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy
import pytest
import samples

ROOT = Path(__file__).resolve().parents[2]
RESOURCES = ("boards", "firmware", "modules")


def tracked(*folders: str) -> set[str]:
    """The files of the project in the given folders, without what editors and builds leave."""
    found = (path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file())
    return {
        path.relative_to(ROOT).as_posix()
        for path in found
        if "__pycache__" not in path.parts and path.suffix not in (".pyc", ".so", ".pyd")
    }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the project, so that nothing is left in it."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in sorted(tracked("tools/wedau", *RESOURCES)):
        target = folder / "source" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE"):
        (folder / "source" / name).write_bytes((ROOT / name).read_bytes())
    cache = folder / "source" / "firmware" / "sim" / "__pycache__"
    cache.mkdir()
    (cache / "junk.cpython-311.pyc").write_bytes(b"junk")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder)]
    subprocess.run([*command, str(folder / "source")], check=True, timeout=240)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The python of a fresh environment with the wheel; the dependencies are this one's."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-deps"]
    subprocess.run([*pip, str(wheel)], check=True, timeout=120)
    site = next(folder.glob("lib/python*/site-packages"))
    # Added at the end of the path, without its .pth files, one of which names this checkout.
    (site / "dependencies.pth").write_text(str(Path(numpy.__file__).parents[1]) + "\n")
    return python


def run(python: Path, *args: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    return subprocess.run(
        [str(python), *args],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_the_wheel_is_whole(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    code = {name.removeprefix("tools/") for name in tracked("tools/wedau")}
    resources = {f"wedau/_resources/{name}" for name in tracked(*RESOURCES)}
    assert len(resources) > 60
    extension = {name for name in names if name.endswith((".so", ".pyd"))}
    about = {name for name in names if ".dist-info/" in name}
    assert len(extension) == 1
    assert names == code | resources | extension | about
    assert any(name.endswith("/licenses/LICENSE") for name in about)
    assert any(name.endswith("/entry_points.txt") for name in about)


def test_one_wheel_serves_every_python(wheel: Path) -> None:
    assert wheel.name.startswith("wedau-")
    assert "-cp311-abi3-" in wheel.name


def test_the_installed_command_starts(installed: Path, place: Path) -> None:
    done = subprocess.run(
        [installed.with_name("wedau"), "--version"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("wedau 0.")
    where = run(installed, "-c", "import wedau; print(wedau.__file__)", cwd=place)
    assert where.stdout.startswith(str(installed.parents[1]))


def test_the_installed_command_trains_and_builds(
    installed: Path, place: Path, sim_firmware: object
) -> None:
    """With the C core, the pins, the templates, the firmware and the modules of the wheel."""
    samples.table(place / "data.csv")
    train = run(
        installed, "-m", "wedau", "train", "data.csv", "-o", "saw", "--trees", "3", cwd=place
    )
    assert train.returncode == 0, train.stderr
    build = run(installed, "-m", "wedau", "build", "saw", "--quiet", cwd=place)
    assert build.returncode == 0, build.stderr
    assert build.stdout == "saw/xtensawin/saw.mpy\n"
    assert (place / "saw" / "report.html").is_file()
