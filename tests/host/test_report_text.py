"""The report in words: figures, verdicts, the terminal's rows and the REPL's lines."""

from dataclasses import replace

import pytest
from report_samples import ALARMS, BARE, FULL, VALUES

from wedau.report import Alarms, Build, figures, scores, summary, text, usage


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (None, "not measured"),
        (0.0, "0 %"),
        (0.0001, "0.1 %"),
        (0.8614, "86.1 %"),
        (0.99999, "99.9 %"),
        (1.0, "100 %"),
    ],
)
def test_percent_keeps_0_and_100_for_what_is_exactly_so(share: float | None, words: str) -> None:
    assert figures.percent(share) == words


@pytest.mark.parametrize(
    ("n_bytes", "words"),
    [
        (None, "not measured"),
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (41234, "41.2 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (6_291_456, "6.3 MB"),
    ],
)
def test_size_chooses_its_unit(n_bytes: int | None, words: str) -> None:
    assert figures.size(n_bytes) == words


def test_count_and_number_are_for_people() -> None:
    assert figures.count(1111.4) == "1,111"
    assert figures.count(12, "rows") == "12 rows"
    assert figures.number(50.0, "Hz") == "50 Hz"
    assert figures.number(12.5, "Hz") == "12.5 Hz"
    assert figures.spread(None, 3) == "not measured"


def test_summary_shows_what_was_measured() -> None:
    assert summary(FULL) == [
        ("Model", "saw 3: random forest, 20 trees, depth 8, 3526 nodes"),
        ("Accuracy, unseen", "84.0 % (84 of 100 windows it never saw)"),
        ("Board against laptop", "0 differences in 100 held-out windows and 1,234 boundary inputs"),
        ("Module", "41,234 bytes (xtensawin, clang 22.1.8)"),
        ("Heap, import", "18.3 kB"),
        ("Heap, each call", "0 bytes"),
        ("RAM in all, at most", "18.6 kB"),
        ("Instructions a prediction", "1,111 (912 to 1,302)"),
        ("Instructions, worst case", "1,382 at most for any input (1,340 found)"),
        ("Instructions to import", "1,804,321"),
        ("Ran on", "simulated ESP32-S3"),
    ]


def test_summary_invents_nothing() -> None:
    rows = dict(summary(BARE))
    assert rows.pop("Model") == "saw 1: random forest"
    assert rows.pop("Ran on") == "no board yet"
    assert set(rows.values()) == {"not measured"}


def test_summary_counts_one_difference_as_one() -> None:
    rows = dict(summary(replace(FULL, differences=1)))
    assert rows["Board against laptop"].startswith("1 difference in ")


def test_verdict_of_a_good_model() -> None:
    verdict = text.verdict(FULL)
    assert verdict.level == "good"
    assert verdict.sentence == (
        "Right on 84.0 % of the windows it never saw,"
        " and the board decided every input exactly as the laptop does."
    )


def test_verdict_forbids_a_module_that_differs() -> None:
    verdict = text.verdict(replace(FULL, differences=2))
    assert verdict.level == "bad"
    assert verdict.sentence.startswith("Do not use this module: the board decides 2 of 1,334 ")


def test_verdict_is_open_without_a_comparison() -> None:
    for unknown in (
        replace(FULL, differences=None),
        replace(FULL, held_out=None),
        replace(FULL, held_out=0, boundary_inputs=0),
    ):
        assert text.verdict(unknown).level == "open"
        assert "not been compared" in text.verdict(unknown).sentence


def test_verdict_is_open_without_an_accuracy() -> None:
    verdict = text.verdict(replace(FULL, accuracy_unseen=None))
    assert verdict.level == "open"
    assert verdict.sentence.startswith("How often it is right was not measured")


def test_verdict_names_the_guess_that_would_do_as_well() -> None:
    guessing = replace(FULL, confusion=((60, 0, 0), (40, 0, 0), (0, 0, 0)), accuracy_unseen=0.6)
    verdict = text.verdict(guessing)
    assert verdict.level == "open"
    assert "no better than always answering idle" in verdict.sentence


def test_mixups_are_the_largest_first() -> None:
    assert FULL.confusion is not None
    found = scores.mixups(FULL.labels, FULL.confusion, most=2)
    assert [(m.true, m.predicted, m.count, m.support) for m in found] == [
        ("cut", "jam", 10, 40),
        ("cut", "idle", 3, 40),
    ]


def test_usage_is_python_with_the_models_name_and_widths() -> None:
    lines = [line.removeprefix(">>> ") for line in usage(FULL).splitlines()]
    compile("\n".join(lines), "usage", "exec")
    assert "import saw" in lines
    assert any(line.startswith('x = array("f", [0] * 3)') for line in lines)
    assert "saw.labels[saw.predict(x)]" in lines


DATA_BUILD = Build(arch="data", compiler="none", module_bytes=5678)


def test_a_data_file_that_no_board_has_run_says_so() -> None:
    report = replace(FULL, builds=(DATA_BUILD,))
    shown = dict(summary(report))
    assert shown["Engine, on this laptop"].startswith("0 differences")
    assert "Board against laptop" not in shown
    assert shown["Module"] == "5,678 bytes (data), and the engine once for all models"
    assert shown["Ran on"] == "no board yet"
    verdict = text.verdict(report)
    assert verdict.level == "open"
    assert verdict.sentence.endswith("as scikit-learn does; no board has run it yet.")


def test_a_data_file_that_a_board_has_run_is_good_as_a_module_is() -> None:
    build = replace(DATA_BUILD, board="simulated ESP32-S3", engine_bytes=5792)
    report = replace(FULL, builds=(build,))
    shown = dict(summary(report))
    assert shown["Board against laptop"].startswith("0 differences")
    assert shown["Module"] == "5,678 bytes (data), and 5,792 of the engine once for all models"
    assert text.verdict(report) == text.verdict(FULL)


def test_regressor_is_judged_by_its_error() -> None:
    verdict = text.verdict(VALUES)
    assert verdict.level == "good"
    assert verdict.sentence.startswith("Off by 1.25 kg on average on the windows it never saw, and")
    rows = dict(summary(VALUES))
    assert rows["Mean absolute error"] == "1.25 kg (0 to 39 kg; windows it never saw)"
    assert rows["R2"] == "0.875"
    assert ">>> saw.predict(x, out)[0]  # load in kg" in text.usage(VALUES).splitlines()
    assert VALUES.regression is not None
    useless = replace(VALUES, regression=replace(VALUES.regression, r2=-0.1))
    assert text.verdict(useless).level == "open"
    assert "no better than always answering the mean" in text.verdict(useless).sentence


def test_anomaly_model_is_judged_by_its_alarms() -> None:
    assert text.verdict(ALARMS).sentence.startswith(
        "Finds 75.0 % of the anomalies it never saw and calls 2.0 % of the normal windows one, and"
    )
    rows = dict(summary(ALARMS))
    assert (rows["False alarms, unseen"], rows["Anomalies found"]) == ("2.0 %", "75.0 %")
    assert ">>> saw.decision_function(x, out)[0]  # below 0: an anomaly" in text.usage(ALARMS)
    for alarms in (Alarms(0.02, None), Alarms(0.02, 0.01)):
        assert text.verdict(replace(ALARMS, alarms=alarms)).level == "open"
