"""The documents: where they are, which are run, and where their links lead."""

import re
from pathlib import Path

import blocks

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
COMMAND_LINE = ROOT / "docs/reference/command-line.md"
ALTERNATIVES = ROOT / "docs/reference/alternatives.md"
FAMILIES = ROOT / "docs/reference/families.md"
FIGURES = ROOT / "docs/reference/figures.md"
UPDATES = ROOT / "docs/reference/updates.md"
_LINK = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def every() -> list[Path]:
    """Return all documents."""
    return [README, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def with_commands() -> list[Path]:
    """Return the documents that show something that can be run."""
    return [path for path in every() if any(block.runs for block in blocks.read(path))]


def broken_links(path: Path) -> list[str]:
    """Return the links of a document that lead to no file or heading of the project."""
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return [link for link in _LINK.findall(text) if "://" not in link and not _leads(path, link)]


def _leads(path: Path, link: str) -> bool:
    name, _, heading = link.partition("#")
    target = (path.parent / name).resolve() if name else path
    if not target.exists() or not target.is_relative_to(ROOT):
        return False
    return not heading or heading in _anchors(target)


def _anchors(path: Path) -> set[str]:
    found = _HEADING.findall(path.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in found}
