"""Files of people are read whole, up to a limit, and nothing else is read as one."""

import os
import socket
from pathlib import Path

import pytest

from wedau import files
from wedau.errors import DataError, OtaError


def test_a_file_up_to_the_limit_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "data"
    content = os.urandom((1 << 20) + 7)
    path.write_bytes(content)
    assert files.read(path, len(content), DataError, "-") == content
    (tmp_path / "link").symlink_to(path)
    assert files.read(tmp_path / "link", 1 << 30, DataError, "-") == content


def test_a_larger_file_is_refused_with_the_hint(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(bytes(11))
    with pytest.raises(OtaError, match="data is larger than 10 bytes") as caught:
        files.read(path, 10, OtaError, "take a smaller one")
    assert caught.value.hint == "take a smaller one"


def test_a_file_that_hides_its_size_is_read_to_the_limit_only() -> None:
    path = Path("/proc/self/status")
    assert path.stat().st_size == 0
    assert files.read(path, 1 << 20, DataError, "-").startswith(b"Name:")
    with pytest.raises(DataError, match="larger than 10 bytes"):
        files.read(path, 10, DataError, "-")


def test_pipes_sockets_and_devices_are_not_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        for path in (*(tmp_path / n for n in ("pipe", "link", "socket")), Path("/dev/zero")):
            with pytest.raises(DataError, match="is not a file"):
                files.read(path, 10, DataError, "-")


def test_what_the_system_refuses_stays_its_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        files.read(tmp_path / "none", 10, DataError, "-")
    with pytest.raises(IsADirectoryError):
        files.read(tmp_path, 1 << 30, DataError, "-")
