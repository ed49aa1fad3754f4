"""The report in words: its verdict, the terminal's rows, and the lines to type at the REPL."""

from dataclasses import dataclass
from typing import Literal

from . import figures, scores
from .judged import Alarms, Regression
from .model import Build, Report

NOT_RUN = "no board yet"

Level = Literal["good", "bad", "open"]


@dataclass(frozen=True)
class Verdict:
    """One sentence about the whole: `bad` must not be used, `open` leaves something unknown."""

    level: Level
    sentence: str


def thing(report: Report) -> str:
    """Return what one row of the data is: "windows" or "rows"."""
    return "rows" if report.data.window_ms is None else "windows"


def first_build(report: Report) -> Build | None:
    """Return the build that stands for the model."""
    return report.builds[0] if report.builds else None


def board_has_run(report: Report) -> bool:
    """Return whether the answers came from a board; else the engine's C gave them on the laptop."""
    build = first_build(report)
    return build is None or not build.is_data or build.board is not None


def compared_in_words(report: Report) -> str:
    """Return what was compared with the model on the laptop."""
    return "Board against laptop" if board_has_run(report) else "Engine, on this laptop"


def accuracy_in_words(report: Report) -> str:
    """Return "1,062 of 1,234 windows it never saw", from the confusion matrix if there is one."""
    if report.confusion is None:
        return f"{thing(report)} it never saw"
    right, total = scores.right(report.confusion), scores.total(report.confusion)
    return f"{right:,} of {total:,} {thing(report)} it never saw"


def replayed_in_words(report: Report) -> str:
    """Return "1,234 held-out windows and 9,876 boundary inputs"."""
    held_out = figures.count(report.held_out, f"held-out {thing(report)}")
    if report.held_out is None:
        held_out = f"held-out {thing(report)} ({figures.NOT_MEASURED})"
    if report.boundary_inputs is None:
        return f"{held_out}; boundary inputs {figures.NOT_MEASURED}"
    return f"{held_out} and {report.boundary_inputs:,} boundary inputs"


def _common_answer(report: Report) -> str | None:
    """Return the class that it would be as good to answer always, None if the model is better."""
    if report.accuracy_unseen is None or report.confusion is None or len(report.labels) < 2:
        return None
    guess = scores.guessing(report.labels, report.confusion)
    return guess[0] if guess is not None and report.accuracy_unseen <= guess[1] else None


def _right(report: Report) -> str:
    """Return the verdict's part on accuracy, without a full stop."""
    if report.regression is not None:
        return _near(report, report.regression)
    if report.alarms is not None:
        return _alarms(report, report.alarms)
    if report.accuracy_unseen is None:
        return "How often it is right was not measured"
    share = figures.percent(report.accuracy_unseen)
    right = f"Right on {share} of the {thing(report)} it never saw"
    common = _common_answer(report)
    return right if common is None else f"{right}, no better than always answering {common}"


def _near(report: Report, near: Regression) -> str:
    off = f"Off by {near.error} on average on the {thing(report)} it never saw"
    return off if near.is_useful else f"{off}, no better than always answering the mean"


def _alarms(report: Report, alarms: Alarms) -> str:
    false = f"{figures.percent(alarms.false_alarm_rate)} of the normal {thing(report)}"
    if alarms.detection_rate is None:
        return f"Calls {false} it never saw an anomaly; there was no anomaly to find"
    found = f"Finds {figures.percent(alarms.detection_rate)} of the anomalies it never saw"
    return f"{found} and calls {false} one"


def _is_useful(report: Report) -> bool:
    """Return whether the model is better than always the same answer."""
    judged = report.regression or report.alarms
    if judged is not None:
        return judged.is_useful
    return report.accuracy_unseen is not None and _common_answer(report) is None


def verdict(report: Report) -> Verdict:
    """Say in one sentence whether the model can be used, and why."""
    right = _right(report)
    if report.differences:
        inputs = f"{report.differences:,} of the inputs"
        if report.replayed:
            inputs = f"{report.differences:,} of {report.replayed:,} inputs"
        return Verdict(
            "bad",
            f"Do not use this module: the board decides {inputs} otherwise than the laptop.",
        )
    if not report.replayed:
        return Verdict("open", f"{right}; the board has not been compared with the laptop yet.")
    if not board_has_run(report):
        return Verdict(
            "open",
            f"{right}, and the board's engine, tried on the laptop, decided every input exactly as "
            "scikit-learn does; no board has run it yet.",
        )
    same = "the board decided every input exactly as the laptop does"
    if report.regression is not None:
        same = "the board's values are the laptop's, as far as its numbers reach"
    return Verdict("good" if _is_useful(report) else "open", f"{right}, and {same}.")


