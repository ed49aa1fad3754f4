"""The report's JSON: its keys, its bytes, and the figures it computes itself."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_samples import BARE, FULL
from sklearn.metrics import precision_recall_fscore_support

from wedau.report import Report

GOLDEN = Path(__file__).parents[1] / "golden" / "report_v1.json"


def test_json_equals_the_golden_file() -> None:
    assert FULL.to_json() == GOLDEN.read_text(encoding="utf-8")


def test_json_says_the_golden_files_version() -> None:
    assert GOLDEN.stem == f"report_v{FULL.to_dict()['report_version']}"


def test_json_has_the_same_keys_when_nothing_was_measured() -> None:
    bare = BARE.to_dict()
    assert bare.keys() == FULL.to_dict().keys()
    assert bare["accuracy_unseen"] is None
    assert bare["per_class"] is None
    assert bare["data"].keys() == FULL.to_dict()["data"].keys()


def test_json_takes_numpys_numbers() -> None:
    report = replace(
        FULL,
        confusion=np.array(FULL.confusion),
        accuracy_unseen=np.float64(0.84),
        held_out=np.int64(100),
    )
    assert report.to_json() == FULL.to_json()


def test_json_refuses_nan() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        replace(FULL, accuracy_unseen=math.nan).to_json()


def test_json_keeps_labels_as_they_are() -> None:
    report = replace(BARE, labels=("Säge läuft", "</script>"))
    assert json.loads(report.to_json())["labels"] == ["Säge läuft", "</script>"]


@pytest.mark.parametrize(
    ("confusion", "message"),
    [
        (((1, 0), (0, 1)), "has to be 3 x 3"),
        (((1, 0, 0), (0, 1), (0, 0, 1)), "has to be 3 x 3"),
        (((1, 0, 0), (0, -1, 0), (0, 0, 1)), "negative"),
    ],
)
def test_report_refuses_a_confusion_matrix_that_does_not_fit(
    confusion: tuple[tuple[int, ...], ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        replace(FULL, confusion=confusion)


def test_report_refuses_no_labels() -> None:
    with pytest.raises(ValueError, match="at least one label"):
        replace(BARE, labels=())


def test_per_class_of_an_example_a_person_can_check() -> None:
    assert FULL.per_class is not None
    cut = FULL.per_class[1]
    assert (cut.label, cut.support) == ("cut", 40)
    assert cut.recall == 27 / 40
    assert cut.precision == 27 / 30
    assert cut.f1 == 2 * 27 / (40 + 30)


@st.composite
def _confusions(draw: st.DrawFn) -> list[list[int]]:
    n = draw(st.integers(2, 6))
    row = st.lists(st.integers(0, 9), min_size=n, max_size=n)
    return draw(st.lists(row, min_size=n, max_size=n).filter(lambda c: sum(map(sum, c)) > 0))


@given(_confusions())
def test_per_class_equals_scikit_learns(confusion: list[list[int]]) -> None:
    n = len(confusion)
    pairs = [(i, j) for i in range(n) for j in range(n) for _ in range(confusion[i][j])]
    true, predicted = zip(*pairs, strict=True)
    expected = precision_recall_fscore_support(
        true, predicted, labels=range(n), zero_division=np.nan
    )
    report = Report(**{**vars(BARE), "labels": tuple(map(str, range(n))), "confusion": confusion})
    assert report.per_class is not None
    found = [(c.precision, c.recall, c.f1, c.support) for c in report.per_class]
    ours = np.array(found, dtype=float).T  # None becomes NaN
    np.testing.assert_allclose(ours, np.array(expected, dtype=float), rtol=1e-12)
