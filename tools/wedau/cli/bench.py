"""wedau bench"""

import typer

from wedau.cli import options
from wedau.cli.console import print_json, print_rows

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
