"""wedau repl"""

import subprocess
import sys

import typer

from wedau.cli import options


def repl(port: options.Port = None) -> None:
    """Open the board's REPL (mpremote's; Ctrl-] leaves it)."""
    from wedau.cli.workbench import choose_port
    from wedau.device import link

    port = choose_port(port)
    link.check_port(port)
    command = [sys.executable, "-m", "mpremote", "connect", port, "repl"]
    raise typer.Exit(subprocess.run(command, check=False).returncode)
