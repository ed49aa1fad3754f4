"""The commands of `wedau`, one file a verb."""

from typing import Annotated

import typer

from wedau import __version__
from wedau.cli import (
    bench,
    boards,
    build,
    build_engine,
    demo,
    devices,
    doctor,
    firmware,
    flash,
    ota,
    predict,
    push,
    release,
    repl,
    selftest,
    sim,
    train,
    tune,
)

app = typer.Typer(
    name="wedau",
    help="Train a classifier on what a sensor saw and run it on a MicroPython board.",
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"wedau {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Options that stand before any command; run() reads --debug."""


app.command("train")(train.train)
app.command("tune")(tune.tune)
app.command("build")(build.build)
app.command("build-engine")(build_engine.build_engine)
app.command("devices")(devices.devices)
app.command("flash")(flash.flash)
app.command("push")(push.push)
app.command("predict")(predict.predict)
app.command("repl")(repl.repl)
app.command("selftest")(selftest.selftest)
app.command("boards")(boards.boards)
app.command("doctor")(doctor.doctor)
app.command("demo")(demo.demo)
app.add_typer(firmware.app, name="firmware")
app.add_typer(sim.app, name="sim")
app.add_typer(ota.app, name="ota")
app.add_typer(bench.app, name="bench")
app.add_typer(release.app, name="release")
