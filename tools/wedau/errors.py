"""The errors that a user can cause or meet: what is wrong, what to do, and the exit code."""


class WedauError(Exception):
    """Something is wrong with the user's thing; shown as two lines, without a traceback.

    Args:
        message: one line: what is wrong, naming the file, row, column, port or board.
        hint: one line: what to do about it.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class DataError(WedauError):
    """The data, the settings or a model folder is not what it has to be."""


class ConvertError(WedauError):
    """A model cannot be converted exactly."""


class BuildError(WedauError):
    """A source, a compiler or a build step is missing or has failed."""


class SimError(WedauError):
    """A simulated board cannot be started, found or stopped."""


class ReleaseError(WedauError):
    """A release cannot be reached, is damaged, or is not signed by a key that is trusted."""


class DeviceError(WedauError):
    """A board answered with an error, broke off, or cannot hold what was sent."""


class OtaError(WedauError):
    """A repository of updates, a key of it, or what is to be released is not what it has to be."""


class UsageError(WedauError):
    """The command line asks for something that does not exist."""

    exit_code = 2


class NoDeviceError(DeviceError):
    """There is no board at the port, or nothing there answers."""

    exit_code = 3


class CheckError(WedauError):
    """A check or a budget was not met."""

    exit_code = 4
