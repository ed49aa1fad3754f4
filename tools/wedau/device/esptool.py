"""Runs esptool as a program of its own (it is under the GPL) and reads what it prints."""

import contextlib
import os
import queue
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from wedau.device import link
from wedau.errors import DeviceError, NoDeviceError

_ATTEMPTS = "4"
_SILENCE_S = 180.0  # erasing 16 MB takes a slow flash more than a minute, without a word
_FATAL = re.compile(r"A fatal error occurred:\s*(.+)")
_ADVICE = re.compile(r"[.,]? (?:This can have many causes|For troubleshooting).*")
_BROKEN = "A serial exception error occurred"
_NO_ANSWER = ("Failed to connect", "No serial data received", "Invalid head of packet")
_KEPT_LINES = 2000


class EsptoolError(DeviceError):
    """esptool ended with an error.

    Attributes:
        reason: what it said was wrong.
    """

    def __init__(self, port: str, reason: str) -> None:
        super().__init__(
            f"esptool could not go on with the board at {port}: {reason}",
            "check the cable, hold BOOT while pressing RESET, and repeat the command",
        )
        self.reason = reason


def run(
    port: str,
    arguments: Sequence[str],
    *,
    chip: str = "auto",
    baud: int | None = None,
    stay: bool = False,
    on_line: Callable[[str], None] | None = None,
) -> list[str]:
    """Run one command of esptool's.

    Args:
        port: as the system names it, or socket://HOST:PORT.
        arguments: the command and its own arguments.
        chip: ESP-IDF's name of the chip.
        baud: bits a second after the connection is made; None for esptool's own choice.
        stay: leave the chip in its boot loader instead of starting what is in its flash.
        on_line: called with every line as it comes.

    Returns:
        The lines that it printed.

    Raises:
        NoDeviceError: there is no such port, or no boot loader answers.
        DeviceError: the port is in use or may not be used; esptool failed (EsptoolError).
    """
    check_port(port)
    options = ["--chip", chip, "--port", port, "--connect-attempts", _ATTEMPTS]
    options += ["--baud", str(baud)] if baud else []
    options += ["--after", "no-reset" if stay else "hard-reset"]
    lines: list[str] = []
    with _process([*options, *arguments]) as process:
        for line in _lines(process, port):
            lines = [*lines[-_KEPT_LINES:], line]
            if on_line:
                on_line(line)
        code = process.wait()
    if code:
        raise _explain(port, lines, code)
    return lines


def merge(images: Sequence[tuple[int, Path]], out: Path, *, chip: str) -> None:
    """Write one file for offset 0 that holds all images, with 0xff between them.

    Args:
        images: offset and file of each.
        out: the file to make.
        chip: ESP-IDF's name of the chip.

    Raises:
        DeviceError: esptool failed.
    """
    parts = [part for offset, path in images for part in (hex(offset), str(path.resolve()))]
    options = ["--chip", chip, "merge-bin", "--output", str(out.resolve()), *parts]
    with _process(options) as process:
        lines = list(_lines(process, "none"))
        code = process.wait()
    if code:
        said = next((line for line in reversed(lines) if line), f"it ended with the code {code}")
        raise DeviceError(
            f"esptool could not merge the images into {out}: {said}", "check the disk, build again"
        )


def check_port(port: str) -> None:
    """Check that a port can be opened, for esptool does not say well why it cannot.

    Raises:
        NoDeviceError: there is no such port.
        DeviceError: it is in use or may not be used.
    """
    if "://" not in port:
        link.check_port(port)


@contextlib.contextmanager
def _process(arguments: Sequence[str]) -> Iterator["subprocess.Popen[str]"]:
    """Start esptool, in an empty folder so that it finds no settings; end it on any error."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ESPTOOL_")}
    environment |= {"PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", "NO_COLOR": "1", "COLUMNS": "200"}
    with (
        tempfile.TemporaryDirectory(prefix="wedau-") as empty,
        subprocess.Popen(
            [sys.executable, "-P", "-m", "esptool", *arguments],
            cwd=empty,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as process,
    ):
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    process.kill()


def _lines(process: "subprocess.Popen[str]", port: str) -> Iterator[str]:
    """Yield the lines as they come; a thread reads, for Windows cannot wait for a pipe."""
    assert process.stdout is not None
    came: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_read, args=(process.stdout, came), daemon=True).start()
    while True:
        try:
            line = came.get(timeout=_SILENCE_S)
        except queue.Empty:
            raise EsptoolError(port, f"nothing came for {_SILENCE_S:g} s") from None
        if line is None:
            return
        yield line.strip()


def _read(stream: IO[str], came: "queue.Queue[str | None]") -> None:
    with contextlib.suppress(OSError, ValueError):  # closed while it is read
        for line in stream:
            came.put(line)
    came.put(None)


def _explain(port: str, lines: Sequence[str], code: int) -> DeviceError:
    said = [line for line in lines if line]
    fatal = [match[1] for line in said if (match := _FATAL.search(line))]
    reason = (fatal or said or [f"it ended with the code {code}"])[-1]
    if "Could not open" in reason:
        return NoDeviceError(
            f"the port {port} cannot be opened", "see 'wedau devices' for the ports there are"
        )
    if any(words in reason for words in _NO_ANSWER):
        return NoDeviceError(
            f"no boot loader answers at {port}",
            "hold BOOT while pressing RESET, let BOOT go, and repeat the command; "
            "the port may have another name then: see 'wedau devices'",
        )
    if any(_BROKEN in line for line in said):
        return EsptoolError(port, "the connection broke off")
    return EsptoolError(port, _ADVICE.sub("", reason).rstrip("."))
