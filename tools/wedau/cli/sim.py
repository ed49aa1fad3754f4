"""wedau sim start|stop|list"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wedau.cli import options
from wedau.cli.console import print_json, print_line, print_rows, say
from wedau.errors import SimError, UsageError

if TYPE_CHECKING:
    from wedau.sim.boards import SimBoard

app = typer.Typer(help="Simulated ESP32-S3 boards, each on a serial port.")

Name = Annotated[str | None, typer.Argument(help="Name of the board.", show_default=False)]


def _document(board: "SimBoard") -> dict[str, Any]:
    return {
        "name": board.name,
        "port": board.port,
        "pid": board.pid,
        "flash": str(board.flash),
        "instructions": board.instructions(),
    }


@app.command()
def start(
    name: Name = None,
    heap: Annotated[int | None, typer.Option("--heap", help="Heap in bytes.")] = None,
    flash: Annotated[int | None, typer.Option("--flash", help="File system in bytes.")] = None,
    firmware: Annotated[
        Path | None,
        typer.Option("--firmware", help="Folder that 'wedau firmware build --board SIM' made."),
    ] = None,
    micropython: options.Micropython = None,
    json: options.Json = False,
) -> None:
    """Start a board; prints its port."""
    from wedau.cli.firmware_folder import load_sim
    from wedau.cli.workbench import sim_firmware, sim_partitions
    from wedau.sim import boards

    built = load_sim(firmware) if firmware else sim_firmware(micropython, whole=True)
    board = boards.start(
        name,
        built.elf,
        built.plugin,
        heap_bytes=heap,
        flash_bytes=flash,
        partitions=sim_partitions(),
    )
    if json:
        print_json(_document(board))
    else:
        print_line(board.port)
        say(f"board {board.name!r} is running; stop it with: wedau sim stop {board.name}")


@app.command()
def stop(
    name: Name = None,
    everything: Annotated[bool, typer.Option("--all", help="Stop all boards.")] = False,
) -> None:
    """Stop a board; what is on its flash stays."""
    from wedau.cli.workbench import simulated_boards
    from wedau.sim import boards

    names = [b.name for b in simulated_boards()] if everything else [name or _only()]
    for each in names:
        boards.stop(each)
        say(f"stopped {each}")


def _only() -> str:
    from wedau.cli.workbench import simulated_boards

    running = simulated_boards()
    if len(running) == 1:
        return running[0].name
    if not running:
        raise SimError("no simulated board is running", "start one with: wedau sim start")
    names = ", ".join(board.name for board in running)
    raise UsageError(f"several boards are running: {names}", "name one, or stop them with --all")


@app.command("list")
def list_boards(json: options.Json = False) -> None:
    """List the boards that run."""
    from wedau.cli.workbench import simulated_boards

    running = simulated_boards()
    if json:
        print_json([_document(board) for board in running])
    elif not running:
        say("no simulated board is running; start one with: wedau sim start")
    else:
        print_rows((board.name, board.port) for board in running)
