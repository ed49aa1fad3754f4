"""Put a firmware onto a board: ask the chip, keep the user's files, write, verify."""

import contextlib
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wedau import flash_map
from wedau.device import chips, esptool
from wedau.device.chips import Chip
from wedau.device.firmware import Firmware, Image
from wedau.errors import CheckError, DeviceError
from wedau.flash_map import SECTOR_BYTES, TABLE_BYTES, TABLE_OFFSET, Partition

OnProgress = Callable[[int, int], None]

_BAUD = 460800
_WRITING = re.compile(r"Writing at (0x[0-9a-f]{8})\b")
_VERIFIED = "Hash of data verified"
_BEGUN = ("Flash will be erased", "Erasing flash", "Writing at")


class StoppedError(DeviceError):
    """The user stopped it."""

    exit_code = 130


@dataclass(frozen=True)
class Flashed:
    """What was done.

    Attributes:
        chip: where to.
        written_bytes: of all images; each was verified by its hash.
        erased: whether all else in the flash was erased.
    """

    chip: Chip
    written_bytes: int
    erased: bool


def ask(port: str, *, stay: bool = False) -> Chip:
    """Ask the chip at a port what it is; this stops what runs on it.

    Args:
        port: as the system names it.
        stay: leave it in its boot loader; else what is in its flash starts again.

    Raises:
        NoDeviceError, DeviceError: as for wedau.device.esptool.run().
    """
    return chips.parse(port, esptool.run(port, ["flash-id"], stay=stay))


def flash(
    firmware: Firmware, port: str, *, erase: bool = False, on_progress: OnProgress | None = None
) -> Flashed:
    """Write a firmware onto the board at a port and verify it.

    The user's files and settings stay as they are, unless `erase` is set.

    Args:
        firmware: loaded, so that it is whole.
        port: the board's.
        erase: erase the whole flash first.
        on_progress: called with the bytes written and those to write.

    Raises:
        CheckError: the firmware is not for this chip, or the user's files would be lost. Nothing
            was written.
        NoDeviceError: nothing answers. Nothing was written.
        DeviceError: it failed on the way; the message says in which state the board is.
        StoppedError: the user stopped it; the message says the same.
    """
    with _state(port, "the board was left as it was") as state:
        chip = ask(port, stay=True)
        with _restarting(port):
            chips.check(chip, firmware)
            if not erase:
                _check_files(chip, firmware)
        files = "all its files are erased" if erase else "the files on it are untouched"
        state.begin_writing(f"repeat the command to make it whole; {files}")
        _write(firmware, port, erase, on_progress, state.on_line)
    return Flashed(chip, firmware.size_bytes, erase)


def _check_files(chip: Chip, firmware: Firmware) -> None:
    before = flash_map.with_file_system(_read_table(chip), chip.flash_bytes)
    after = flash_map.with_file_system(firmware.partitions, chip.flash_bytes)
    for partition in flash_map.moved(before, after):
        if _is_blank(chip, partition):
            continue
        raise CheckError(
            f"the files on the board at {chip.port} would be lost: {firmware.title} puts "
            f"something else where its file system {partition.label!r} lies",
            f"copy what you need with 'mpremote connect {chip.port} cp -r : FOLDER', "
            "then repeat the command with --erase",
        )


def _read_table(chip: Chip) -> tuple[Partition, ...]:
    """Read the board's partition table; a board without a valid one starts nothing."""
    try:
        return flash_map.parse(_read(chip, TABLE_OFFSET, TABLE_BYTES))
    except flash_map.TableError:
        return ()


def _is_blank(chip: Chip, partition: Partition) -> bool:
    """Whether nothing was written where every file system has its head."""
    head = min(partition.size_bytes, 2 * SECTOR_BYTES, chip.flash_bytes - partition.offset)
    return head <= 0 or not _read(chip, partition.offset, head).strip(b"\xff")


def _read(chip: Chip, offset: int, size: int) -> bytes:
    with tempfile.TemporaryDirectory(prefix="wedau-") as folder:
        path = Path(folder, "read.bin")
        arguments = ["read-flash", hex(offset), hex(size), str(path)]
        esptool.run(chip.port, arguments, chip=chip.target, stay=True)
        data = path.read_bytes() if path.is_file() else b""
    if len(data) != size:
        raise esptool.EsptoolError(chip.port, "the flash could not be read")
    return data


@contextlib.contextmanager
def _restarting(port: str) -> Iterator[None]:
    """Start what is in the flash again where the board is refused."""
    try:
        yield
    except CheckError:
        with contextlib.suppress(DeviceError):
            esptool.run(port, ["chip-id"])
        raise


def _write(
    firmware: Firmware,
    port: str,
    erase: bool,
    on_progress: OnProgress | None,
    on_line: Callable[[str], None],
) -> None:
    progress = _Progress(firmware.images, on_progress)

    def follow(line: str) -> None:
        on_line(line)
        progress.on_line(line)

    with tempfile.TemporaryDirectory(prefix="wedau-") as folder:
        arguments = ["write-flash", *(["--erase-all"] if erase else [])]
        for number, image in enumerate(firmware.images):
            path = Path(folder, f"{number}.bin")
            path.write_bytes(image.data)
            arguments += [hex(image.offset), str(path)]
        lines = esptool.run(port, arguments, chip=firmware.chip, baud=_BAUD, on_line=follow)
    verified = sum(_VERIFIED in line for line in lines)
    if verified != len(firmware.images):
        raise esptool.EsptoolError(
            port, f"{verified} of {len(firmware.images)} images were verified"
        )


class _Progress:
    """Counts bytes by the addresses that esptool prints."""

    def __init__(self, images: Sequence[Image], on_progress: OnProgress | None) -> None:
        self._images = images
        self._total = sum(len(image.data) for image in images)
        self._done = 0
        self._on_progress = on_progress

    def on_line(self, line: str) -> None:
        match = _WRITING.search(line)
        if not match or not self._on_progress:
            return
        address = int(match[1], 16)
        before = [i for i in self._images if i.offset < address]
        done = sum(min(len(i.data), address - i.offset) for i in before)
        self._done = max(self._done, done)
        self._on_progress(self._done, self._total)


class _State:
    """In which state the board is, for the message when something goes wrong."""

    def __init__(self, before: str) -> None:
        self.words = before
        self._later = before
        self.is_incomplete = False

    def begin_writing(self, words: str) -> None:
        self._later = words

    def on_line(self, line: str) -> None:
        if line.startswith(_BEGUN):
            self.words = self._later
            self.is_incomplete = True


@contextlib.contextmanager
def _state(port: str, before: str) -> Iterator[_State]:
    """Say with every error in which state it leaves the board."""
    state = _State(before)
    incomplete = f"the firmware on the board at {port} is incomplete and will not start"
    try:
        yield state
    except KeyboardInterrupt:
        if state.is_incomplete:
            raise StoppedError(f"interrupted: {incomplete}", state.words) from None
        raise StoppedError(
            "interrupted before anything was written",
            f"{state.words}; press its RESET button if it does not start",
        ) from None
    except DeviceError as error:
        if not state.is_incomplete:
            raise
        reason = getattr(error, "reason", "the connection broke off")
        raise DeviceError(f"{incomplete}: {reason}", f"check the cable; {state.words}") from None
