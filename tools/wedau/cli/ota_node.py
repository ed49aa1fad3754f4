"""A node on the simulated board, with a repository and a web server: updates from end to end."""

import contextlib
import functools
import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wedau.build.simboard import SimFirmware
from wedau.flash_map import Partition
from wedau.ota import creating, releasing, repository
from wedau.ota.creating import Plan
from wedau.ota.fields import node
from wedau.ota.keys import Keys
from wedau.ota.payloads import Payload
from wedau.sim import direct, flash_image
from wedau.sim.direct import Ended
from wedau.sim.nor import Cut

# Small, so that a flash with every torn state of every operation is quick to copy.
TABLE = (
    Partition("nvs", 1, 0x02, 0x9000, 0x4000),
    Partition("otadata", 1, 0x00, 0xD000, 0x2000),
    Partition("phy_init", 1, 0x01, 0xF000, 0x1000),
    Partition("ota_0", 0, 0x10, 0x10000, 0x10000),
    Partition("ota_1", 0, 0x11, 0x20000, 0x10000),
    Partition("model_0", 1, 0x06, 0x30000, 0x4000),
    Partition("model_1", 1, 0x06, 0x34000, 0x4000),
    Partition("vfs", 1, 0x81, 0x38000, 0x20000),
)
SIM = "SIM"
_PREPARE = """
import os
for path in ("/ota",):
    os.mkdir(path)
for path, data in {files!r}.items():
    with open(path, "wb") as file:
        file.write(data)
"""
# What a node's main.py does: decide, count, look for updates.
MAIN = """
import sys
import wedau.ota
wedau.ota.boot()
def answer():
    try:
        import {name}
        from array import array
        return {name}.labels[{name}.predict(array("h", {row!r}))]
    except ImportError:
        return None
print("answer", answer())
for _ in range({good}):
    wedau.ota.good()
print("status", repr(wedau.ota.status()))
error = wedau.ota.check()
print("error", error and error.code, error)
"""


@dataclass
class Repository:
    """A repository without a passphrase, in a folder of its own."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> "Repository":
        """Make an empty one in a new folder."""
        creating.create(folder, Plan(passphrase=None), datetime.now(UTC))
        return cls(folder)

    def release(self, *payloads: Payload, feed: str = "stable", **more: Any) -> None:
        """Release payloads as `wedau ota release` does."""
        keys = Keys(self.folder / "keys", {}, lambda what: None)
        releasing.release(self.folder, payloads, feed, keys, datetime.now(UTC), **more)

    @property
    def root(self) -> bytes:
        """The newest root, what a node is provisioned with."""
        versions = repository.root_versions(self.folder)
        return repository.root_path(self.folder, versions[-1]).read_bytes()


@dataclass
class Node:
    """A provisioned board that is off; its flash is a file.

    Attributes:
        firmware: the simulated board's, with all C modules built in.
        flash: the file.
        options: of each run, see wedau.sim.direct.run().
    """

    firmware: SimFirmware
    flash: Path
    options: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def provisioned(
        cls,
        firmware: SimFirmware,
        flash: Path,
        root: bytes,
        settings: dict[str, Any],
        table: tuple[Partition, ...] = TABLE,
    ) -> "Node":
        """Make a flash with the trust and the settings, as `wedau ota provision` leaves it."""
        flash.write_bytes(flash_image.new(table))
        made = cls(firmware, flash)
        given = {**dict(node.SETTINGS), "id": "node", "board": SIM, **settings}
        files = {node.ROOT_PATH: root, node.SETTINGS_PATH: json.dumps(given).encode("ascii")}
        ended = made.run(_PREPARE.format(files=files))
        assert ended.cause == direct.EXITED, ended.output
        return made

    def run(self, program: str, cut: Cut | None = None, log: Path | None = None) -> Ended:
        """Switch it on until the program ends or power is lost."""
        elf, plugin = self.firmware.elf, self.firmware.plugin
        return direct.run(elf, plugin, self.flash, program, cut=cut, log=log, **self.options)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve a folder's files on this machine; gives the address."""
    handler = functools.partial(_Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
