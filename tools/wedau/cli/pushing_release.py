"""A signed release over the cable: the node verifies it as it does one that a server brings."""

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from wedau.device import link
from wedau.device import push as device_push
from wedau.errors import CheckError, DeviceError, OtaError, WedauError
from wedau.ota import files, on_host, swu
from wedau.ota.fields import node

SUFFIX = ".swu"
_FOLDER = str(PurePosixPath(node.ROOT_PATH).parent)
_FILE = "push.swu"
_PATH = f"{_FOLDER}/{_FILE}"
_MOST_BYTES = node.MAX_BYTES + 65536  # with the metadata
_ASK_S = 60.0
_BYTES_A_S = 20_000  # that are read, checked, erased, written and read back, at least

# install() and look(): dicts of what happened. Refusals have a text.
_PROGRAM = """
import os
def able():
 try:
  from wedau.ota import usb
  import esp32, wedau_ed25519
  return True
 except ImportError:
  return False
def asked(function, *args):
 from wedau.ota.errors import OtaError
 try:
  return function(*args)
 except OtaError as error:
  return {'state': 'failed', 'code': error.code, 'text': str(error)}
def install(path):
 from wedau.ota import usb
 return asked(usb.install, path)
def look(kind):
 from wedau.ota import usb
 found = asked(usb.look)
 return found.get(kind, found)
def remove(path):
 try:
  os.remove(path)
 except OSError:
  pass
"""

# The node's verdict on what was pushed: what to do. Other codes are troubles of the node.
_REFUSALS = {
    "signature": "push what this repository signed, or: wedau ota provision REPOSITORY --replace",
    "rollback": "nodes never go back; publish the repository again and push its newest .swu file",
    "expired": "sign anew: wedau ota renew, publish, and push the new .swu file",
    "architecture": "build the model for this board, release it, and push that .swu file",
    "board": "push the .swu file with the firmware for this board",
    "missing": "check the board's feed, model and app: wedau ota provision changes them",
    "format": "publish the repository again and push the new .swu file",
    "mismatch": "publish the repository again and push the new .swu file",
    "length": "publish the repository again and push the new .swu file",
    "hash": "publish the repository again and push the new .swu file",
    "selftest": "build the model again and release it as a new version",
    "memory": "train fewer or shallower trees, or use a board with PSRAM",
    "crash": "it was tried before; release a new version",
    "refused": "the program on the board refused it before; release a new version",
    "unconfirmed": "nothing confirmed it before; see that the program calls wedau.ota.good()",
}
_TROUBLES = {
    "pending": "restart the board and let its program confirm or refuse that first",
    "settings": "provision the board: wedau ota provision REPOSITORY --port PORT",
    "space": "train fewer or shallower trees, or release less",
    "flash": "try again; if it stays, the board's flash is worn out",
}


@dataclass(frozen=True)
class Installed:
    """What a node has now.

    Attributes:
        kind: model, app or firmware.
        name: of the payload.
        version: for people.
        state: trial; stored: it is tried at the next start; confirmed: it was there already.
        sent_bytes: how many went over the cable.
    """

    kind: str
    name: str
    version: str
    state: str
    sent_bytes: int


def install(board: link.Board, path: Path, on_progress: Callable[[int, int], None]) -> Installed:
    """Let a node take a signed release and begin its trial; no file of it stays on the board.

    Args:
        board: open.
        path: of the .swu file.
        on_progress: called with the bytes sent and those to send.

    Raises:
        OtaError: it is no .swu file, or the node cannot take anything now.
        CheckError: the node refuses it; it is as it was.
        DeviceError: the board takes no releases, was never provisioned, or as for
            wedau.device.push.push().
    """
    data = files.read(path, _MOST_BYTES, "give a .swu file that 'wedau ota publish' made")
    custom = _custom(data, path)
    _check_node(board)
    try:
        device_push.push(board, {_FILE: data}, folder=_FOLDER, on_progress=on_progress)
        board.run(_PROGRAM)
        news = board.call("install", _PATH, timeout_s=_ASK_S + len(data) / _BYTES_A_S)
    except BaseException:  # Ctrl-C, too: the board may be at it still
        with contextlib.suppress(DeviceError):
            board.interrupt()
        raise
    finally:
        with contextlib.suppress(DeviceError):  # a board that is gone
            board.run(_PROGRAM)
            board.call("remove", _PATH)
    if news["state"] == "stored" and custom["kind"] != node.FIRMWARE:
        board.soft_reset()
        board.run(_PROGRAM)
        news = board.call("look", custom["kind"], timeout_s=_ASK_S)
    if news["state"] == "failed":
        raise _refusal(board.port, custom, news)
    return Installed(custom["kind"], custom["name"], custom["version"], news["state"], len(data))


def _custom(data: bytes, path: Path) -> dict[str, Any]:
    """Return what a file says of its payload; the node is who verifies it."""
    try:
        archive = swu.read(data)
        name = next(n for n in archive.metadata if n.endswith("targets.json"))
        targets = json.loads(archive.metadata[name])["signed"]["targets"]
        custom: dict[str, Any] = targets[archive.path]["custom"]
        if node.problem(archive.path, custom) is None:
            return custom
    except (OtaError, StopIteration, ValueError, RecursionError, KeyError, TypeError):
        pass
    raise OtaError(
        f"{path} is no signed release, or it is damaged",
        "give a .swu file that 'wedau ota publish' made",
    )


def _check_node(board: link.Board) -> None:
    """Check that a board can take releases, before anything is sent."""
    board.run(_PROGRAM)
    if not board.call("able"):
        raise DeviceError(
            f"the firmware of the board at {board.port} takes no signed releases",
            "flash Wedau's firmware onto it: wedau flash",
        )
    folder = _FOLDER.strip("/")
    there = board.list(_FOLDER) if f"{folder}/" in board.list("/") else {}
    if PurePosixPath(node.ROOT_PATH).name not in there:
        raise DeviceError(
            f"the board at {board.port} trusts nobody yet: it was never provisioned",
            f"run: wedau ota provision REPOSITORY --port {board.port}",
        )


def _refusal(port: str, custom: Mapping[str, Any], news: Mapping[str, Any]) -> WedauError:
    """Return the error for what a node said."""
    code = news["code"]
    what = f"{custom['name']} {custom['version']}"
    why = news.get("text") or on_host.load("errors").CODES.get(code, "no reason given")
    said = f"the board at {port} refuses {what} ({code}): {why}"
    if code in _REFUSALS:
        return CheckError(said, _REFUSALS[code])
    return OtaError(
        said, _TROUBLES.get(code, f"see wedau.ota.status() with wedau repl --port {port}")
    )
