"""What the commands that talk to a fleet server share."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from wedau.errors import OtaError

if TYPE_CHECKING:
    from wedau.ota.fleet_client import FleetClient

USER_ENV = "WEDAU_FLEET_USER"
PASSWORD_ENV = "WEDAU_FLEET_PASSWORD"
ADDRESS = "address.json"


def client(folder: Path | None, url: str | None) -> "FleetClient":
    """Log in at a fleet server.

    Args:
        folder: of the repository whose own server it may be.
        url: of the server; None: where 'wedau ota serve' was started last.

    Raises:
        OtaError: there is no password for it, or it does not answer.
    """
    from wedau.ota import fleet
    from wedau.ota.fleet_client import FleetClient

    user, password = os.environ.get(USER_ENV), os.environ.get(PASSWORD_ENV)
    if user is None or password is None:
        if folder is None:
            raise OtaError(
                "there is no password for the fleet server",
                f"give the repository's folder, or set {USER_ENV} and {PASSWORD_ENV}",
            )
        user, password = fleet.credentials(folder)
    return FleetClient(url or address(folder), user, password)


def address(folder: Path | None) -> str:
    """Return where the repository's own server was started last.

    Raises:
        OtaError: it never was.
    """
    from wedau.ota import fleet

    if folder is not None:
        try:
            found = json.loads((folder / fleet.FOLDER / ADDRESS).read_text(encoding="utf-8"))
            return str(found["url"])
        except (OSError, ValueError, KeyError, TypeError):
            pass
    raise OtaError("it is not known where the fleet server is", "give its address, http://...")
