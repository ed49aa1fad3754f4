"""wedau bench"""

from pathlib import Path
from typing import Annotated, Any

import typer

from wedau.cli import bench_ota, options
from wedau.cli.console import print_json, print_rows, say
from wedau.errors import CheckError

app = typer.Typer(help="Measure on the simulated board.")


@app.callback()
def group() -> None:
    """Measure on the simulated board."""


@app.command("digits")
def digits(micropython: options.Micropython = None, json: options.Json = False) -> None:
    """Measure the reference forest: 20 trees of depth 8 on scikit-learn's digits."""
    from wedau.cli import measuring

    figures = measuring.digits(micropython)
    if json:
        print_json(vars(figures))
    else:
        print_rows((name.replace("_", " "), f"{value:,}") for name, value in vars(figures).items())


@app.command("families")
def families(
    family: Annotated[list[str] | None, typer.Option(help="Only this kind of model.")] = None,
    data: Annotated[list[str] | None, typer.Option(help="Only this data set.")] = None,
    micropython: options.Micropython = None,
    json: options.Json = False,
) -> None:
    """Measure every family on digits, wine, breast cancer and the smartwatch data."""
    from wedau.cli import measuring_families

    rows = list(measuring_families.measure(family or (), data or (), micropython))
    if json:
        print_json([vars(row) for row in rows])
        return
    print_rows((f"{row.family}, {row.data}", _costs(vars(row))) for row in rows)


def _costs(row: dict[str, Any]) -> str:
    bound = row["instructions_worst_bound"]
    return ", ".join(
        [
            f"{row['differences']} differences in {row['rows']:,}",
            f"error {row['max_probability_error']:g}",
            f"{row['instructions_mean']:,.0f} instructions",
            "no bound" if bound is None else f"at most {bound:,}",
            f"{row['flash_bytes']:,} B of flash",
            f"{row['ram_bytes'] or 0:,} B of RAM",
        ]
    )


@app.command("alternatives")
def alternatives(
    outside: Annotated[
        list[Path] | None, typer.Option(help="Folder with an implementation and its adapter.py.")
    ] = None,
    name: Annotated[list[str] | None, typer.Option(help="Only this alternative.")] = None,
    data: Annotated[list[str] | None, typer.Option(help="Only this data set.")] = None,
    model: Annotated[list[str] | None, typer.Option(help="Only this model, as trees-20.")] = None,
    micropython: options.Micropython = None,
    json: options.Json = False,
) -> None:
    """Measure other ways from a model to a board beside ours: the same models, the same board."""
    from wedau.cli import measuring_alternatives as measuring

    rows = list(measuring.measure(outside or (), name or (), data or (), model or (), micropython))
    if json:
        print_json([vars(row) for row in rows])
        return
    print_rows((f"{row.name}, {_model(vars(row))}", _measured(vars(row))) for row in rows)


def _model(row: dict[str, Any]) -> str:
    return f"{row['data']}, {row['trees']} trees" if row["trees"] else f"{row['data']}, perceptron"


def _measured(row: dict[str, Any]) -> str:
    if row["instructions_mean"] is None:
        return f"not measured: {row['note']}"
    return ", ".join(
        [
            f"{row['instructions_mean']:,.0f} instructions",
            f"{row['load_instructions']:,} to load",
            f"{row['heap_bytes']:,} B of heap",
            f"{row['flash_bytes']:,} B of flash",
            f"{row['differences']} differences",
        ]
    )


@app.command("features")
def features(json: options.Json = False) -> None:
    """Measure how fast this machine computes features, against NumPy a window at a time."""
    from wedau.bench import features as bench

    figures = bench.measure()
    if json:
        print_json(vars(figures))
    else:
        print_rows((name.replace("_", " "), f"{value:,}") for name, value in vars(figures).items())


@app.command("fleet")
def fleet(
    nodes: Annotated[int, typer.Option(help="How many poll.", min=1)] = 1000,
    json: options.Json = False,
) -> None:
    """Measure how many polls a fleet server on this machine answers."""
    from wedau.cli import fleet_load

    figures = vars(fleet_load.measure(nodes))
    if json:
        print_json(figures)
    else:
        print_rows((name.replace("_", " "), f"{value:,}") for name, value in figures.items())


@app.command("forgeries")
def forgeries(
    every: Annotated[int, typer.Option(help="Flip only each n-th bit of the metadata.", min=1)] = 1,
    micropython: options.Micropython = None,
    json: options.Json = False,
) -> None:
    """Forge updates in every way known, and see whether a node takes one."""
    from wedau.cli import forging
    from wedau.cli.workbench import sim_firmware

    firmware = sim_firmware(micropython, whole=True)
    figures = forging.measure(firmware, every=every, say=say)
    if json:
        print_json(vars(figures))
    else:
        counts = ("tried", "accepted", "changed", "misnamed")
        print_rows((name, f"{getattr(figures, name):,}") for name in counts)
        print_rows((kind, _codes(codes)) for kind, codes in figures.refused.items())
    if figures.accepted or figures.changed or figures.misnamed:
        raise CheckError(
            "a node took a forgery, or did not say what was wrong with it",
            "this is a bug: report what was printed",
        )


def _codes(codes: dict[str, int]) -> str:
    return ", ".join(f"{code} {count:,}" for code, count in codes.items())


app.command("powercut")(bench_ota.powercut)
app.command("ota")(bench_ota.ota)


@app.command("endurance")
def endurance(
    predictions: Annotated[int, typer.Option(min=0, help="How many in a row.")] = 1_000_000,
    loads: Annotated[int, typer.Option(min=0, help="How often to load and unload.")] = 10_000,
    pushes: Annotated[int, typer.Option(min=0, help="How many to cut off.")] = 1_000,
    micropython: options.Micropython = None,
    json: options.Json = False,
) -> None:
    """Predict, load and push very often; the heap has to stay flat, every board has to decide."""
    from wedau.cli import enduring

    endured = enduring.endure(predictions, loads, pushes, micropython)
    if json:
        print_json(vars(endured))
    else:
        print_rows((name.replace("_", " "), f"{value:,}") for name, value in vars(endured).items())
    endured.check()
