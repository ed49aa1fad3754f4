"""The process of the fleet server: goosebit, its tables made, its first user there.

    python -m wedau.ota.fleet_server HOST PORT BOARD...

runs in the folder that wedau.ota.fleet.prepare() made: goosebit.yaml has its settings.
"""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wedau.ota.swu import ANY_BOARD, REVISION

ADMIN = "admin.json"


def main(host: str, port: int, boards: Sequence[str]) -> None:
    """Serve until the process is asked to end."""
    import uvicorn

    os.umask(0o077)
    asyncio.run(_prepare(boards))
    uvicorn.run(_app(), host=host, port=port, log_level="warning")


async def _prepare(boards: Sequence[str]) -> None:
    """Bring the tables up to date, make the first user and the kinds of boards.

    goosebit makes a kind twice where two nodes of a new one register at once, and then answers
    every node of it with an error.
    """
    import goosebit.db
    from aerich import Command
    from goosebit.db.config import TORTOISE_CONF
    from goosebit.db.models import Hardware
    from goosebit.settings.const import PWD_CXT
    from goosebit.users import create_initial_user

    location = str(Path(goosebit.db.__file__).parent / "migrations")
    command = Command(tortoise_config=TORTOISE_CONF, app="models", location=location)
    await command.init()
    await command.upgrade(run_in_transaction=True)
    await goosebit.db.init()
    admin = json.loads(Path(ADMIN).read_text(encoding="utf-8"))
    await create_initial_user(admin["user"], PWD_CXT.hash(admin["password"]))
    for board in (ANY_BOARD, *boards):
        await Hardware.get_or_create(model=board, revision=REVISION)
    await goosebit.db.close()


def _app() -> Any:
    """Return goosebit without its page that lets anybody become an administrator."""
    from goosebit import app

    routes = app.router.routes
    routes[:] = [route for route in routes if getattr(route, "path", "") != "/setup"]
    return app


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
