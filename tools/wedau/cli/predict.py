"""wedau predict"""

from pathlib import Path
from typing import Annotated

import typer

from wedau.cli import options
from wedau.cli.console import print_json, print_line, print_rows
from wedau.errors import CheckError, DataError


def predict(
    folder: options.ModelFolder,
    data: Annotated[Path, typer.Argument(help="Data of the kind that it was trained on.")],
    port: options.Port = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write each row's class to this CSV.")
    ] = None,
    json: options.Json = False,
) -> None:
    """Decide on the board, and compare with the host."""
    from wedau.cli import deciding

    if output and (output.is_dir() or not output.absolute().parent.is_dir()):
        raise DataError(
            f"{output} cannot be written: it is a folder, or its folder is missing",
            "give --output a CSV file in a folder that exists",
        )
    done = deciding.run(folder, data, port)
    if output:
        done.write(output)
    if json:
        print_json(done.document())
    else:
        print_rows(done.rows())
        if output:
            print_line(str(output))
    if done.differences:
        raise CheckError(
            f"the board decided {done.differences} rows otherwise than the host",
            f"push the model again: wedau push {folder}",
        )
