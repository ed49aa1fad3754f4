"""The page that flashes from the browser: each board once, and nothing from elsewhere."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from outcomes import Refused, Wedau

import firmware_samples as samples
from wedau.build import boards
from wedau.cli.firmware_folder import WEB_MANIFEST

XIAO = "SEEED_XIAO_ESP32S3"


def web_manifest(**changes: Any) -> str:
    parts = [{"path": name, "offset": offset} for name, (offset, _) in samples.images().items()]
    content = {
        "name": "Wedau",
        "version": "0.1.0",
        "new_install_prompt_erase": True,
        "builds": [{"chipFamily": "ESP32-S3", "parts": parts}],
    }
    return json.dumps(content | changes)


@pytest.fixture
def folder(place: Path) -> Path:
    """A release with a firmware for one board, and something in the place of ESP Web Tools."""
    samples.write(place / "release" / XIAO, board=XIAO)
    (place / "release" / XIAO / WEB_MANIFEST).write_text(web_manifest(), encoding="utf-8")
    (place / "tools/dist/web").mkdir(parents=True)
    (place / "tools/dist/web/install-button.js").write_text("// here", encoding="utf-8")
    (place / "tools/LICENSE").write_text("a licence", encoding="utf-8")
    return place / "release"


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.installs: list[str | None] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag == "esp-web-install-button":
            self.installs.append(given["manifest"])
        if tag in ("script", "img", "link") and "icon" not in given.get("rel", ""):
            self.loaded.append(given.get("src") or given.get("href") or "")


def test_page_installs_each_board_that_has_a_firmware(wedau: Wedau, folder: Path) -> None:
    done = wedau("release", "page", "release", "--tools", "tools")
    assert done.code == 0, done.err
    assert done.out == "release/index.html\n"
    text = (folder / "index.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.installs == [f"{XIAO}/{WEB_MANIFEST}"]
    for name in boards.names():
        assert text.count(f">{boards.load(name).title}</a>") == (name == XIAO)
        assert boards.load(name).title in text
    assert (folder / "esp-web-tools/LICENSE").read_text(encoding="utf-8") == "a licence"


def test_page_loads_nothing_from_elsewhere(wedau: Wedau, folder: Path) -> None:
    assert wedau("release", "page", "release", "--tools", "tools").code == 0
    text = (folder / "index.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.loaded == ["esp-web-tools/install-button.js"]
    assert (folder / page.loaded[0]).is_file()
    assert "default-src 'none'; script-src 'self'; connect-src 'self'" in text
    assert not re.search(r"@import|url\(", text)


def test_page_is_the_same_again_and_can_be_signed(
    wedau: Wedau, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEDAU_RELEASE_PASSPHRASE", "p")
    assert wedau("release", "page", "release", "--tools", "tools").code == 0
    first = (folder / "index.html").read_bytes()
    assert wedau("release", "page", "release", "--tools", "tools").code == 0
    assert (folder / "index.html").read_bytes() == first
    assert wedau("release", "make-key", "k.pem").code == 0
    signed = wedau("release", "sign", "release", "--key", "k.pem", "--json")
    paths = [file["path"] for file in json.loads(signed.out)["files"]]
    assert {"index.html", "esp-web-tools/install-button.js"} < set(paths)


@pytest.mark.parametrize(
    "text",
    [
        "not JSON",
        "[" * 100_000,
        "[]",
        web_manifest(new_install_prompt_erase=False),
        web_manifest(name=""),
        web_manifest(builds=[]),
        web_manifest(builds=[{"chipFamily": "ESP32", "parts": []}]),
        web_manifest(builds=[{"chipFamily": "ESP32-S3", "parts": []}]),
        web_manifest().replace("65536", "65537"),
        web_manifest().replace("micropython.bin", "../micropython.bin"),
    ],
)
def test_page_refuses_a_manifest_that_would_install_something_else(
    refused: Refused, folder: Path, text: str
) -> None:
    (folder / XIAO / WEB_MANIFEST).write_text(text, encoding="utf-8")
    said = refused("release", "page", "release", "--tools", "tools")
    assert "does not install what manifest.json beside it names" in said.error
    assert said.hint == f"build it again: wedau firmware build --board {XIAO}"


def test_page_refuses_a_firmware_without_a_manifest_and_a_folder_without_tools(
    refused: Refused, folder: Path
) -> None:
    said = refused("release", "page", "release", "--tools", "elsewhere")
    assert said.error == "elsewhere does not hold ESP Web Tools"
    (folder / XIAO / WEB_MANIFEST).unlink()
    said = refused("release", "page", "release", "--tools", "tools")
    assert said.error.endswith(f"{WEB_MANIFEST} cannot be read: No such file or directory")
