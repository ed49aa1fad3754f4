"""A board whose ROM boot loader answers (esp32-mock-bootloader), on a cable that can be pulled."""

import contextlib
import os
import socket
import struct
import threading
import tty
from collections.abc import Iterator
from dataclasses import dataclass, field

from esp32_mock_bootloader import protocol, registers, server

MB = 1024 * 1024
SECTOR_BYTES = 4096
_EFUSE_WORD_4 = 0x60007044 + 4 * 4  # EFUSE_BLOCK1 of the ESP32-S3; PSRAM_CAP is in its bits 3 and 4
_PSRAM_CAP = {0: 0, 8 * MB: 1, 2 * MB: 2, 16 * MB: 3}

_read_register = registers.read_reg_value
_efuses: dict[int, int] = {}


def _read_with_efuses(chip: str, address: int) -> int:
    return _efuses.get(address) or _read_register(chip, address)


registers.read_reg_value = _read_with_efuses


class Flash(server.FlashImage):
    """The flash of a board; unlike the mock's, writing needs erasing first, as NOR flash does.

    Attributes:
        blocks: blocks of data that were written so far.
        written: set with the first of them.
    """

    def __init__(self, size_bytes: int) -> None:
        super().__init__()
        self.data = bytearray(b"\xff" * size_bytes)
        self.blocks = 0
        self.written = threading.Event()

    def begin_plain(self, payload: bytes) -> None:
        super().begin_plain(payload)
        self._erase(payload)

    def begin_defl(self, payload: bytes) -> None:
        super().begin_defl(payload)
        self._erase(payload)

    def write_plain_block(self, payload: bytes) -> None:
        length = int.from_bytes(payload[:4], "little")
        self._plain_offset += self._program(self._plain_offset, payload[16 : 16 + length])

    def write_defl_block(self, payload: bytes) -> None:
        length = int.from_bytes(payload[:4], "little")
        data = self._decompressor.decompress(payload[16 : 16 + length])
        self._defl_offset += self._program(self._defl_offset, data)

    def _erase(self, payload: bytes) -> None:
        size, _, _, offset = struct.unpack_from("<IIII", payload)
        self.erase_region(offset, -(-size // SECTOR_BYTES) * SECTOR_BYTES)

    def _program(self, offset: int, data: bytes) -> int:
        for at, byte in enumerate(data, offset):
            self.data[at] &= byte
        self.blocks += 1
        self.written.set()
        return len(data)


class _Cable(server.BootloaderConnection):
    """A connection that breaks when the flash has taken a number of blocks.

    It waits for data until the board is pulled out: the mock would take a slow host for gone.
    """

    def __init__(
        self, flash: Flash, stop: threading.Event, pull_after: int | None, **ends: object
    ) -> None:
        super().__init__(**ends)
        self._flash = flash
        self._stop = stop
        self._pull_after = pull_after
        self.pulled = False

    def recv(self, size: int) -> bytes:
        while not self._stop.is_set():
            if self._pull_after is not None and self._flash.blocks >= self._pull_after:
                self.pulled = True
                break
            with contextlib.suppress(TimeoutError):
                return bytes(super().recv(size))
        raise OSError("the cable was pulled")


class _Pty(server.PtyMasterTransport):
    """The mock's, which would close the number of its slave twice: by then it is another file's."""

    def close(self) -> None:
        if self._master < 0:
            return
        os.close(self._master)
        self._master = -1
        self._release_slave()


@dataclass
class MockBoard:
    """A board that waits for a firmware.

    Attributes:
        chip: esptool's name.
        flash_bytes: size of its flash.
        psram_bytes: size of the PSRAM in its package.
        is_deaf: nothing is answered.
    """

    chip: str = "esp32s3"
    flash_bytes: int = 4 * MB
    psram_bytes: int = 0
    is_deaf: bool = False
    flash: Flash = field(init=False)

    def __post_init__(self) -> None:
        self.flash = Flash(self.flash_bytes)

    @contextlib.contextmanager
    def plugged_in(self, transport: str, *, pull_after: int | None = None) -> Iterator[str]:
        """Plug it in by tcp or pty; yields the port. Pulled out, and at the end, it is gone."""
        protocol.MOCK_FLASH_ID = (self.flash_bytes.bit_length() - 1) << 16 | 0x4020
        _efuses[_EFUSE_WORD_4] = _PSRAM_CAP[self.psram_bytes] << 3
        stop = threading.Event()
        plug = self._tcp if transport == "tcp" else self._pty
        with plug(stop, pull_after) as (port, serve):
            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            try:
                yield port
            finally:
                stop.set()
                thread.join(5)

    @contextlib.contextmanager
    def _tcp(self, stop: threading.Event, pull_after: int | None) -> Iterator[tuple]:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            listening.settimeout(0.1)

            def serve() -> None:
                while not stop.is_set():
                    with contextlib.suppress(TimeoutError):
                        end, _ = listening.accept()
                        cable = _Cable(self.flash, stop, pull_after, sock=end)
                        self._answer(cable, stop)
                        if cable.pulled:
                            listening.close()
                            return

            yield f"socket://127.0.0.1:{listening.getsockname()[1]}", serve

    @contextlib.contextmanager
    def _pty(self, stop: threading.Event, pull_after: int | None) -> Iterator[tuple]:
        end = _Pty.create(track_disconnect=True)
        tty.setraw(end._slave)
        port = end.client_path

        def serve() -> None:
            while not stop.wait(0.01):
                cable = _Cable(self.flash, stop, pull_after, pty=end)
                self._answer(cable, stop)
                if cable.pulled:
                    break
            end.close()

        yield port, serve

    def _answer(self, cable: _Cable, stop: threading.Event) -> None:
        if not self.is_deaf:
            server.handle_client(cable, stop, self.chip, exit_on_disconnect=True, flash=self.flash)
            return
        with contextlib.suppress(OSError):
            while cable.recv(4096):
                pass
        cable.close()
