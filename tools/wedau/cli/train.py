"""wedau train"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wedau.cli import options
from wedau.cli.console import print_json, print_line, print_rows, say
from wedau.errors import DataError
from wedau.train.settings import TrainSettings

if TYPE_CHECKING:
    from wedau.train.model import TrainedModel

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
    trees: Annotated[int, typer.Option(help="Number of trees.")] = _DEFAULT.trees,
    depth: Annotated[int, typer.Option(help="Most decisions in a row.")] = _DEFAULT.depth,
    leaves: Annotated[int, typer.Option(help="Most leaves of a tree.")] = _DEFAULT.leaves,
    seed: Annotated[int, typer.Option(help="Same seed, same data: same model.")] = _DEFAULT.seed,
    name: Annotated[
        str | None, typer.Option(help="Module's name on the board; default: the folder's.")
    ] = None,
    model_version: Annotated[
        str, typer.Option("--model-version", help="The model's own version.")
    ] = _DEFAULT.version,
    json: options.Json = False,
) -> None:
    """Train a random forest on the grid that the board decides on."""
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
        units=_units(unit or []),
        trees=trees,
        depth=depth,
        leaves=leaves,
        seed=seed,
        name=name or output.resolve().name,
        version=model_version,
    )
    check_replaceable(output)
    model = pipeline.run(settings, say)
    model.save(output)
    modules.forget(output)
    show(model, output, json)


def _units(given: list[str]) -> dict[str, str]:
    units = {}
    for each in given:
        column, equals, unit = each.partition("=")
        if not (column and equals and unit):
            raise DataError(f"--unit {each} names no unit", "write it as --unit accel_x=m/s2")
        units[column] = unit
    return units


def show(model: "TrainedModel", folder: Path, json: bool) -> None:
    """Print what was trained and how good it is on data it has not seen."""
    card, metrics = model.card, model.card.metrics
    document = {
        "folder": str(folder),
        "name": card.name,
        "labels": list(card.labels),
        "features": len(card.features),
        "rows": card.data.rows,
        "groups": len(card.data.groups),
        "nodes": model.n_nodes,
        "accuracy_unseen": metrics["accuracy_unseen"],
        "unseen": metrics["by"],
        "held_out": metrics["held_out"]["rows"],
        "data_sha256": card.data.sha256,
    }
    if json:
        print_json(document)
        return
    unseen = {"group": card.data.group, "recording": "recording", "row": "row"}[metrics["by"]]
    print_rows(
        [
            ("Classes", ", ".join(card.labels)),
            ("Rows", f"{card.data.rows:,}, {len(card.features)} features"),
            ("Forest", f"{len(model.trees)} trees, {model.n_nodes:,} nodes"),
            ("Accuracy", f"{100 * metrics['accuracy_unseen']:.1f} % ({unseen}s it never saw)"),
        ]
    )
    print_line(f"next: wedau build {folder}")
