"""The report's page: safe, self-contained, well-formed, readable."""

import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from report_samples import ALARMS, BARE, EXERCISES, FULL, VALUES, with_labels

from wedau.report import Alarms, Build, Feature, Mismatch, Regression, Report, palette, render
from wedau.report.scatter import scatter

VOID = {"meta", "br", "hr", "img", "input", "link"}
EVIL = "<script>alert('x')</script>\"&"

REPORTS = {
    "full": FULL,
    "bare": BARE,
    "exercises": with_labels(EXERCISES),
    "digits": with_labels(tuple("0123456789")),
    "fifty": with_labels(tuple(f"state {i} " + "long" * (i % 9) for i in range(50))),
    "differs": replace(FULL, differences=1, mismatches=(Mismatch("held-out row 12", "a", "b"),)),
    "one class": replace(FULL, labels=("only",), confusion=((5,),)),
    "data file": replace(FULL, builds=(Build("data", "none", module_bytes=9), *FULL.builds)),
    "values": VALUES,
    "one value": replace(VALUES, regression=Regression("x", None, None, 0.0, 2.0, 2.0, ((2, 2),))),
    "alarms": ALARMS,
    "no alarm to find": replace(ALARMS, alarms=Alarms(0.02, None), confusion=((98, 2), (0, 0))),
    "nothing judged": replace(FULL, confusion=((0,) * 3,) * 3, accuracy_unseen=None),
}


class Page(HTMLParser):
    """Collects a page's tags, ids, texts and the cells of its confusion matrix."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str | None]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open and data.strip():
            self.texts.append(data.strip())

    def values(self, name: str) -> list[str]:
        """Return an attribute's values, in order."""
        return [value or "" for _, found, value in self.attributes if found == name]


@pytest.fixture(params=REPORTS.values(), ids=REPORTS.keys())
def html(request: pytest.FixtureRequest) -> str:
    report: Report = request.param
    return render(report)


def test_page_closes_every_tag(html: str) -> None:
    page = Page(html)
    assert page.open == []
    assert html.startswith("<!DOCTYPE html>")


def test_page_has_unique_ids_and_every_reference_meets_one(html: str) -> None:
    page = Page(html)
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert set(page.values("aria-labelledby")) <= set(ids)


def test_page_loads_nothing(html: str) -> None:
    page = Page(html)
    assert not {"script", "link", "img", "iframe", "object", "embed", "base"} & page.tags.keys()
    assert not page.values("src") + page.values("href")
    assert not re.search(r"https?:|url\(|@import|@font-face", html)
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert "default-src 'none'; style-src 'unsafe-inline'" in page.values("content")


def test_page_is_accessible(html: str) -> None:
    page = Page(html)
    assert ("html", "lang", "en") in page.attributes
    assert page.tags["h1"] == page.tags["title"] == page.tags["main"] == 1
    scopes = [value for tag, name, value in page.attributes if (tag, name) == ("th", "scope")]
    assert len(scopes) == page.tags["th"]
    assert set(scopes) <= {"row", "col"}


def test_page_skips_no_heading_level(html: str) -> None:
    levels = [int(level) for level in re.findall(r"<h([1-6])", html)]
    assert levels[0] == 1
    assert all(b <= a + 1 for a, b in zip(levels, levels[1:], strict=False))


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS.keys())
def test_page_is_the_same_every_time(report: Report) -> None:
    assert render(report) == render(report)


def test_page_escapes_all_text_of_others() -> None:
    report = replace(
        FULL,
        name=EVIL,
        version=EVIL,
        wedau_version=EVIL,
        kind=EVIL,
        labels=(EVIL, "b", "c"),
        features=(Feature(EVIL, EVIL, 1.0), Feature(EVIL)),
        data=replace(
            FULL.data,
            source=EVIL,
            sha256=EVIL,
            columns=(EVIL,),
            group_column=EVIL,
            groups_held_out=(EVIL,),
        ),
        judged=EVIL,
        differences=1,
        mismatches=(Mismatch(EVIL, EVIL, EVIL),),
        builds=(replace(FULL.builds[0], arch=EVIL, compiler=EVIL, board=EVIL),),
        notes=(EVIL,),
    )
    html = render(report)
    assert "<script" not in html
    page = Page(html)
    assert page.open == []
    assert any(EVIL in text for text in page.texts)
    assert not [name for _, name, _ in page.attributes if name == "alert('x')"]


def test_page_of_a_bare_report_says_not_measured_and_nothing_else() -> None:
    texts = Page(render(BARE)).texts
    said = " ".join(texts)
    for title in ("Accuracy", "Board against laptop", "Size", "Work for a decision"):
        assert texts[texts.index(title) + 1] == "not measured"
    assert "0 %" not in said
    assert "None" not in said
    assert "exactly as the laptop" not in said


def test_page_of_a_build_without_figures_says_not_measured() -> None:
    texts = Page(render(FULL)).texts
    # All but "Ran on" and "Compiler" of the second build.
    assert texts.count("not measured") == 13
    assert "no board yet" in texts


def test_page_says_zero_heap_as_zero_and_not_as_unknown() -> None:
    texts = Page(render(FULL)).texts
    assert texts[texts.index("Heap, each call") + 2] == "0 bytes"


def test_page_claims_no_time() -> None:
    words = " ".join(Page(render(FULL)).texts)
    assert not re.search(r"\d\s*(µs|us|microseconds|MHz)\b", words)
    assert "Counted, not timed" in words


