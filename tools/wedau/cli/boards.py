"""wedau boards"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wedau.cli import options
from wedau.cli.console import print_json, print_line, print_rows
from wedau.errors import CheckError, UsageError

if TYPE_CHECKING:
    from wedau.build.boards import Board


def boards(
    board: Annotated[
        str | None, typer.Argument(help="Show this board with its pins and its flash's map.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Check the definitions; exit code 4 if one is wrong.")
    ] = False,
    json: options.Json = False,
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Definitions to read instead of Wedau's own.")
    ] = None,
) -> None:
    """List the boards that Wedau builds firmware for, or check their definitions."""
    from wedau.build import boards as definitions

    names = definitions.names(folder)
    if board is not None and board not in names:
        raise UsageError(f"there is no board {board}", "'wedau boards' lists them")
    wanted = names if board is None else [board]
    if check:
        _check(wanted, folder, json)
        return
    found = [definitions.load(name, folder) for name in wanted]
    if json:
        documents = [definitions.document(each) for each in found]
        print_json(documents if board is None else documents[0])
    elif board is None:
        _list(found)
    else:
        _show(found[0])


def _check(names: list[str], folder: Path | None, json: bool) -> None:
    from wedau.build import board_checks

    problems = {name: board_checks.problems(name, folder) for name in names}
    if json:
        print_json([{"board": name, "problems": problems[name]} for name in names])
    else:
        for name in names:
            for line in problems[name] or ["sound"]:
                print_line(f"{name}: {line}")
    wrong = sum(1 for name in names if problems[name])
    if wrong:
        raise CheckError(
            f"mistakes in {wrong} of {len(names)} definitions",
            "correct what is named above, in the board's folder or in shared/",
        )


def _list(found: "list[Board]") -> None:
    rows = [("board", "flash", "PSRAM", "sensors")]
    for board in found:
        parts = ", ".join(sensor["part"] for sensor in board.hardware["sensors"])
        rows.append((board.name, f"{board.hardware['flash_mb']} MB", _psram(board), parts or "-"))
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row[:3], widths, strict=True)]
        print_line("  ".join([*cells, row[3]]))


def _show(board: "Board") -> None:
    from wedau.build import boards as definitions
    from wedau.build import partitions

    hardware, document = board.hardware, board.document
    rows = [("board", board.title), ("module", hardware["module"])]
    rows += [("flash", f"{hardware['flash_mb']} MB"), ("PSRAM", _psram(board))]
    rows.append(("USB", hardware["usb"]["connector"]))
    rows += [("USB id", f"{pair}, {what}") for pair, what in board.usb_ids.items()]
    rows += [("LED", f"{name}: {what}") for name, what in hardware["leds"].items()]
    rows += [("button", f"{name}: {what}") for name, what in hardware["buttons"].items()]
    rows += [("sensor", _sensor(sensor)) for sensor in hardware["sensors"]]
    rows += [("note", note) for note in document.get("notes", [])]
    rows += [("sources disagree", text) for text in document.get("disagreements", [])]
    rows.append(("data sheet", document["sources"]["data_sheet"]))
    print_rows(rows)
    print_line("")
    print_line("pins: " + ", ".join(f"{name} {gpio}" for name, gpio in board.pins.items()))
    print_line("")
    for line in partitions.picture(definitions.table(board), board.flash_bytes):
        print_line(line)


def _psram(board: "Board") -> str:
    hardware = board.hardware
    return f"{hardware['psram_mb']} MB {hardware['psram']}" if hardware["psram_mb"] else "none"


def _sensor(sensor: dict[str, str]) -> str:
    where = [sensor[key] for key in ("bus", "address", "pin") if key in sensor]
    return f"{sensor['part']}: {sensor['what']}{''.join(f', {place}' for place in where)}"
