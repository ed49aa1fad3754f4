"""What went wrong at a port, in people's words."""

import errno
import os
import re
from pathlib import Path

from mpremote.transport import TransportError

from wedau.device import ports
from wedau.device.transport import NoAnswerError
from wedau.errors import DeviceError, NoDeviceError

_MISSING = (errno.ENOENT, errno.ENXIO, errno.ENODEV)
_BUSY = (errno.EAGAIN, errno.EBUSY, errno.EWOULDBLOCK)
_DENIED = (errno.EACCES, errno.EPERM)
_ESP_LOG = re.compile(rb"ESP-ROM:|rst:0x|^[IWEDV] \(\d+\) ", re.MULTILINE)


def not_open(port: str, error: OSError) -> DeviceError:
    """Explain why a port cannot be opened."""
    number, text = error.errno, str(error)
    windows = os.name == "nt" or number is None
    if number in _MISSING or (windows and "FileNotFoundError" in text):
        return _missing(port)
    if number in _BUSY or (windows and "PermissionError" in text):
        return _busy(port)
    if number in _DENIED:
        return _denied(port)
    if number == errno.ENOTTY or "Could not configure port" in text:
        return NoDeviceError(f"{port} is not a serial port", _ports_hint())
    reason = os.strerror(number) if number else text
    return NoDeviceError(f"{port} cannot be opened: {reason}", _ports_hint())


def not_entered(port: str, error: NoAnswerError) -> DeviceError:
    """Explain why there is no MicroPython prompt at a port that could be opened."""
    seen = error.seen
    if b"waiting for download" in seen:
        return NoDeviceError(
            f"the board at {port} waits for a firmware (download mode)",
            "press its RESET button without holding BOOT, or flash MicroPython",
        )
    if seen and not seen.strip(error.sent):
        return NoDeviceError(
            f"{port} only sends back what it gets: there is no MicroPython",
            "check the port and the wiring (RX and TX may be joined)",
        )
    if _ESP_LOG.search(seen):
        return NoDeviceError(
            f"the board at {port} runs another program, not MicroPython: {_last_line(seen)}",
            "flash MicroPython for the ESP32-S3 onto it",
        )
    if seen:
        return NoDeviceError(
            f"no MicroPython prompt at {port}; it sends: {_last_line(seen)}",
            "press the board's RESET button and try again; "
            "a program that switches Ctrl-C off has to be stopped that way",
        )
    return NoDeviceError(
        f"nothing answers at {port}",
        "check the cable and the port, press the board's RESET button and try again",
    )


def broken_off(port: str, error: OSError | TransportError) -> DeviceError:
    """Explain why a connection that had worked ends."""
    timed_out = isinstance(error, TransportError) or "imeout" in type(error).__name__
    if timed_out:
        return silent(port)
    return DeviceError(
        f"the connection to the board at {port} broke off",
        "plug the cable in again and repeat the command; what was on the board still works",
    )


def silent(port: str) -> DeviceError:
    """The board stopped answering."""
    return DeviceError(
        f"the board at {port} stopped answering",
        "press its RESET button and repeat the command; what was on the board still works",
    )


def _missing(port: str) -> DeviceError:
    return NoDeviceError(f"there is no port {port}", _ports_hint())


def _busy(port: str) -> DeviceError:
    holder = _holder(port)
    return DeviceError(
        f"{port} is in use by {holder or 'another program'}",
        "close what holds it (a serial monitor, Thonny, mpremote, another wedau), then try again",
    )


def _denied(port: str) -> DeviceError:
    try:
        group = Path(port).group()
    except (OSError, KeyError, NotImplementedError):
        group = "dialout"
    if group == "root":
        group = "dialout"
    return DeviceError(
        f"you are not allowed to use {port}",
        f"run 'sudo usermod -aG {group} $USER', log out and in again",
    )


def _ports_hint() -> str:
    names = ports.all_names()
    there_are = f"the ports of this machine: {', '.join(names)}" if names else "there are none"
    return f"{there_are}; 'wedau sim start' starts a simulated one"


def _last_line(seen: bytes) -> str:
    text = seen.decode("utf-8", "replace")
    complete = text[: text.rfind("\n") + 1] or text
    lines = [line.strip() for line in complete.splitlines()]
    last = next((line for line in reversed(lines) if line.isprintable() and line), repr(seen[-40:]))
    return f"'{last[:60]}'"


def _holder(port: str) -> str | None:
    """Name the program that has locked a port; Linux only, None where it cannot be told."""
    try:
        status = Path(port).stat()
        locks = Path("/proc/locks").read_text()
    except OSError:
        return None
    inode = f":{status.st_ino} "
    for line in locks.splitlines():
        fields = line.split()
        device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}{inode.strip()}"
        if "FLOCK" in fields and device in fields:
            pid = fields[fields.index("FLOCK") + 3]
            return _program(pid)
    return None


def _program(pid: str) -> str:
    try:
        return f"{Path('/proc', pid, 'comm').read_text().strip()} (process {pid})"
    except OSError:
        return f"process {pid}"
