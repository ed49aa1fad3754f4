"""The page that puts a firmware onto a board from the browser; its look is the report's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Template

from . import templates


@dataclass(frozen=True)
class Board:
    """A board on the page.

    Attributes:
        name: of its definition.
        product: what its maker calls it.
        vendor: its maker.
        memory: flash and PSRAM, in words.
        sensors: what is on it, in words; may be empty.
        url: its maker's page.
        manifest: path of ESP Web Tools' manifest; None if the release has no firmware for it.
    """

    name: str
    product: str
    vendor: str
    memory: str
    sensors: str
    url: str
    manifest: str | None


def board(document: Mapping[str, object], manifest: str | None) -> Board:
    """Return a board as it is shown, from what `wedau boards --json` tells of it."""
    hardware = document["hardware"]
    assert isinstance(hardware, Mapping)
    psram = f"{hardware['psram_mb']} MB {hardware['psram']} PSRAM"
    return Board(
        name=str(document["board"]),
        product=str(document["product"]),
        vendor=str(document["vendor"]),
        memory=f"{hardware['flash_mb']} MB flash, {psram if hardware['psram_mb'] else 'no PSRAM'}",
        sensors=", ".join(str(sensor["part"]) for sensor in hardware["sensors"]),
        url=str(document["url"]),
        manifest=manifest,
    )


def render(boards: Sequence[Board], version: str, script: str) -> str:
    """Return the page; all that it loads lies beside it.

    Args:
        boards: sorted as they are to be shown.
        version: of the release.
        script: path of ESP Web Tools' install-button.js.
    """
    ready = [each for each in boards if each.manifest]
    missing = [each for each in boards if not each.manifest]
    return _template().render(boards=ready, missing=missing, version=version, script=script)


@cache
def _template() -> Template:
    return templates.environment().get_template("install.html")
