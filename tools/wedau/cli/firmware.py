"""wedau firmware build"""

import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wedau.cli import options
from wedau.cli.console import bar, print_json, print_line, print_rows, say
from wedau.errors import UsageError

if TYPE_CHECKING:
    from wedau.build.esp32 import Plan
    from wedau.build.sources import Source
    from wedau.build.usermod import Model
    from wedau.build.workshop import Workshop

app = typer.Typer(help="Firmware: MicroPython with Wedau's modules, and models, inside.")

_TO_COME = "not there yet: it would be got from"


@app.callback()
def _firmware() -> None:
    """Keep the verb, though there is one only."""


@app.command()
def build(
    board: Annotated[
        str,
        typer.Option(
            "--board", "-b", help="One of 'wedau boards', or SIM for the simulated board."
        ),
    ],
    model: Annotated[
        list[Path] | None,
        typer.Option("--model", help="Folder of a trained model to build in; may be repeated."),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", help="Folder for the folder of the board's firmware.")
    ] = Path("build/firmware"),
    idf: Annotated[
        Path | None,
        typer.Option(
            "--idf", help="ESP-IDF's folder; default: IDF_PATH, an installed one, Docker."
        ),
    ] = None,
    docker: Annotated[
        bool, typer.Option("--docker", help="Build in Espressif's container image.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be run and made; do nothing.")
    ] = False,
    micropython: options.Micropython = None,
    json: options.Json = False,
) -> None:
    """Build a firmware and put it into one folder, ready for 'wedau flash'."""
    from wedau.cli import firmware_folder

    if idf and docker:
        raise UsageError("--idf and --docker exclude each other", "give one of them")
    models = _load_models(model or [])
    target = out / board
    firmware_folder.check_replaceable(target)
    if board == firmware_folder.SIM:
        if idf or docker:
            raise UsageError("the simulated board is built without ESP-IDF", "leave the option out")
        _build_sim(target, models, micropython, dry_run, json)
    elif dry_run:
        _show_plan(_dry_plan(board, models, micropython, idf, docker), target, json)
    else:
        _build_chip(board, target, models, micropython, idf, docker, json)


def _load_models(folders: list[Path]) -> "tuple[Model, ...]":
    if not folders:
        return ()
    from wedau.cli import built_in

    return tuple(built_in.load(folders))


def _build_chip(
    name: str,
    target: Path,
    models: "tuple[Model, ...]",
    micropython: Path | None,
    idf: Path | None,
    docker: bool,
    json: bool,
) -> None:
    from wedau.build import esp32, sources, workshop
    from wedau.cli import firmware_folder

    board = _load(name)
    at_hand = sources.upstream_at_hand(micropython)
    version = at_hand.version if at_hand else sources.upstream_pin()["version"]
    place = workshop.choose(version, idf, docker)
    work = esp32.new_work_folder()
    if place is None or not (docker or idf or place.is_usable):
        raise workshop.nothing_found()
    place.check(work)
    source = sources.upstream(micropython, say=say)
    settings = esp32.settings(source)
    plan = esp32.Plan(board, source, place, work, settings, models)
    log = target.parent / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    try:
        with bar("compiling") as on_progress:
            built = esp32.build(plan, log, say=say, on_progress=on_progress)
        versions = _versions(source, place.version, settings["SOURCE_DATE_EPOCH"], models)
        manifest = firmware_folder.write_chip(target, board, built, versions)
    finally:
        shutil.rmtree(plan.work, ignore_errors=True)
    _show(manifest, target, json)


def _build_sim(
    target: Path,
    models: "tuple[Model, ...]",
    micropython: Path | None,
    dry_run: bool,
    json: bool,
) -> None:
    from wedau.build import simboard, sources
    from wedau.cli import firmware_folder, workbench

    if dry_run:
        there = sources.micropython(micropython) if micropython else sources.available()
        _show_sim_plan(there, target, json)
        return
    source = workbench.micropython_source(micropython)
    built = simboard.build(source.path, modules=models, say=say)
    manifest = firmware_folder.write_sim(target, built, _versions(source, None, None, models))
    _show(manifest, target, json)


