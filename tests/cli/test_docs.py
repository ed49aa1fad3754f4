"""What the documents show, runs; what they say that it prints, it prints; links lead somewhere."""

import json
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from wedau import report
from wedau.bench.families import TABLES
from wedau.cli.measuring_families import measure
from wedau.report import scores
from wedau.train import pipeline
from wedau.train.kinds import KINDS
from wedau.train.recipe import Recipe
from wedau.train.settings import TrainSettings

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs/generate"))

import blocks  # noqa: E402
import commands  # noqa: E402
import compare  # noqa: E402
import family_table  # noqa: E402
import figures  # noqa: E402
import pages  # noqa: E402
import session  # noqa: E402
import updates_table  # noqa: E402

RUN = pages.with_commands()


def name(path: Path) -> str:
    """Name a document for a test."""
    return path.relative_to(ROOT).as_posix()


@pytest.fixture(scope="module")
def exact(sim_firmware: object) -> bool:
    """Whether the figures of the documents come from the very versions that are installed here."""
    return figures.versions() in pages.FIGURES.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, exact: bool) -> Iterator[dict[Path, "Future[Any]"]]:
    """The documents that are tested, two at a time; starting Python is most of their work."""
    every = [getattr(item, "callspec", None) for item in request.session.items]
    wanted = {spec.params["path"] for spec in every if spec and "path" in spec.params}
    with ThreadPoolExecutor(2) as two:
        yield {path: two.submit(session.run, path) for path in RUN if path in wanted}


@pytest.mark.parametrize("path", RUN, ids=name)
def test_document_shows_what_its_commands_print(
    path: Path, runs: dict[Path, "Future[Any]"], exact: bool
) -> None:
    for step in runs[path].result():
        shown, said = list(step.command.output), step.said
        if shown or step.block.language == "pycon":
            where = f"{name(path)}:{step.command.line}: run `make docs` and look at what changed"
            changed = compare.difference(shown, said)
            assert compare.same(shown, said, exact=exact), f"{where}\n{changed}"


@pytest.mark.parametrize("path", pages.every(), ids=name)
def test_document_has_no_broken_link(path: Path) -> None:
    assert not pages.broken_links(path)


def test_document_marks_each_block_that_is_not_run() -> None:
    for path in pages.every():
        for block in blocks.read(path):
            known = block.language in (*blocks.RUN, *blocks.SHOWN)
            assert known or block.reason, f"{block.where}: say why with <!-- not run: ... -->"


def test_documents_leave_out_only_what_cannot_run_here(capsys: pytest.CaptureFixture[str]) -> None:
    every = [block for path in pages.every() for block in blocks.read(path)]
    left_out = [block for block in every if block.reason]
    with capsys.disabled():
        print("\nnot run here:", *(f"{b.where}: {b.reason}" for b in left_out), sep="\n  ")
    run = [block for block in every if block.runs]
    assert len(left_out) < len(run)


def test_command_line_reference_is_that_of_the_commands() -> None:
    assert pages.COMMAND_LINE.read_text(encoding="utf-8") == commands.text(), "run `make docs`"


def test_figures_are_those_that_the_commands_measure(exact: bool) -> None:
    measured = figures.measure()
    shown = pages.FIGURES.read_text(encoding="utf-8")
    if not exact:  # the versions are named on the page, and are others than those here
        shown = shown.replace(_versions(shown), figures.versions())
    printed = figures.get_printed(pages.README.read_text(encoding="utf-8"))
    for page, now in ((shown, figures.text(measured)), (printed, measured.printed)):
        lines = page.splitlines(), now.splitlines()
        assert compare.same(*lines, exact=exact), f"run `make docs`\n{compare.difference(*lines)}"


