"""Getting Monocypher: which files are taken, and what is refused."""

import re
from pathlib import Path

import pytest

from wedau.build import monocypher
from wedau.errors import BuildError
from wedau.paths import resource


def test_builds_without_our_tools_take_the_same_files() -> None:
    pins = monocypher._pins()
    text = resource("modules", "bind", "monocypher.cmake").read_text(encoding="utf-8")
    assert f"set(WEDAU_ADDRESS {pins['address']})" in text
    found = re.findall(r"WEDAU_ADDRESS}/(\S+) .*\n\s+EXPECTED_HASH SHA256=(\w+)\)", text)
    assert dict(found) == pins["files"]


def test_a_named_folder_is_used_if_it_holds_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in monocypher.folder().iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setenv("WEDAU_MONOCYPHER", str(tmp_path))
    assert monocypher.folder() == tmp_path
    with (tmp_path / "monocypher.c").open("a") as file:
        file.write("\n")
    with pytest.raises(BuildError, match="does not hold Monocypher"):
        monocypher.folder()


def test_other_files_than_the_pinned_are_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pins = monocypher._pins()
    monkeypatch.delenv("WEDAU_MONOCYPHER", raising=False)
    monkeypatch.setenv("WEDAU_CACHE", str(tmp_path))
    got = dict.fromkeys(pins["files"], b"int other;\n")
    monkeypatch.setattr(monocypher, "_from_upstream", lambda pins: got)
    monkeypatch.setattr(monocypher, "_from_package", lambda pins: got)
    with pytest.raises(BuildError, match="is not the pinned one"):
        monocypher.folder()
    assert list(tmp_path.rglob("monocypher.*")) == []


def test_only_what_is_called_stays_external(tmp_path: Path) -> None:
    monocypher.internal(tmp_path)
    text = (tmp_path / "monocypher.c").read_text(encoding="utf-8")
    external = re.findall(r"^(?:int|void|u\d+) (crypto_\w+)", text, re.MULTILINE)
    assert external == ["crypto_eddsa_reduce", "crypto_eddsa_check_equation"]
