"""Start, list and stop simulated boards. Each is a bridge process with a pty as its serial port."""

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from wedau.errors import SimError
from wedau.flash_map import Partition
from wedau.sim import bootloader, flash_image
from wedau.sim.folders import Folder, State, boards_dir, lock_file
from wedau.sim.protocol import number

_START_TIMEOUT_S = 20.0
_STOP_TIMEOUT_S = 5.0
_POLL_S = 0.01
_FLASH_BLOCK_BYTES = 4096
_HEAP_BYTES = (32 * 1024, 64 * 1024 * 1024)
_FLASH_BYTES = (64 * 1024, 128 * 1024 * 1024)
_TEMPORARY = "temporary-"

# Bridges that this process started, so that it can collect their exit codes.
_children: dict[int, "subprocess.Popen[bytes]"] = {}


@dataclass(frozen=True)
class SimBoard:
    """A running simulated board.

    Attributes:
        name: as given to start().
        port: its serial port, for mpremote or pyserial.
        pid: its bridge's process.
        flash: its flash file.
    """

    name: str
    port: str
    pid: int
    flash: Path

    def instructions(self) -> int:
        """Return how many instructions the board has executed since it booted.

        Raises:
            SimError: the board does not run any more.
        """
        return int(struct.unpack("<Q", _read_page(self.name, "SIM_PAGE_INSNS", 8))[0])

    @property
    def temporary(self) -> bool:
        """Whether board() started it, for one task of its own."""
        return self.name.startswith(_TEMPORARY)

    @property
    def crashed(self) -> str | None:
        """Why the board stands still, or None while it runs."""
        folder = Folder(self.name)
        state = folder.read_state()
        if state is None or not folder.is_running():
            return "it was stopped"
        return state.crashed


def start(
    name: str | None,
    elf: Path,
    plugin: Path,
    *,
    flash_bytes: int | None = None,
    heap_bytes: int | None = None,
    flash: Path | None = None,
    partitions: Sequence[Partition] = (),
    log: Path | None = None,
) -> SimBoard:
    """Start a board and return when its Python is about to run.

    Args:
        name: what to call it; None takes the first free one of sim1, sim2 and so on.
        elf: the firmware (wedau.build.simboard).
        plugin: the instruction counter.
        flash_bytes: size of the file system; default: that of an existing flash file, else of the
            table, else 6 MiB.
        heap_bytes: size of the Python heap; default: that of an ESP32-S3 without PSRAM.
        flash: the flash file, made if need be; default: one kept under the board's name.
        partitions: the table of a flash that is made, its last partition the file system; default:
            none, the whole flash is the file system. A flash file that is there keeps what it has.
        log: existing file that the board appends its flash operations and reads to (nor), without
            those of the boot loader.

    Raises:
        SimError: the name is in use or impossible, a size is, QEMU is missing, this system is not
            Linux, the flash's partition table is damaged, or the firmware does not start.
    """
    find_qemu()
    heap_bytes = number("SIM_HEAP_BYTES") if heap_bytes is None else heap_bytes
    _check_size("heap", heap_bytes, _HEAP_BYTES, 16)
    folder, lock = _take(name)
    with contextlib.ExitStack() as open_files:
        open_files.enter_context(lock)
        folder.clear()
        flash = folder.flash if flash is None else flash.absolute()
        flash_lock = open_files.enter_context(_take_flash(flash, flash_bytes, partitions))
        config = {
            "name": folder.name,
            "command": qemu_command(plugin, folder.page),
            "elf": str(elf.absolute()),
            "flash": str(flash),
            "heap_bytes": heap_bytes,
            "unique_id": _unique_id(folder.name),
            "log": str(log.absolute()) if log else None,
        }
        folder.config.write_text(json.dumps(config), encoding="utf-8")
        bridge = _spawn(folder, (lock.fileno(), flash_lock.fileno()))
    try:
        return _wait_until_booted(folder, bridge)
    except BaseException:  # an interrupt too: nobody knows this board yet
        if bridge.poll() is None:
            _end(folder, bridge.pid)
        raise


