"""The command line: parsing, rendering, and putting the packages below together."""

import sys
import traceback

import typer
from typer.exceptions import TyperException

from wedau.cli.app import app
from wedau.cli.console import complain
from wedau.errors import WedauError

INTERRUPTED = 130


def main() -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 usage, 3 no device, 4 check, 130 ^C."""
    sys.exit(run(sys.argv[1:]))


def run(args: list[str]) -> int:
    """Run one command; return its exit code. Errors become two lines on stderr."""
    debug = "--debug" in args
    args = [arg for arg in args if arg != "--debug"]
    try:
        code = app(args, standalone_mode=False)
    except WedauError as error:
        complain(error.message, error.hint)
        code = error.exit_code
    except TyperException as error:
        complain(error.format_message(), "wedau --help lists the commands and their options")
        code = 2
    except (KeyboardInterrupt, typer.Abort):
        complain("interrupted", "nothing half done was kept; run the command again")
        return INTERRUPTED
    except BrokenPipeError:
        return 1
    except OSError as error:
        where = f" {error.filename}:" if error.filename else ""
        complain(
            f"the system says:{where} {error.strerror or error}",
            "check the path, the permissions and the free disk space",
        )
        code = 1
    except Exception as error:
        if debug:
            traceback.print_exc()
        complain(
            f"a mistake in Wedau itself: {type(error).__name__}: {error}",
            "run it again with --debug and report what it prints",
        )
        code = 1
    else:
        return int(code or 0)
    if debug:
        traceback.print_exc()
    return code