def test_page_shows_the_key_figures() -> None:
    texts = Page(render(FULL)).texts
    assert texts[texts.index("Accuracy") + 1] == "84.0\N{NO-BREAK SPACE}%"
    assert texts[texts.index("Board against laptop") + 1] == "0"
    assert texts[texts.index("Size") + 1] == "41.2\N{NO-BREAK SPACE}kB"
    assert texts[texts.index("Work for a decision") + 1] == "1,111"


def test_page_tells_each_mistake_in_words() -> None:
    titles = Page(render(FULL)).values("title")
    assert "cut taken for jam: 10 of 40" in titles
    assert "idle recognised: 40 of 40" in titles


def test_page_explains_a_score_that_is_undefined() -> None:
    never_said = replace(FULL, confusion=((40, 0, 0), (3, 37, 0), (0, 20, 0)))
    texts = Page(render(never_said)).texts
    assert texts.count("–") == 1  # precision of "jam"; its recall and f1 are 0
    explained = "A dash: the class never occurred, or was never said."
    assert any(explained in text for text in texts)
    assert not any(explained in text for text in Page(render(FULL)).texts)


@pytest.mark.parametrize("n_labels", [2, 7, 10, 30, 50])
def test_page_has_a_cell_for_every_pair_of_classes(n_labels: int) -> None:
    html = render(with_labels(tuple(f"class {i}" for i in range(n_labels))))
    matrix = html[html.index('<table class="matrix') :]
    matrix = matrix[: matrix.index("</table>")]
    assert len(re.findall(r'<td class="(?:[rw]\d+|zero)"', matrix)) == n_labels**2
    assert len(re.findall(r'<th scope="col"', matrix)) == n_labels


def test_page_folds_the_features_after_the_fifteenth() -> None:
    features = tuple(Feature(f"f{i}", None, i / 190) for i in range(20))
    html = render(replace(FULL, features=features))
    above, folded = html.split("<details>")
    assert "<summary>5 more</summary>" in folded
    assert ">f19<" in above and ">f5<" in above
    assert ">f4<" in folded and ">f0<" in folded
    assert ">f4<" not in above


def test_page_shows_no_bar_wider_than_its_track() -> None:
    for report in REPORTS.values():
        widths = re.findall(r'style="width:([\d.]+)%"', render(report))
        assert all(0 <= float(width) <= 100 for width in widths)


@pytest.mark.parametrize("theme", [palette.LIGHT, palette.DARK], ids=["light", "dark"])
def test_palette_keeps_every_cells_number_readable(theme: palette.Theme) -> None:
    for full in (theme.right, theme.wrong):
        for at in range(1, palette.STEPS + 1):
            background, text = palette.shade(theme.surface, full, at)
            assert palette.contrast(background, text) >= 4.5


def test_palette_contrast_is_wcags() -> None:
    assert palette.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert palette.contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


def test_palette_shows_even_a_single_mistake() -> None:
    assert palette.step(0) == 0
    assert palette.step(1e-6) == 1
    assert palette.step(0.5) == 5
    assert palette.step(1) == palette.STEPS


def _themes(html: str) -> list[dict[str, str]]:
    """Return the colours of the light theme, and those of the dark one over them."""
    roots = re.findall(r":root \{([^}]*)\}", html)
    colours = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", root)) for root in roots[:2]]
    return [colours[0], {**colours[0], **colours[1]}]


def test_style_has_readable_text_in_both_themes() -> None:
    for colours in _themes(render(FULL)):
        for text in ("ink", "soft", "accent", "good", "bad", "open"):
            for ground in ("page", "surface"):
                assert palette.contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
        assert palette.contrast(colours["ink"], colours["code"]) >= 4.5


def test_style_and_palette_share_the_surface() -> None:
    light, dark = _themes(render(FULL))
    assert light["surface"] == palette.LIGHT.surface
    assert dark["surface"] == palette.DARK.surface


def test_a_data_file_needs_an_engine_and_has_no_code() -> None:
    page = render(REPORTS["data file"])
    assert "No board has run the model yet." in page
    assert "the engine <code>wedau_trees.mpy</code>" in page
    costs = page[page.index("Built for") : page.index("Instructions are counted exactly")]
    rows = {
        r.split("<")[0].strip(): re.findall(r"<td[^>]*>(.*?)</td>", r)
        for r in costs.split('<th scope="row">')
    }
    assert rows["Engine"] == ["not measured", "none needed", "none needed"]
    assert rows["Machine code"][0] == "none"
    assert '<th scope="row">Engine' not in render(FULL)


def test_regressors_page_draws_each_held_out_row() -> None:
    page = Page(render(VALUES))
    assert VALUES.regression is not None
    assert page.tags["circle"] == 1 + len(VALUES.regression.points)  # one is the verdict's
    assert "How near are its values?" in page.texts
    assert "Accuracy" not in page.texts
    assert "matrix" not in page.values("class")


def test_scatter_keeps_within_its_axes_and_says_what_it_leaves_out() -> None:
    points = [(v * 1e6 - 3e8, -v * 1e6) for v in range(1201)]
    drawn = scatter(points)
    assert drawn is not None
    assert len(drawn.points) + drawn.left_out == 1201
    assert len(drawn.points) <= 500
    for x, y in drawn.points:
        assert drawn.left <= x <= drawn.right
        assert drawn.top <= y <= drawn.bottom
    assert [t.text for t in drawn.ticks][0] == "-1.5e+09"
    assert scatter([]) is None
    for alone in (0.0, 5.0, -1e-9):
        assert scatter([(alone, alone)]) is not None


def test_anomaly_models_page_says_what_it_finds() -> None:
    page = Page(render(ALARMS))
    assert "Anomalies found" in page.texts
    assert "False alarms: 2.0\N{NO-BREAK SPACE}% of the normal windows it never saw." in page.texts