def usage(report: Report) -> str:
    """Return the lines that use the model at a board's REPL."""
    name, zeros = report.name, f"[0] * {len(report.features)}"
    return "\n".join(
        (
            ">>> from array import array",
            f">>> import {name}",
            f'>>> x = array("f", {zeros})  # the values of the features go here',
            *_asking(report),
            f">>> {name}.info",
        )
    )


def _asking(report: Report) -> tuple[str, ...]:
    """Return the lines that ask the model about x."""
    name, near = report.name, report.regression
    if near is not None:
        what = near.target if near.unit is None else f"{near.target} in {near.unit}"
        return ('>>> out = array("f", [0])', f">>> {name}.predict(x, out)[0]  # {what}")
    if report.alarms is not None:
        return (
            f">>> {name}.labels[{name}.predict(x)]",
            '>>> out = array("f", [0])',
            f">>> {name}.decision_function(x, out)[0]  # below 0: an anomaly",
        )
    return (
        f">>> {name}.labels[{name}.predict(x)]",
        f'>>> votes = array("f", [0] * {len(report.labels)})',
        f">>> {name}.predict_proba(x, votes)  # each class's share",
    )


def summary(report: Report) -> list[tuple[str, str]]:
    """Return the rows (name, value) that a terminal shows."""
    build = first_build(report) or Build(arch=figures.NOT_MEASURED, compiler=figures.NOT_MEASURED)
    return [
        ("Model", f"{report.name} {report.version}: {report.kind}"),
        *_judged(report),
        (compared_in_words(report), _differences(report)),
        ("Module", _module(build)),
        ("Heap, import", figures.size(build.heap_bytes)),
        ("Heap, each call", figures.size(build.call_heap_bytes)),
        ("RAM in all, at most", figures.size(build.ram_bytes)),
        ("Instructions a prediction", _instructions(build)),
        ("Instructions, worst case", worst_in_words(build)),
        ("Instructions to import", figures.count(build.import_instructions)),
        ("Ran on", build.board or NOT_RUN),
    ]


def _judged(report: Report) -> list[tuple[str, str]]:
    """Return the rows that say how good the model is."""
    near, alarms = report.regression, report.alarms
    if near is not None:
        unseen = f"({near.span}; {thing(report)} it never saw)"
        return [("Mean absolute error", f"{near.error} {unseen}"), ("R2", near.explained)]
    if alarms is not None:
        found = "no anomaly in the data"
        if alarms.detection_rate is not None:
            found = figures.percent(alarms.detection_rate)
        return [
            ("False alarms, unseen", figures.percent(alarms.false_alarm_rate)),
            ("Anomalies found", found),
        ]
    accuracy = figures.percent(report.accuracy_unseen)
    if report.accuracy_unseen is not None:
        accuracy += f" ({accuracy_in_words(report)})"
    return [("Accuracy, unseen", accuracy)]


def _differences(report: Report) -> str:
    if report.differences is None:
        return figures.NOT_MEASURED
    noun = "difference" if report.differences == 1 else "differences"
    return f"{report.differences:,} {noun} in {replayed_in_words(report)}"


def _module(build: Build) -> str:
    if build.module_bytes is None:
        return figures.NOT_MEASURED
    if not build.is_data:
        return f"{build.module_bytes:,} bytes ({build.arch}, {build.compiler})"
    engine = "the engine" if build.engine_bytes is None else f"{build.engine_bytes:,} of the engine"
    return f"{build.module_bytes:,} bytes (data), and {engine} once for all models"


def worst_in_words(build: Build) -> str:
    """Return "1,302 at most for any input (1,290 found)", or why there is no such bound."""
    if build.instructions_worst_bound is None:
        return f"no bound: {build.unbounded}" if build.unbounded else figures.NOT_MEASURED
    bound = f"{build.instructions_worst_bound:,} at most for any input"
    return f"{bound} ({figures.count(build.instructions_worst_found)} found)"


def _instructions(build: Build) -> str:
    mean = figures.count(build.instructions_mean)
    if build.instructions_min is None or build.instructions_max is None:
        return mean
    return f"{mean} ({figures.spread(build.instructions_min, build.instructions_max)})"