def stop(name: str) -> None:
    """Stop a board; its flash stays.

    Raises:
        SimError: no board of that name runs.
    """
    folder = Folder(name)
    state = folder.read_state()
    if state is None or not folder.is_running():
        raise SimError(
            f"no simulated board called {name} is running", "see 'wedau sim list' for those that do"
        )
    _end(folder, state.pid)


def running() -> list[SimBoard]:
    """Return the boards that run, crashed ones included (see SimBoard.crashed), by name."""
    found = []
    for path in sorted(boards_dir().iterdir()):
        with contextlib.suppress(SimError):
            folder = Folder(path.name)
            state = folder.read_state()
            if state is not None and folder.is_running():
                found.append(_board(folder, state))
    return found


@contextlib.contextmanager
def board(
    elf: Path,
    plugin: Path,
    *,
    flash_bytes: int | None = None,
    heap_bytes: int | None = None,
    flash: Path | None = None,
    partitions: Sequence[Partition] = (),
    log: Path | None = None,
) -> Iterator[SimBoard]:
    """Run a board for the block; without a flash file with an empty one, which goes with it.

    Raises:
        SimError: as start() does.
    """
    name = f"{_TEMPORARY}{secrets.token_hex(6)}"
    try:
        yield start(
            name,
            elf,
            plugin,
            flash_bytes=flash_bytes,
            heap_bytes=heap_bytes,
            flash=flash,
            partitions=partitions,
            log=log,
        )
    finally:
        with contextlib.suppress(SimError):
            stop(name)
        shutil.rmtree(boards_dir() / name, ignore_errors=True)


def find_qemu() -> str:
    """Return the path of QEMU for Xtensa.

    Raises:
        SimError: this system is not Linux, or QEMU is missing.
    """
    if sys.platform != "linux":
        raise SimError(
            "the simulated board needs Linux, and this is " + sys.platform,
            "on Windows use WSL; on a Mac use a Linux virtual machine or container",
        )
    qemu = shutil.which("qemu-xtensa")
    if qemu is None:
        raise SimError(
            "qemu-xtensa was not found", "install it: apt install qemu-user (or run 'wedau doctor')"
        )
    return qemu


def qemu_command(plugin: Path, page: Path) -> list[str]:
    """Return QEMU's command up to the firmware's path, with the counter writing to the shared page.

    Raises:
        SimError: as find_qemu() does.
    """
    # QEMU wants a comma doubled.
    file, argument = (str(text).replace(",", ",,") for text in (plugin.absolute(), page))
    return [find_qemu(), "-cpu", "de233_fpu", "-plugin", f"{file},page={argument}"]


def _check_size(what: str, given: int, limits: tuple[int, int], multiple: int) -> None:
    low, high = limits
    if not low <= given <= high or given % multiple:
        raise SimError(
            f"a {what} of {given} bytes is not possible",
            f"give {low} to {high} bytes, a multiple of {multiple}",
        )


def _take(name: str | None) -> tuple[Folder, IO[bytes]]:
    """Lock the folder of a board, so that nobody else starts one of that name."""
    if name is None:
        for candidate in (f"sim{i}" for i in range(1, 1000)):
            folder = Folder(candidate)
            lock = folder.lock()
            if lock:
                return folder, lock
        raise SimError("too many simulated boards are running", "stop some: wedau sim stop NAME")
    folder = Folder(name)
    lock = folder.lock()
    if lock is None:
        state = folder.read_state()
        where = f" at {state.port}" if state else ""
        what = f"has crashed{where}" if state and state.crashed else f"is already running{where}"
        raise SimError(
            f"a simulated board called {name} {what}",
            f"use that one, stop it (wedau sim stop {name}), or choose another name",
        )
    return folder, lock


