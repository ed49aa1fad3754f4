"""How good a trained model is, for its report."""

from typing import Any

from wedau.report import Alarms, Regression
from wedau.report.figures import percent, value
from wedau.train.model import TrainedModel


def quality(model: TrainedModel) -> dict[str, Any]:
    """Return the fields of Report that say how good the model is, and how that was found."""
    card, metrics = model.card, model.card.metrics
    fields: dict[str, Any] = {"judged": judged(model)}
    if card.task == "regressor":
        rows = model.held_out
        low, high = metrics["range_unseen"]
        fields["regression"] = Regression(
            target=card.target,
            unit=card.target_unit or None,
            r2=metrics["r2_unseen"],
            mean_absolute_error=metrics["mean_absolute_error_unseen"],
            low=low,
            high=high,
            points=list(zip(rows.y.tolist(), rows.predicted.tolist(), strict=True)),
        )
        return fields
    if card.task == "anomaly":
        fields["alarms"] = Alarms(
            metrics["false_alarm_rate_unseen"], metrics["detection_rate_unseen"]
        )
    return fields | {
        "accuracy_unseen": metrics["accuracy_unseen"],
        "confusion": metrics["confusion"],
    }


def judged(model: TrainedModel) -> str:
    """Return sentences that say how the figures were found."""
    card, metrics = model.card, model.card.metrics
    folds, own = len(metrics["folds"]), metrics["held_out"]
    if metrics["by"] == "given":
        return (
            f"Converted from an estimator that was trained elsewhere. On the {own['rows']} rows "
            f"that were given with it {_own(model)}; whether it had seen them, nothing here knows."
        )
    apart = {
        "group": f"no {card.data.group} was ever in both",
        "recording": "recordings were kept whole",
        "row": "rows were split at random",
    }[metrics["by"]]
    learnt = "It learns from normal rows only. " if card.task == "anomaly" else ""
    return (
        f"{learnt}Cross-validated in {folds} folds, trained on some, judged on the rest; {apart}. "
        f"The model built here is that of the first fold; on its own {own['rows']} held-out rows "
        f"{_own(model)}.{_searched(model)}{unknown(model)}"
    )


def _searched(model: TrainedModel) -> str:
    """Return a sentence if the model was chosen among many by such figures, with a space before."""
    search = model.card.metrics.get("search")
    if search is None:
        return ""
    return (
        f" It was chosen as the best of {search['trials']} trials, which flatters the figure over "
        "all folds; the search never saw the rows of the first one."
    )


def unknown(model: TrainedModel) -> str:
    """Return sentences that say how often a model says "unknown"; empty if it never does."""
    figures = model.card.metrics.get("unknown")
    if figures is None:
        return ""
    known = percent(figures["false_alarm_rate_unseen"])
    text = (
        f" It says unknown to {known} of held-out rows of the known classes, which counts as wrong"
    )
    found = {k: percent(v) for k, v in figures["left_out"].items() if v is not None}
    if not found:
        return f"{text}."
    shares = ", ".join(f"{label} {share}" for label, share in found.items())
    return (
        f"{text}. To rows of a class that was left out of training it says so as often: {shares}."
    )


def _own(model: TrainedModel) -> str:
    card, own = model.card, model.card.metrics["held_out"]
    if card.task == "regressor":
        return f"it is off by {value(own['mean_absolute_error'], card.target_unit)} on average"
    return f"it is right in {percent(own['accuracy'])}"
