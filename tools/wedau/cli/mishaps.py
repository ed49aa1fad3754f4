"""What to tell a person about an exception, and with which exit code to end."""

from dataclasses import dataclass

from typer.exceptions import TyperException

from wedau.errors import WedauError


@dataclass(frozen=True)
class Mishap:
    """An error in the words of the command line."""

    message: str
    hint: str
    exit_code: int


def explain(error: Exception) -> Mishap:
    """Return what is wrong, what to do about it, and the exit code."""
    if isinstance(error, WedauError):
        return Mishap(error.message, error.hint, error.exit_code)
    if isinstance(error, TyperException):
        return _usage(error)
    if isinstance(error, OSError) and error.errno is not None:
        return _system(error)
    return Mishap(
        f"a mistake in Wedau itself: {type(error).__name__}: {error}",
        "run it again with --debug and report what it prints",
        1,
    )


def _usage(error: TyperException) -> Mishap:
    message = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "wedau"
    return Mishap(message[:1].lower() + message[1:], f"'{command} --help' says what it takes", 2)


def _system(error: OSError) -> Mishap:
    names = [str(name) for name in (error.filename, error.filename2) if name is not None]
    where = f"{' and '.join(names)}: " if names else ""
    return Mishap(
        f"the system says: {where}{error.strerror or error}",
        "check the path, the permissions and the free disk space",
        1,
    )
