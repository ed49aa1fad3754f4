"""Put a repository's trust and a node's settings onto a board, over its cable."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from wedau.device import link
from wedau.device import push as device_push
from wedau.errors import DeviceError, OtaError
from wedau.ota import repository
from wedau.ota.fields import node
from wedau.ota.repository import State

_ROOT = PurePosixPath(node.ROOT_PATH)
_SETTINGS = PurePosixPath(node.SETTINGS_PATH)
_FOLDER = str(_ROOT.parent)

# Makes a node forget what it has from the repository that it trusted before.
_FORGET = """
import os
def forget(folder):
 try:
  for name in os.listdir(folder):
   os.remove(folder + '/' + name)
 except OSError:
  pass
forget({folder!r})
"""

# The number that its maker gave the chip; empty where there is none.
_NUMBER = """
def number():
 try:
  import machine
  return ''.join('%02x' % b for b in machine.unique_id())
 except (ImportError, AttributeError):
  return ''
"""


@dataclass(frozen=True)
class Provisioned:
    """What is on the board now."""

    root_version: int
    settings: dict[str, Any]


def provision(
    board: link.Board,
    state: State,
    given: Mapping[str, Any],
    replace: bool,
    on_progress: Callable[[int, int], None],
) -> Provisioned:
    """Put the newest root and the settings onto a board; both or none.

    Args:
        board: open; it is soft reset in the end.
        state: of the repository.
        given: settings that are to be others than the repository's, or than those on the board.
        replace: whether the trust in another repository may be overwritten.
        on_progress: called with the bytes sent and those to send.

    Raises:
        OtaError: the board trusts another repository, or a setting cannot be.
        DeviceError: as for wedau.device.push.push().
    """
    there = _files(board)
    same = _ROOT.name in there and _is_ours(state, there[_ROOT.name])
    if _ROOT.name in there and not same and not replace:
        raise OtaError(
            f"the board at {board.port} trusts another repository than {state.folder}",
            "give --replace if it is to forget that one",
        )
    settings = _settings(board, state, given, there.get(_SETTINGS.name) if same else None)
    version = state.root.signed.version
    root = repository.root_path(state.folder, version).read_bytes()
    if _ROOT.name in there and not same:
        board.run(_FORGET.format(folder=node.TRUSTED_FOLDER))
    files = {_SETTINGS.name: json.dumps(settings).encode("ascii"), _ROOT.name: root}
    device_push.push(board, files, folder=_FOLDER, on_progress=on_progress)
    return Provisioned(version, settings)


def node_id(board: link.Board) -> str:
    """Return a board's own number, in hexadecimal digits; empty where it has none."""
    board.run(_NUMBER)
    return str(board.call("number"))


def _files(board: link.Board) -> dict[str, bytes]:
    """Read what is there of the two files."""
    if f"{_FOLDER.strip('/')}/" not in board.list("/"):
        return {}
    names = board.list(_FOLDER)
    return {
        path.name: board.read_file(str(path)) for path in (_ROOT, _SETTINGS) if path.name in names
    }


def _is_ours(state: State, root: bytes) -> bool:
    folder = state.folder
    paths = (repository.root_path(folder, n) for n in repository.root_versions(folder))
    return any(path.read_bytes() == root for path in paths)


def _settings(
    board: link.Board, state: State, given: Mapping[str, Any], old: bytes | None
) -> dict[str, Any]:
    """Return what was given, else what the node has, else what the repository says."""
    settings = {**state.settings.node, **_known(old), **given}
    if not settings.get("id"):
        settings["id"] = node_id(board)
    if not settings["id"]:
        raise DeviceError(f"the board at {board.port} has no number of its own", "give --id NAME")
    wrong = node.settings_problem(settings)
    if wrong:
        raise OtaError(
            f"the setting {wrong} cannot be {settings.get(wrong)!r}",
            "use plain ASCII; carrier is static or ddi",
        )
    return settings


def _known(old: bytes | None) -> dict[str, Any]:
    """Return the settings that a node has, if they can be used."""
    try:
        settings = json.loads(old or b"{}")
    except (ValueError, RecursionError):
        return {}
    return {} if not isinstance(settings, dict) or node.settings_problem(settings) else settings
