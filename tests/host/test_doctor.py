"""wedau doctor's checks: what is found here, and what is said where something is missing."""

import platform
import sys
from pathlib import Path

import pytest

from wedau.build import clang, doctor

NAMES = [check.name for check in doctor.checks()]


def test_nothing_is_missing_here() -> None:
    assert [check.name for check in doctor.checks() if not check.found] == []


def test_missing_tools_are_named_with_their_packages(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("WEDAU_XTENSA_HEADERS", str(tmp_path))
    monkeypatch.delenv("WEDAU_CLANG", raising=False)
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: {"ID": "debian"})
    clang.find.cache_clear()
    try:
        missing = {check.name: check.hint for check in doctor.checks() if not check.found}
    finally:
        clang.find.cache_clear()
    tools = {"clang", "picolibc", "xtensa-lx106-elf-ld", "qemu-xtensa", "make", "gcc"}
    assert set(missing) == tools
    for name, hint in missing.items():
        assert f"sudo apt-get install {' '.join(doctor.debian_packages()[name])}" in hint


def test_packages_serve_checks_that_exist() -> None:
    packages = doctor.debian_packages()
    assert set(packages) <= {*NAMES, "tests"}
    assert "clang-22" in packages["clang"]


@pytest.mark.parametrize(
    ("release", "words"),
    [
        ({"ID": "fedora"}, "sudo dnf install make"),
        ({"ID": "linuxmint", "ID_LIKE": "ubuntu debian"}, "sudo apt-get install make"),
        ({"ID": "arch"}, "sudo pacman -S make"),
        ({"ID": "raspbian", "ID_LIKE": "debian"}, "sudo apt-get install make"),
        ({"ID": "nixos"}, "use Debian 12"),
    ],
)
def test_hint_speaks_the_systems_words(
    release: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: release)
    assert words in doctor.install_hint("make")


@pytest.mark.parametrize(
    ("system", "words"), [("darwin", "brew install"), ("win32", "winget install")]
)
def test_hint_knows_systems_without_os_release(
    system: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    assert words in doctor.install_hint("python")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("system", ["debian", "ubuntu", "fedora", "arch", "other"])
def test_every_check_has_a_hint_on_every_system(
    name: str, system: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: {"ID": system})
    hint = doctor.install_hint(name)
    assert hint and "\n" not in hint
