"""The command line: parsing, rendering, and putting the packages below together."""

import io
import os
import signal
import sys
import traceback
from types import FrameType

from wedau.cli.console import complain
from wedau.cli.mishaps import explain

INTERRUPTED = 130


def main() -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 usage, 3 no device, 4 check, 130 ^C."""
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a label may not fit the code page
    for name in ("SIGTERM", "SIGHUP"):  # Windows has no SIGHUP, nohup wants it ignored
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _terminate)
    sys.exit(run(sys.argv[1:]))


def run(args: list[str]) -> int:
    """Run one command; return its exit code. Errors become two lines on stderr."""
    debug = "--debug" in args
    args = [arg for arg in args if arg != "--debug"]
    try:
        from wedau.cli.app import app  # all commands: seconds that other users of this package save

        code = int(app(args, prog_name="wedau", standalone_mode=False) or 0)
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_stdout()
        return 1
    except Exception as error:
        if debug:
            traceback.print_exc()
        mishap = explain(error)
        complain(mishap.message, mishap.hint)
        _flush_stdout()
        return mishap.exit_code
    if code == INTERRUPTED:  # what typer makes of Ctrl-C
        complain("interrupted", "nothing half done was kept; run the command again")
    return code


def _open_closed_streams() -> None:
    """Give the null device for each of stdin, stdout and stderr that the caller has closed.

    Else the next file that is opened would take its number, and what programs print would go there.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8"))


def _terminate(number: int, frame: FrameType | None) -> None:
    """End as on Ctrl-C: what runs removes its half-done files and stops its simulated board."""
    sys.exit(128 + number)


def _flush_stdout() -> None:
    """Write what stdout holds; what it does not take, Python would try again when it exits."""
    try:
        sys.stdout.flush()
    except OSError:
        _drop_stdout()


def _drop_stdout() -> None:
    """Nobody takes what goes to stdout any more: keep Python from writing to it when it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