def _take_flash(flash: Path, flash_bytes: int | None, partitions: Sequence[Partition]) -> IO[bytes]:
    """Make the flash file if there is none, check its size, and lock it for one board."""
    try:
        lock = lock_file(flash)
    except OSError as error:
        raise SimError(
            f"the flash file {flash} cannot be opened: {error.strerror}", "choose another file"
        ) from None
    if lock is None:
        raise SimError(
            f"the flash file {flash} is used by another simulated board",
            "stop that board, or give this one another file",
        )
    try:
        _size_flash(flash, flash_bytes, partitions)
    except BaseException:
        lock.close()
        raise
    return lock


def _size_flash(flash: Path, flash_bytes: int | None, partitions: Sequence[Partition]) -> None:
    if flash.stat().st_size == 0:
        wanted = flash_bytes or (None if partitions else number("SIM_FLASH_BYTES"))
        if wanted is not None:
            _check_size("flash", wanted, _FLASH_BYTES, _FLASH_BLOCK_BYTES)
        flash.write_bytes(flash_image.new(partitions, wanted))
        return
    there = _file_system_bytes(flash)
    _check_size("flash", there, _FLASH_BYTES, _FLASH_BLOCK_BYTES)
    if flash_bytes not in (None, there):
        raise SimError(
            f"the flash file {flash} has {there} bytes, not {flash_bytes}",
            "leave the size out to use it as it is, or delete the file to start with an empty one",
        )


def _file_system_bytes(flash: Path) -> int:
    data = bytearray(flash.read_bytes())
    table = bootloader.read_table(data)
    return next((p.size_bytes for p in table if p.label == "vfs"), len(data))


def _unique_id(name: str) -> str:
    """Return six bytes in hex, the same for the same name: a locally administered address."""
    digest = bytearray(hashlib.sha256(name.encode()).digest()[:6])
    digest[0] = digest[0] & 0xFC | 0x02
    return digest.hex()


def _spawn(folder: Folder, locks: tuple[int, int]) -> "subprocess.Popen[bytes]":
    """Start the bridge; it inherits the locks and so holds them for as long as it lives."""
    with folder.log.open("wb") as log:
        bridge = subprocess.Popen(
            [sys.executable, "-m", "wedau.sim.bridge", folder.name],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=locks,
            start_new_session=True,
        )
    _children[bridge.pid] = bridge
    return bridge


def _wait_until_booted(folder: Folder, bridge: "subprocess.Popen[bytes]") -> SimBoard:
    end = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < end and bridge.poll() is None:
        state = folder.read_state()
        if state and state.crashed:
            raise SimError(f"the simulated board did not start: {state.crashed}", _see(folder))
        if state and any(_read_page(folder.name, "SIM_PAGE_BOOTED", 4)):
            return _board(folder, state)
        time.sleep(_POLL_S)
    if bridge.poll() is None:
        seconds = f"{_START_TIMEOUT_S:.0f} s"
        raise SimError(f"the simulated board did not start in {seconds}", _see(folder))
    raise SimError("the simulated board's bridge ended at once", _see(folder))


def _see(folder: Folder) -> str:
    lines = folder.log.read_text(encoding="utf-8", errors="replace").splitlines()
    said = f"; it ends: {lines[-1]}" if lines else ""
    return f"see {folder.log}{said}"


def _board(folder: Folder, state: State) -> SimBoard:
    return SimBoard(folder.name, state.port, state.pid, Path(state.flash))


def _read_page(name: str, offset: str, length: int) -> bytes:
    try:
        with Folder(name).page.open("rb") as page:
            page.seek(number(offset))
            return page.read(length)
    except FileNotFoundError:
        raise SimError(
            f"the simulated board {name} does not run any more", "start it: wedau sim start"
        ) from None


def _end(folder: Folder, pid: int) -> None:
    """Ask the bridge to end, and make it if it does not."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sign)
        end = time.monotonic() + _STOP_TIMEOUT_S
        while time.monotonic() < end:
            child = _children.get(pid)
            if child is not None and child.poll() is not None:
                del _children[pid]
            if not folder.is_running():
                folder.clear()
                return
            time.sleep(_POLL_S)
    raise SimError(f"the simulated board {folder.name} does not stop", f"end its process {pid}")
