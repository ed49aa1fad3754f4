"""A simulated board from power on to its end, without a serial port: for many short runs."""

import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from wedau.errors import SimError
from wedau.sim import boards, qemu
from wedau.sim.bootloader import NoAppError
from wedau.sim.nor import Cut, PowerLoss
from wedau.sim.protocol import number

# Why a run ended.
EXITED = "exited"
EXCEPTION = "exception"
POWER_LOSS = "power loss"
NO_APP = "no application"
CRASHED = "crashed"
RESETS = "too many resets"
TIMEOUT = "timeout"

_UNIQUE_ID = "0257414d4155"


@dataclass(frozen=True)
class Ended:
    """How a run ended.

    Attributes:
        cause: EXITED: the program came to its end; EXCEPTION: with an exception; POWER_LOSS: at the
            cut; NO_APP: the boot loader found nothing to start; CRASHED: the firmware did, see
            output; RESETS: it reset too often; TIMEOUT: it took too long.
        output: what the board printed, in all boots.
        instructions: executed in all boots, the boot loader's not included.
        operations: of the flash in all boots, the boot loader's included.
        boots: how often an application was started.
        app: label of the partition that ran last; None without partitions.
    """

    cause: str
    output: str
    instructions: int
    operations: int
    boots: int
    app: str | None


def run(
    elf: Path,
    plugin: Path,
    flash: Path,
    program: str,
    *,
    cut: Cut | None = None,
    log: Path | None = None,
    heap_bytes: int | None = None,
    most_boots: int = 10,
    timeout_s: float = 60.0,
    first_cause: str = "SIM_RESET_POWER_ON",
) -> Ended:
    """Switch a board on and let it run until its program ends; after a reset it boots again.

    In each boot the boot loader runs, then the application's script, boot.py, and the program in
    place of main.py. A program that wants main.py imports it. Several runs at a time need a flash
    file each.

    Args:
        elf: the firmware (wedau.build.simboard).
        plugin: the instruction counter.
        flash: the flash file.
        program: Python for the board; it ends there, or with SystemExit.
        cut: the flash operation at which power is lost, counted over all boots.
        log: file that every flash operation and read is appended to (nor.read_steps()).
        heap_bytes: size of the Python heap; default: that of an ESP32-S3 without PSRAM.
        most_boots: it ends with RESETS when it would boot once more.
        timeout_s: for the whole run.
        first_cause: name in simboard.h of what the board is told to have been reset by at first;
            after a crash a chip restarts with SIM_RESET_HARD, here the run ends.

    Raises:
        SimError: QEMU is missing, this system is not Linux, there is no flash file, or the flash's
            partition table is damaged.
    """
    if not flash.is_file() or not flash.stat().st_size:
        raise SimError(f"there is no flash file {flash}", "make one: wedau.sim.flash_image")
    with tempfile.TemporaryDirectory(prefix="wedau-") as folder:
        board = _Board(elf, Path(folder), flash, cut, log, heap_bytes)
        board.end = time.monotonic() + timeout_s
        board.command = boards.qemu_command(plugin, board.page)
        board.program.write_text(program + "\n", encoding="utf-8")
        if log is not None:
            log.touch()
        cause: str | int = number(first_cause)
        while isinstance(cause, int):
            cause = board.boot(cause) if board.boots < most_boots else RESETS
        output = b"".join(board.output).decode("utf-8", "replace").replace("\r\n", "\n")
        return Ended(cause, output, board.instructions, board.operations, board.boots, board.app)


class _Board:
    def __init__(
        self,
        elf: Path,
        folder: Path,
        flash: Path,
        cut: Cut | None,
        log: Path | None,
        heap_bytes: int | None,
    ) -> None:
        self.page, self.program = folder / "page.bin", folder / "program.py"
        self.command: list[str] = []
        self.end = 0.0
        self.output: list[bytes] = []
        self.instructions = self.operations = self.boots = 0
        self.app: str | None = None
        self._elf, self._unpacked, self._flash = elf, folder / "app.elf", flash
        self._cut, self._log = cut, log
        self._heap_bytes = number("SIM_HEAP_BYTES") if heap_bytes is None else heap_bytes

    def boot(self, cause: int) -> str | int:
        """Boot once; returns why the run ended, or the cause of the next boot."""
        try:
            booted, operations = qemu.boot(self._flash, self._log, self._later_cut())
        except NoAppError:
            return NO_APP
        except PowerLoss:
            assert self._cut is not None
            self.operations = self._cut.operation + 1
            return POWER_LOSS
        self.operations += operations
        self.app = booted.partition.label if booted else None
        self.boots += 1
        elf, arguments = qemu.firmware(booted, self._elf, self._unpacked)
        arguments |= {"cause": cause, **self._arguments()}
        self.page.write_bytes(bytes(number("SIM_PAGE_BYTES")))
        code = self._run([*self.command, str(elf), *(f"{k}={v}" for k, v in arguments.items())])
        page = self.page.read_bytes()
        self.instructions += _word(page, "SIM_PAGE_INSNS", 8)
        self.operations += _word(page, "SIM_PAGE_FLASH_OPS", 4)
        return self._meaning(code)

    def _arguments(self) -> dict[str, object]:
        found: dict[str, object] = {
            "flash": self._flash,
            "page": self.page,
            "heap": self._heap_bytes,
            "id": _UNIQUE_ID,
            "run": self.program,
        }
        if self._log is not None:
            found["oplog"] = self._log
        cut = self._later_cut()
        if cut is not None:
            found["cut"] = f"{cut.operation}:{cut.mode}"
        return found

    def _later_cut(self) -> Cut | None:
        """Return the cut with its operation counted from now on."""
        if self._cut is None or self._cut.operation < self.operations:
            return None
        return Cut(self._cut.operation - self.operations, self._cut.mode)

    def _run(self, command: list[str]) -> int | None:
        """Return QEMU's exit code; None: the time was up."""
        stdin, writer = os.pipe()  # kept open: a board whose input has ended ends
        try:
            with subprocess.Popen(
                command,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={},  # QEMU's own settings in the environment would change the board
                preexec_fn=qemu.prepare_child,
            ) as process:
                try:
                    output, _ = process.communicate(timeout=max(self.end - time.monotonic(), 0))
                except subprocess.TimeoutExpired:
                    process.kill()
                    output, _ = process.communicate()
                    self.output.append(output)
                    return None
                self.output.append(output)
                return process.returncode
        finally:
            os.close(stdin)
            os.close(writer)

    def _meaning(self, code: int | None) -> str | int:
        if code is None:
            return TIMEOUT
        reset = qemu.reset_cause(code)
        if reset is not None:
            return reset
        known = {
            0: EXITED,
            number("SIM_EXIT_EXCEPTION"): EXCEPTION,
            number("SIM_EXIT_POWER_LOSS"): POWER_LOSS,
        }
        if code not in known:
            self.output.append(f"\n{qemu.explain(code)}\n".encode())
        return known.get(code, CRASHED)


def _word(page: bytes, name: str, length: int) -> int:
    start = number(name)
    return int.from_bytes(page[start : start + length], "little")
