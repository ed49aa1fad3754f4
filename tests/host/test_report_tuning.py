"""The report on a search: its front, its JSON, its page."""

import json
import re
from dataclasses import replace

import pytest
from test_report_html import EVIL, Page

from wedau.report import tuning
from wedau.report.tuning import Judgement, Point, Tuning


def point(number: int, accuracy: float | None, guess: int, **more: object) -> Point:
    made = Point(number, "random-forest", {"trees": 5}, 500.0, ("rms",), 6, accuracy)
    if accuracy is None:
        return replace(made, refused="too few rows")
    return replace(made, instructions_estimated=guess, flash_bytes_estimated=10 * guess, **more)


POINTS = (
    point(0, 0.9, 2000),
    point(1, 0.8, 700, instructions=710, flash_bytes=8000, instructions_mean=500.5),
    point(2, 0.7, 800),
    point(3, 0.5, 300),
    point(4, None, 0),
    point(5, 0.85, 900, instructions=1010, flash_bytes=9000, refused="takes too much"),
)
SEARCH = Tuning(
    name="saw",
    wedau_version="1.2.3",
    source="data.csv",
    apart="group",
    seed=0,
    format="native",
    budget_instructions=1000,
    budget_flash=None,
    points=POINTS,
    chosen=1,
    judgement=Judgement(120, ["Ann", "Bob"], 0.78, 0.82),
    notes=["A note."],
)
SEARCHES = {
    "usual": SEARCH,
    "no budget": replace(SEARCH, budget_instructions=None, chosen=0),
    "one trial": replace(SEARCH, points=POINTS[:1], chosen=0),
    "all alike": replace(SEARCH, points=[point(i, 1.0, 500) for i in range(3)], chosen=2),
    "ready features": replace(SEARCH, points=[replace(p, window_ms=None) for p in POINTS]),
    "tight": replace(SEARCH, budget_instructions=1, budget_flash=10**7),
}


def test_front_has_what_no_cheaper_one_is_as_good_as() -> None:
    found = tuning.front(POINTS, lambda p: p.instructions_best_known)
    assert [p.number for p in found] == [3, 1, 5, 0]


def test_json_tells_how_far_estimates_were_off() -> None:
    document = json.loads(SEARCH.to_json())
    assert document["estimate_off_at_most"]["instructions"] == pytest.approx(110 / 1010)
    assert document["estimate_off_at_most"]["flash_bytes"] == pytest.approx(1000 / 8000)
    assert document["front"]["instructions"] == [3, 1, 5, 0]
    assert document["points"][1]["instructions"] == 710
    assert document["points"][4]["accuracy"] is None
    assert json.loads(replace(SEARCH, points=POINTS[:1], chosen=0).to_json())[
        "estimate_off_at_most"
    ] == {"instructions": None, "flash_bytes": None}


@pytest.mark.parametrize("name", SEARCHES)
def test_page_is_well_formed_and_sends_nothing(name: str) -> None:
    html = tuning.render(SEARCHES[name])
    page = Page(html)
    assert page.open == []
    assert not page.tags.keys() & {"script", "link", "img", "iframe"}
    assert not [v for _, n, v in page.attributes if n in ("src", "href") or n.startswith("on")]
    assert html == tuning.render(SEARCHES[name])


@pytest.mark.parametrize("name", SEARCHES)
def test_every_trial_is_in_both_plots_inside_the_frame(name: str) -> None:
    search = SEARCHES[name]
    html = tuning.render(search)
    trained = [p for p in search.points if p.accuracy is not None]
    marks = re.findall(r'<circle class="k\d[^"]*" cx="([\d.]+)" cy="([\d.]+)"', html)
    assert len(marks) == 2 * len(trained)
    for x, y in marks:
        assert tuning.LEFT <= float(x) <= tuning.WIDTH - tuning.RIGHT
        assert tuning.TOP <= float(y) <= tuning.HEIGHT - tuning.BOTTOM


def test_page_tells_estimated_from_measured() -> None:
    html = tuning.render(SEARCH)
    assert "trial 1: random-forest, trees 5; 80.0 %, 710 measured" in html
    assert "trial 2: random-forest, trees 5; 70.0 %, 800 estimated" in html
    assert "about 2,000" in html
    assert html.count('class="budget"') == 1


def test_page_shows_both_accuracies() -> None:
    texts = " ".join(Page(tuning.render(SEARCH)).texts)
    assert "78.0 %" in texts
    assert "80.0 %" in texts
    assert "The default model: 82.0 %" in texts


def test_page_quotes_what_comes_from_outside() -> None:
    named = replace(SEARCH, name=EVIL, source=EVIL, points=[replace(POINTS[0], model=EVIL)])
    html = tuning.render(replace(named, chosen=0))
    assert EVIL not in html
    assert Page(html).tags["script"] == 0