def test_families_page_has_what_the_command_measures(exact: bool) -> None:
    page = pages.FAMILIES.read_text(encoding="utf-8")
    rows = list(measure(("decision-tree", "linear"), ("breast_cancer",)))
    assert len(rows) == 2
    table = family_table.lines(rows)
    for row, line in zip(rows, table[2:], strict=True):
        if exact:
            assert line in page, "run `python docs/generate families`"
        assert page.count(f"| {row.family} |") == len(TABLES)
    assert page.count(table[0]) == len(TABLES)
    assert page.count("\n| ") == len(TABLES) * (1 + len(KINDS))


def test_updates_page_has_the_figures_that_the_commands_printed() -> None:
    kept = updates_table.load(pages.UPDATES.with_suffix(".json"))
    page = pages.UPDATES.read_text(encoding="utf-8")
    assert page == updates_table.text(kept), "run `python docs/generate updates`"
    assert kept["powercut"]["failures"] == kept["forgeries"]["accepted"] == 0
    assert kept["powercut"]["cuts"] > 10_000 and kept["forgeries"]["tried"] > 20_000
    assert kept["ota"]["instructions"] <= 100_000_000
    assert kept["ota"]["peak_heap_bytes"] <= 40 * 1024
    assert kept["fleet"]["errors"] == 0


def _versions(text: str) -> str:
    return text.split("repeat exactly:\n")[1].split(".\n")[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model's folder."""
    work = tmp_path_factory.mktemp("model")
    rows = [f"{n % 7},{n % 5},{'ab'[n % 7 > 3]}" for n in range(40)]
    (work / "data.csv").write_text("\n".join(["x,y,label", *rows]), encoding="ascii")
    pipeline.run(TrainSettings(data=work / "data.csv", trees=2)).save(work / "model")
    return work / "model"


def keys(value: Any) -> set[str]:
    """Return the keys of a JSON value at any depth, but for those that the user's data name."""
    if isinstance(value, list):
        return set().union(*map(keys, value))
    if isinstance(value, dict):
        return set(value).union(*map(keys, value.values()))
    return set()


def test_model_folder_reference_names_every_key(folder: Path) -> None:
    text = (ROOT / "docs/reference/model-folder.md").read_text(encoding="utf-8")
    card = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    trees = json.loads((folder / "trees.json").read_text(encoding="utf-8"))
    recipe = {field.name for field in fields(Recipe)}
    found = keys(card) | keys(trees) | recipe
    assert not {key for key in found if key not in words(text)}


def test_report_reference_names_every_key() -> None:
    text = (ROOT / "docs/reference/report-json.md").read_text(encoding="utf-8")
    kinds = (report.Report, report.Data, report.Build, report.Feature, scores.ClassScore)
    found = {field.name for kind in kinds for field in fields(kind)} | {"report_version"}
    assert not {key for key in found if key not in words(text)}


def words(text: str) -> set[str]:
    """Return what stands in backticks, and the parts of dotted names there."""
    quoted = [part.replace("[]", "") for part in text.split("`")[1::2]]
    return {word for part in quoted for word in [part, *part.split(".")]}


def test_readme_begins_with_the_two_commands_of_the_makefile() -> None:
    lines = pages.README.read_text(encoding="utf-8").splitlines()
    indented = [line.split("#")[0].strip() for line in lines if line.startswith("    ")]
    assert indented[:2] == ["make demo", "make test"]
    fence = next(i for i, line in enumerate(lines) if line.startswith("```"))
    assert max(i for i, line in enumerate(lines) if line.startswith("    make")) < fence
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "\ndemo:" in makefile and "\ntest:" in makefile


def test_comparison_finds_another_figure_and_another_word() -> None:
    assert compare.same(["a 1", "...", "z"], ["a 1", "b", "c", "z"], exact=True)
    assert not compare.same(["heap 100"], ["heap 101"], exact=True)
    assert compare.same(["heap 1,000"], ["heap 1,010"], exact=False)
    assert not compare.same(["heap 1,000"], ["heap 2,000"], exact=False)
    assert not compare.same(["heap 1,000"], ["stack 1,000"], exact=False)
    assert not compare.same(["a 1", "...", "z"], ["a 1", "b"], exact=True)
