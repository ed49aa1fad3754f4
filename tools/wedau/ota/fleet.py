"""A fleet server of one's own: goosebit on SQLite, in the folder fleet/ of a repository."""

import importlib.util
import json
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wedau.errors import OtaError
from wedau.ota import files, fleet_server
from wedau.ota.fields import node

ADMIN = fleet_server.ADMIN
FOLDER = "fleet"
SETTINGS = "goosebit.yaml"
LOG = "server.log"
USER = "admin"
TENANT: str = dict(node.SETTINGS)["tenant"]
_START_S = 60.0
_STOP_S = 10.0
_LARGEST_BYTES = 1 << 16


@dataclass(frozen=True)
class Server:
    """A fleet server that runs.

    Attributes:
        url: where its page and its interfaces are.
        folder: with its database, its files, its settings and its log.
        user: may do everything there.
        process: it.
    """

    url: str
    folder: Path
    user: str
    process: "subprocess.Popen[bytes]"


def prepare(repository: Path, poll_s: int) -> Path:
    """Make the server's folder if it is not there; nobody else may read it.

    Args:
        repository: folder that `wedau ota init` made.
        poll_s: how often nodes are to ask.

    Returns:
        The folder.

    Raises:
        OtaError: goosebit is not installed, or the folder cannot be written.
    """
    if importlib.util.find_spec("goosebit") is None:
        raise OtaError(
            "goosebit, the fleet server, is not installed", "run: pip install 'wedau[fleet]'"
        )
    folder = (repository / FOLDER).absolute()
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise OtaError(
            f"{folder} cannot be made: {error.strerror}", "check the path and its permissions"
        ) from None
    if not (folder / ADMIN).exists():
        admin = {"user": USER, "password": secrets.token_urlsafe(18)}
        _write(folder / ADMIN, admin)
    settings = _json(folder / SETTINGS) if (folder / SETTINGS).exists() else _defaults(folder)
    settings["poll_time"] = _clock(poll_s)
    _write(folder / SETTINGS, settings)
    return folder


def _defaults(folder: Path) -> dict[str, Any]:
    return {
        "db_uri": f"sqlite://{folder / 'db.sqlite3'}",
        "artifacts_dir": str(folder / "artifacts"),
        "tenant": TENANT,
        "secret_key": secrets.token_urlsafe(48),
        "device_auth": {"enable": True, "mode": "strict"},
        "track_device_ip": False,
    }


def _clock(seconds: int) -> str:
    if not 1 <= seconds < 86400:
        raise OtaError(f"nodes cannot ask every {seconds} s", "give 1 to 86399 seconds")
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


@contextmanager
def serve(folder: Path, host: str, port: int, boards: Sequence[str] = ()) -> Iterator[Server]:
    """Run the server until the block ends.

    Args:
        folder: that prepare() made.
        host: address to listen at; 127.0.0.1: only this machine.
        port: 0: a free one.
        boards: what kinds of nodes there may be.

    Raises:
        OtaError: it does not start.
    """
    port = port or _free_port(host)
    command = [sys.executable, "-m", "wedau.ota.fleet_server", host, str(port), *boards]
    with _log(folder / LOG) as log:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    url = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"
    try:
        _wait(process, url, folder)
        yield Server(url, folder, _json(folder / ADMIN)["user"], process)
    finally:
        _stop(process)


def credentials(folder: Path) -> tuple[str, str]:
    """Return user and password of a repository's own server.

    Raises:
        OtaError: it was never started.
    """
    path = folder / FOLDER / ADMIN
    if not path.exists():
        raise OtaError(
            f"{folder} has no password for the fleet server",
            "set WEDAU_FLEET_USER and WEDAU_FLEET_PASSWORD, or start one: wedau ota serve",
        )
    admin = _json(path)
    return admin["user"], admin["password"]


def _log(path: Path) -> Any:
    try:
        path.touch(mode=0o600)
        return path.open("ab")
    except OSError as error:
        raise OtaError(
            f"{path} cannot be written: {error.strerror}", "check the permissions"
        ) from None


def _free_port(host: str) -> int:
    try:
        with socket.socket() as probe:
            probe.bind((host, 0))
            return int(probe.getsockname()[1])
    except OSError as error:
        raise OtaError(
            f"nothing can listen at {host}: {error.strerror}", "give an address of this machine"
        ) from None


def _wait(process: "subprocess.Popen[bytes]", url: str, folder: Path) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/login", timeout=2):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    lines = (folder / LOG).read_text(encoding="utf-8", errors="replace").splitlines()
    said = f": {lines[-1]}" if lines else ""
    raise OtaError(
        f"the fleet server does not start{said}", f"see {folder / LOG}; is the port in use?"
    )


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _write(path: Path, document: Any) -> None:
    """Write JSON, which is YAML as well: goosebit reads it, and people may change it."""
    files.write(path, json.dumps(document, indent=2).encode("ascii"), secret=True)


def _json(path: Path) -> Any:
    hint = "remove the file, then run 'wedau ota serve' again"
    try:
        found = json.loads(files.read(path, _LARGEST_BYTES, hint))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise OtaError(f"{path} is damaged, or no JSON any more", hint)
    return found
