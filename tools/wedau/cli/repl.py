"""wedau repl"""

import subprocess
import sys

import typer

from wedau.cli import options


def repl(port: options.Port = None) -> None:
    """Open the board's REPL (mpremote's; Ctrl-] leaves it)."""
    from wedau.cli.workbench import choose_port

    command = [sys.executable, "-m", "mpremote", "connect", choose_port(port), "repl"]
    raise typer.Exit(subprocess.run(command, check=False).returncode)
