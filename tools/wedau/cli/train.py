"""wedau train"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wedau.cli import options
from wedau.cli.console import print_json, print_line, print_rows, say
from wedau.errors import DataError
from wedau.report.figures import percent
from wedau.train.settings import TrainSettings

if TYPE_CHECKING:
    from wedau.train.card import Card
    from wedau.train.model import Metrics, TrainedModel

_DEFAULT = TrainSettings()


def train(
    data: Annotated[Path, typer.Argument(help="CSV or Parquet file, or a folder of recordings.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the model.")],
    label: Annotated[str, typer.Option(help="Column with the class.")] = _DEFAULT.label,
    group: Annotated[
        str | None, typer.Option(help="Column with whose row it is: a person, a machine.")
    ] = None,
    recording: Annotated[
        str | None, typer.Option(help="Column that tells recordings apart: a time series each.")
    ] = None,
    time: Annotated[str | None, typer.Option(help="Column with the time of a sample.")] = None,
    time_unit: Annotated[str, typer.Option(help="Its unit: s, ms or us.")] = _DEFAULT.time_unit,
    rate_hz: Annotated[
        float | None, typer.Option(help="Samples a second, if there is no time column.")
    ] = None,
    window_ms: Annotated[float, typer.Option(help="Length of a window.")] = _DEFAULT.window_ms,
    hop_ms: Annotated[
        float | None, typer.Option(help="From one window to the next; default: half a window.")
    ] = None,
    recipe: Annotated[
        Path | None,
        typer.Option(help="JSON file that says which features; its window counts, if it has one."),
    ] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="Column to leave out.")] = None,
    unit: Annotated[
        list[str] | None, typer.Option(help="Unit of a column, such as accel_x=m/s2.")
    ] = None,
    model: Annotated[
        str, typer.Option(metavar="KIND", help="Kind of model, such as mlp; a wrong one lists all.")
    ] = _DEFAULT.model,
    trees: Annotated[int | None, typer.Option(help="Number of trees.")] = None,
    depth: Annotated[int | None, typer.Option(help="Most decisions in a row.")] = None,
    leaves: Annotated[int | None, typer.Option(help="Most leaves of a tree.")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Of boosting and perceptrons.")
    ] = None,
    hidden: Annotated[
        str | None, typer.Option(help="Widths of a perceptron's hidden layers, such as 32,16.")
    ] = None,
    neighbors: Annotated[int | None, typer.Option(help="How many neighbours count.")] = None,
    rows: Annotated[
        int | None, typer.Option(help="Most rows that knn keeps or an elliptic-envelope uses.")
    ] = None,
    components: Annotated[
        int | None, typer.Option(help="Distributions of a gaussian-mixture.")
    ] = None,
    normal: Annotated[
        list[str] | None, typer.Option(help="Label that is normal, for an anomaly model.")
    ] = None,
    unknown: Annotated[
        float | None,
        typer.Option(
            help="Let the board say 'unknown'; share of known data for which it may, such as 0.01."
        ),
    ] = None,
    false_alarms: Annotated[
        float | None, typer.Option(help="Share of normal rows it may call an anomaly.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same data: same model.")] = _DEFAULT.seed,
    name: Annotated[
        str | None, typer.Option(help="Module's name on the board; default: the folder's.")
    ] = None,
    model_version: Annotated[
        str, typer.Option("--model-version", help="The model's own version.")
    ] = _DEFAULT.version,
    json: options.Json = False,
) -> None:
    """Train a model on the grid that the board decides on."""
    from wedau.cli import modules
    from wedau.train import pipeline, plan
    from wedau.train.model import check_replaceable

    settings = TrainSettings(
        data=data,
        label=label,
        group=group,
        recording=recording,
        time=time,
        time_unit=time_unit,
        rate_hz=rate_hz,
        window_ms=window_ms,
        hop_ms=hop_ms,
        recipe=plan.read(recipe) if recipe else None,
        ignore=tuple(ignore or ()),
        units=units_of(unit or []),
        model=model,
        trees=trees,
        depth=depth,
        leaves=leaves,
        learning_rate=learning_rate,
        hidden=_widths(hidden),
        neighbors=neighbors,
        rows=rows,
        components=components,
        normal=tuple(normal or ()),
        false_alarms=false_alarms,
        unknown=unknown,
        seed=seed,
        name=name or output.resolve().name,
        version=model_version,
    )
    check_replaceable(output)
    trained = pipeline.run(settings, say)
    trained.save(output)
    modules.forget(output)
    show(trained, output, json)


def units_of(given: list[str]) -> dict[str, str]:
    """Return the unit of each column that --unit names."""
    units = {}
    for each in given:
        column, equals, unit = each.partition("=")
        if not (column and equals and unit):
            raise DataError(f"--unit {each} names no unit", "write it as --unit accel_x=m/s2")
        units[column] = unit
    return units


def _widths(given: str | None) -> tuple[int, ...] | None:
    if given is None:
        return None
    try:
        return tuple(int(width) for width in given.split(","))
    except ValueError:
        raise DataError(
            f"--hidden {given} names no widths", "write them as --hidden 32 or --hidden 32,16"
        ) from None


def show(model: "TrainedModel", folder: Path, json: bool) -> None:
    """Print what was trained and how good it is on data it has not seen."""
    card, metrics = model.card, model.card.metrics
    if json:
        print_json(_document(model, folder))
        return
    unseen = {"group": card.data.group, "recording": "recording", "row": "row"}[metrics["by"]]
    names = {
        "classifier": ("Classes", ", ".join(card.labels)),
        "regressor": ("Value", _value(card) if card.task == "regressor" else ""),
    }
    print_rows(
        [
            names.get(card.task, ("Kind", "normal or anomaly")),
            ("Rows", f"{card.data.rows:,}, {len(card.features)} features"),
            ("Model", f"{card.family}, {model.program.size}"),
            *_figures(card, f"{unseen}s it never saw"),
        ]
    )
    print_line(f"next: wedau build {folder}")


def _value(card: "Card") -> str:
    low, high = card.metrics["range_unseen"]
    return f"{card.target}, {low:g} to {high:g} {card.target_unit}".rstrip()


def _figures(card: "Card", unseen: str) -> list[tuple[str, str]]:
    metrics = card.metrics
    if card.task == "classifier":
        return [
            ("Accuracy", f"{percent(metrics['accuracy_unseen'])} ({unseen})"),
            *_unknown(metrics.get("unknown")),
        ]
    if card.task == "regressor":
        r2 = metrics["r2_unseen"]
        error = f"{metrics['mean_absolute_error_unseen']:.4g} {card.target_unit}".rstrip()
        return [
            ("R2", f"{'none: all values are the same' if r2 is None else f'{r2:.3f}'} ({unseen})"),
            ("Mean absolute error", error),
        ]
    found = metrics["detection_rate_unseen"]
    return [
        ("False alarms", f"{percent(metrics['false_alarm_rate_unseen'])} ({unseen})"),
        ("Anomalies found", "no anomaly in the data" if found is None else percent(found)),
    ]


def _unknown(figures: "Metrics | None") -> list[tuple[str, str]]:
    if figures is None:
        return []
    found = [share for share in figures["left_out"].values() if share is not None]
    rows = [("Unknown", f"{percent(figures['false_alarm_rate_unseen'])} of known classes")]
    if found:
        mean = percent(sum(found) / len(found))
        rows.append(("Unknown, left out", f"{mean} of a class that it was not trained on"))
    return rows


def _document(model: "TrainedModel", folder: Path) -> dict[str, Any]:
    card, metrics = model.card, model.card.metrics
    return {
        "folder": str(folder),
        "name": card.name,
        "task": card.task,
        "model": card.family,
        "labels": list(card.labels),
        "features": len(card.features),
        "rows": card.data.rows,
        "groups": len(card.data.groups),
        "size": model.program.size,
        "nodes": model.n_nodes,
        **{name: value for name, value in metrics.items() if name.endswith("_unseen")},
        **({"unknown": metrics["unknown"]} if "unknown" in metrics else {}),
        "unseen": metrics["by"],
        "held_out": metrics["held_out"]["rows"],
        "data_sha256": card.data.sha256,
    }