def _load(name: str) -> Any:
    from wedau.build import boards

    if name not in boards.names():
        raise UsageError(f"there is no board {name}", "'wedau boards' lists them; SIM is one, too")
    return boards.load(name)


def _versions(
    source: "Source", idf: str | None, epoch: str | None, models: "tuple[Model, ...]"
) -> Any:
    from wedau.cli.firmware_folder import Versions

    named = {model.info.name: model.info.version for model in models}
    return Versions(source.version, idf, epoch, named)


def _dry_plan(
    name: str,
    models: "tuple[Model, ...]",
    micropython: Path | None,
    idf: Path | None,
    docker: bool,
) -> "tuple[Plan, Workshop | None]":
    """Return the plan as far as it can be made without running or fetching anything."""
    from wedau.build import esp32, sources, workshop

    board = _load(name)
    source = sources.upstream_at_hand(micropython)
    if source is None:
        pin = sources.upstream_pin()
        origin = f"MicroPython {pin['version']}, {_TO_COME} {pin['repository']}, tag {pin['tag']}"
        source = sources.Source(Path("micropython"), pin["version"], origin)
    place = workshop.choose(source.version, idf, docker)
    work = esp32.new_work_folder()
    return esp32.Plan(board, source, place or workshop.container(), work, {}, models), place


def _show_plan(planned: "tuple[Plan, Workshop | None]", target: Path, json: bool) -> None:
    from wedau.build import esp32, idf, sources
    from wedau.cli import firmware_folder

    plan, place = planned
    lacking = sources.missing_parts(plan.source.path)
    there = (plan.source.path / "py").is_dir()
    files = [*esp32.image_names(), *firmware_folder.file_names()]
    document = {
        "board": plan.board.name,
        "micropython": plan.source.origin,
        "missing": lacking if there else [],
        "esp_idf": str(place) if place else None,
        "pair": idf.check_pair(plan.source.version, plan.place.version),
        "models": [model.info.name for model in plan.models],
        "environment": plan.variables,
        "commands": plan.started,
        "files": [str(target / name) for name in files],
        "log": str(target.parent / f"{plan.board.name}.log"),
    }
    if json:
        print_json(document)
        return
    rows = [("board", plan.board.name), ("MicroPython", plan.source.origin)]
    if there and lacking:
        rows.append(("missing", f"{', '.join(lacking)}: would be got from its repository"))
    rows.append(("ESP-IDF", str(place) if place else f"none here; with Docker: {plan.place}"))
    rows.append(("pair", str(document["pair"])))
    rows += [("model", model.info.name) for model in plan.models]
    rows.append(("repeatable", ", ".join(esp32.SETTINGS) + " are set from MicroPython's source"))
    rows += [("set", f"{name}={value}") for name, value in plan.variables.items()]
    rows += [("run", shlex.join(command)) for command in plan.started]
    rows += [("make", str(target / name)) for name in files]
    print_rows([*rows, ("log", str(document["log"]))])


def _show_sim_plan(source: "Source | None", target: Path, json: bool) -> None:
    origin = source.origin if source else f"MicroPython, {_TO_COME} its repository or Debian"
    files = [str(target / name) for name in ("firmware.elf", "libicount.so", "manifest.json")]
    if json:
        print_json({"board": "SIM", "micropython": origin, "files": files})
        return
    print_rows([("board", "SIM"), ("MicroPython", origin), *(("make", name) for name in files)])


def _show(manifest: dict[str, Any], target: Path, json: bool) -> None:
    if json:
        print_json({"folder": str(target), **manifest})
        return
    for image in manifest["images"]:
        where = f"{image['offset']:#010x}  " if "offset" in image else ""
        print_line(f"{where}{image['size']:>9,}  {image['sha256'][:16]}  {image['file']}")
    app = manifest.get("app")
    if app:
        print_line(
            f"program {app['size']:,} of {app['slot_bytes']:,} bytes, "
            f"{app['free_share']:.0%} of its slot free"
        )
        say(f"put it onto the board: wedau flash --board {manifest['board']} --image {target}")
    else:
        say(f"start it: wedau sim start --firmware {target}")
    print_line(str(target))
