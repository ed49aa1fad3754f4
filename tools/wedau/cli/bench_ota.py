"""wedau bench powercut, wedau bench ota"""

from typing import Annotated

import typer

from wedau.cli import options
from wedau.cli.console import print_json, print_rows, say
from wedau.errors import CheckError


def powercut(
    quick: Annotated[
        bool, typer.Option("--quick", help="Cut again in one of eight recoveries only.")
    ] = False,
    micropython: options.Micropython = None,
    json: options.Json = False,
) -> None:
    """Cut the power at every flash operation of an update, and of every recovery from that."""
    from wedau.cli import powercut as trial
    from wedau.cli.workbench import sim_firmware

    figures = trial.measure(sim_firmware(micropython, whole=True), every=8 if quick else 1, say=say)
    shown = {
        "cuts": figures.cuts,
        "failures": len(figures.failures),
        "operations": sum(figures.operations.values()),
        "modes": len(trial.MODES),
        "operations_model": figures.operations["model"],
        "operations_firmware": figures.operations["firmware"],
        "runs": figures.runs,
        "foretold": figures.foretold,
        "checked": figures.checked,
    }
    if json:
        print_json(shown)
    else:
        print_rows((name.replace("_", " "), f"{value:,}") for name, value in shown.items())
    for failure in figures.failures:
        say(failure)
    if figures.failures:
        raise CheckError(
            f"{len(figures.failures)} boards did not recover from a loss of power",
            "this is a bug: report the lines above",
        )


def ota(micropython: options.Micropython = None, json: options.Json = False) -> None:
    """Measure an update of a model of 40 kB on the simulated board, from poll to confirmed."""
    from wedau.cli import measuring_ota

    figures = measuring_ota.measure(micropython)
    if json:
        print_json(vars(figures))
    else:
        print_rows((name.replace("_", " "), f"{value:,}") for name, value in vars(figures).items())
