"""The node's TUF client behind the command line of TUF's conformance suite.

    tools/tuf-client --metadata-dir DIR init ROOT
    tools/tuf-client --metadata-dir DIR --metadata-url URL refresh
    tools/tuf-client --metadata-dir DIR --metadata-url URL --target-name NAME \\
        --target-base-url URL --target-dir DIR download

What runs is modules/frozen/wedau/ota on MicroPython for unix, with the native module that checks
signatures on the board. The exit code is 0, or 1 with the reason on stderr.
"""

import argparse
import fcntl
import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from wedau.build import runtime, sources
from wedau.errors import WedauError
from wedau.paths import cache_dir, resource
from wedau.sim import unix

_DONE = "done"
_SIGNATURES = "wedau_ed25519"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command of the protocol and return its exit code."""
    said = run(arguments)
    print(said, file=sys.stderr)
    return 0 if said == _DONE else 1


def run(arguments: Sequence[str] | None = None, *, now: datetime | None = None) -> str:
    """Run one command of the protocol.

    Args:
        arguments: those of the command line; None: of this process.
        now: the time; None: that of the system.

    Returns:
        "done", or why it was refused.
    """
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.command != "init" and not given.metadata_url:
        parser.error(f"{given.command} needs --metadata-url")
    if given.command == "download" and not (given.target_dir and given.target_base_url):
        parser.error("download needs --target-dir and --target-base-url")
    try:
        given.metadata_dir.mkdir(parents=True, exist_ok=True)
        if given.command == "init":
            _signature_module()  # what takes a while the first time, before anybody serves anything
            shutil.copyfile(given.root, given.metadata_dir / "root.json")
            return _DONE
        if given.target_dir:
            given.target_dir.mkdir(parents=True, exist_ok=True)
        return _run(given, now or datetime.now(UTC)).strip()
    except WedauError as error:
        return f"{error.message}; {error.hint}"
    except OSError as error:
        return str(error)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tuf-client")
    parser.add_argument("--metadata-dir", type=Path, required=True)
    parser.add_argument("--metadata-url")
    parser.add_argument("--target-name", action="append", default=[])
    parser.add_argument("--target-base-url")
    parser.add_argument("--target-dir", type=Path)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("init").add_argument("root", type=Path)
    commands.add_parser("refresh")
    commands.add_parser("download")
    return parser


def _run(arguments: argparse.Namespace, now: datetime) -> str:
    """Run the client in a folder of its own, as MicroPython for unix takes programs."""
    given = {
        "now": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "metadata_dir": str(arguments.metadata_dir.resolve()),
        "metadata_url": arguments.metadata_url.rstrip("/") + "/",
        "targets": arguments.target_name if arguments.command == "download" else [],
        "target_dir": str(arguments.target_dir and arguments.target_dir.resolve()),
        "target_url": (arguments.target_base_url or "").rstrip("/") + "/",
    }
    with tempfile.TemporaryDirectory(prefix="wedau-") as folder:
        work = Path(folder)
        (work / "given.json").write_text(json.dumps(given), encoding="utf-8")
        shutil.copyfile(_signature_module(), work / f"{_SIGNATURES}.mpy")
        (work / "wedau").symlink_to(resource("modules", "frozen", "wedau"))
        program = resource("modules", "tuf_client", "main.py").read_text(encoding="utf-8")
        return unix.run(program, work)


def _signature_module() -> Path:
    """Return the module that checks signatures, built once for each version of its sources."""
    made_of = runtime.modules()[_SIGNATURES]
    digest = hashlib.sha256()
    for path in (made_of.bind, *made_of.core):
        digest.update(path.read_bytes())
    path = cache_dir("tuf-client") / f"{_SIGNATURES}-{digest.hexdigest()[:16]}.mpy"
    if path.is_file():
        return path
    with path.with_name("lock").open("w") as lock:  # one builds, the others wait for it
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.is_file():
            return path
        with tempfile.TemporaryDirectory(dir=path.parent) as work:
            source = sources.micropython().path
            made = runtime.build(_SIGNATURES, arch="x64", micropython=source, out=Path(work))
            made.path.replace(path)
    return path


if __name__ == "__main__":
    sys.exit(main())
