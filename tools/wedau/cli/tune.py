"""wedau tune"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wedau.cli import options
from wedau.cli.console import print_json, print_line, print_rows, say
from wedau.errors import BuildError, SimError
from wedau.train.settings import TrainSettings

if TYPE_CHECKING:
    from wedau.report.tuning import Tuning

_DEFAULT = TrainSettings()


def tune(
    data: Annotated[Path, typer.Argument(help="CSV or Parquet file, or a folder of recordings.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the model.")],
    budget_instructions: Annotated[
        int | None, typer.Option(min=1, help="Most instructions of any prediction.")
    ] = None,
    budget_flash: Annotated[
        int | None, typer.Option(min=1, help="Most bytes of flash for the model.")
    ] = None,
    models: Annotated[
        str | None,
        typer.Option(metavar="KINDS", help="Kinds to choose from, such as random-forest,mlp."),
    ] = None,
    trials: Annotated[int, typer.Option(min=1, max=100_000, help="How many to try.")] = 60,
    jobs: Annotated[int, typer.Option(help="Processes; -1: one for each core.")] = -1,
    backend: Annotated[
        options.Backend, typer.Option(help="joblib: on this computer; dask: on a Dask cluster.")
    ] = options.Backend.JOBLIB,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Of the cluster: tcp://HOST:PORT.")
    ] = None,
    format: Annotated[
        options.Format | None,
        typer.Option(help="What is built of it; default: native where a compiler is."),
    ] = None,
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
    window_ms: Annotated[
        float, typer.Option(help="Longest window; two thirds and half of it are tried too.")
    ] = _DEFAULT.window_ms,
    hop_ms: Annotated[
        float | None, typer.Option(help="From one window to the next; default: half a window.")
    ] = None,
    recipe: Annotated[
        Path | None,
        typer.Option(help="JSON file with all features that may be used; see 'wedau train'."),
    ] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="Column to leave out.")] = None,
    unit: Annotated[
        list[str] | None, typer.Option(help="Unit of a column, such as accel_x=m/s2.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same data: same result.")] = _DEFAULT.seed,
    name: Annotated[
        str | None, typer.Option(help="Module's name on the board; default: the folder's.")
    ] = None,
    model_version: Annotated[
        str, typer.Option("--model-version", help="The model's own version.")
    ] = _DEFAULT.version,
    micropython: options.Micropython = None,
    json: options.Json = False,
) -> None:
    """Search features and options for the most accurate classifier within a budget."""
    from wedau.cli import modules, tuning
    from wedau.cli.train import units_of
    from wedau.cli.workers import workers
    from wedau.report.tuning import render
    from wedau.train import plan
    from wedau.train.model import check_replaceable
    from wedau.train.tune_cost import Limits

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
        seed=seed,
        name=name or output.resolve().name,
        version=model_version,
    )
    check_replaceable(output)
    built_as = _format(format)
    wanted = tuning.Plan(
        settings=settings,
        models=tuning.choose_models(models, built_as),
        trials=trials,
        limits=Limits(budget_instructions, budget_flash),
        format=built_as,
        micropython=micropython,
    )
    with workers(backend, jobs, scheduler):
        model, result = tuning.run(wanted)
    modules.forget(output)
    texts = (render(result), result.to_json())
    model.save(output, dict(zip(modules.SEARCH, (t.encode() for t in texts), strict=True)))
    show(result, output, json)


def _format(given: options.Format | None) -> options.Format:
    """Return the format that can be built here; native only if it can be measured, too."""
    from wedau.cli import verify

    if given is options.Format.DATA:
        return given
    try:
        verify.check_tools("xtensawin")
    except (BuildError, SimError) as error:
        if given is options.Format.NATIVE:
            hint = f"{error.hint}; or search for a data file: --format data"
            raise type(error)(error.message, hint) from None
        say(f"{error.message}: searching for a data file, whose instructions are estimated")
        return options.Format.DATA
    return options.Format.NATIVE


def show(tuning: "Tuning", folder: Path, json: bool) -> None:
    """Print what was chosen, how good it is and what it takes."""
    from wedau.report.figures import count, percent, size

    if json:
        print_json({"folder": str(folder), **tuning.to_dict()})
        return
    winner, judged = tuning.winner, tuning.judgement
    measured = "" if winner.instructions is not None else " (estimated)"
    default = "" if judged.default is None else f"; the default model {percent(judged.default)}"
    print_rows(
        [
            ("Chosen", f"trial {winner.number} of {len(tuning.points)}: {winner.words}"),
            ("Features", f"{winner.n_features}{_window(winner.window_ms)}"),
            ("Accuracy, search", f"{percent(winner.accuracy)} (the best of many: it flatters)"),
            (
                "Accuracy, set aside",
                f"{percent(judged.chosen)} of {judged.rows:,} rows the search never saw{default}",
            ),
            ("Instructions", f"{count(winner.instructions_best_known)} at most{measured}"),
            ("Size", size(winner.flash_bytes_best_known)),
            ("Report", str(folder / "tuning.html")),
        ]
    )
    data = " --format data" if tuning.format == "data" else ""
    print_line(f"next: wedau build {folder}{data}")


def _window(window_ms: float | None) -> str:
    return "" if window_ms is None else f" of windows of {window_ms:g} ms"
