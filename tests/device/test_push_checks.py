"""A push sends nothing that the board could not use, and says why."""

from pathlib import Path

import pytest
import small_models

from wedau.device import push
from wedau.device.link import Board
from wedau.errors import DataError, DeviceError, WedauError


def refused(board: Board, files: dict[str, bytes], **options: int) -> WedauError:
    before = sorted(board.list("/"))
    with pytest.raises(WedauError) as caught:
        push.push(board, files, **options)
    assert set(board.list("/")) - set(before) <= {"lib/"}
    if "lib/" in board.list("/"):
        assert board.list("/lib") == {}
    return caught.value


def test_push_puts_a_model_where_import_finds_it(sim_board: Board, tmp_path: Path) -> None:
    data = small_models.model(1, tmp_path, padding_bytes=5000)
    steps: list[tuple[int, int]] = []
    done = push.push(sim_board, {"saw.mpy": data}, on_progress=lambda *step: steps.append(step))
    assert done.folder == "/lib"
    assert done.sent_bytes == len(data)
    assert sim_board.read_file("/lib/saw.mpy") == data
    assert sim_board.eval("__import__('saw').labels") == ("sit", "walk", "run")
    assert steps[-1] == (len(data), len(data))
    assert [n for n, _ in steps] == sorted(n for n, _ in steps)


def test_push_does_not_send_what_is_there(sim_board: Board, tmp_path: Path) -> None:
    data = small_models.model(1, tmp_path)
    push.push(sim_board, {"saw.mpy": data})
    again = push.push(sim_board, {"saw.mpy": data, "labels.txt": b"one"})
    assert again.unchanged == ("saw.mpy",)
    assert again.sent_bytes == 3
    assert sorted(sim_board.list("/lib")) == ["labels.txt", "saw.mpy"]


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4095, 4096, 4097, 12289])
def test_push_sends_every_size_bit_for_bit(sim_board: Board, size: int) -> None:
    data = bytes(i * 7 % 256 for i in range(size))
    push.push(sim_board, {"data.bin": data})
    assert sim_board.read_file("/lib/data.bin") == data


def test_push_takes_byte_code_for_any_board(sim_board: Board, tmp_path: Path) -> None:
    data = small_models.compiled("def predict(x): return 4\n", tmp_path)
    push.push(sim_board, {"saw.mpy": data})
    assert sim_board.eval("__import__('saw').predict(0)") == 4


@pytest.mark.parametrize("arch", ["x64", "armv7m", "xtensa", "rv32imc"])
def test_push_refuses_a_module_of_another_architecture(
    sim_board: Board, tmp_path: Path, arch: str
) -> None:
    data = small_models.model(1, tmp_path, arch=arch)
    error = refused(sim_board, {"saw.mpy": data})
    assert isinstance(error, DeviceError)
    assert error.message == (f"saw.mpy is for {arch}, the board at {sim_board.port} is xtensawin")
    assert error.hint == "build it again with '--arch xtensawin'"


@pytest.mark.parametrize(("at", "value", "version"), [(1, 5, "5.3"), (2, 10 << 2 | 1, "6.1")])
def test_push_refuses_a_module_of_another_version(
    sim_board: Board, tmp_path: Path, at: int, value: int, version: str
) -> None:
    data = bytearray(small_models.model(1, tmp_path))
    data[at] = value
    error = refused(sim_board, {"saw.mpy": bytes(data)})
    assert isinstance(error, DeviceError)
    assert error.message == (
        f"saw.mpy has .mpy version {version}, the board at {sim_board.port} takes 6.3"
    )
    assert error.hint.startswith("build it again; the board has MicroPython 1.")


def test_push_refuses_a_module_with_wider_small_integers(sim_board: Board, tmp_path: Path) -> None:
    data = bytearray(small_models.model(1, tmp_path))
    data[3] = 63
    error = refused(sim_board, {"saw.mpy": bytes(data)})
    assert error.message.startswith("saw.mpy needs small integers of 63 bits, the board at ")
    assert "small-int-bits" in error.hint


@pytest.mark.parametrize("data", [b"", b"M\x06", b"<html>not found</html>", b"PK\x03\x04zip"])
def test_push_refuses_what_is_no_module(sim_board: Board, data: bytes) -> None:
    error = refused(sim_board, {"saw.mpy": data})
    assert isinstance(error, DataError)
    assert error.message == "saw.mpy is not a .mpy file"
    assert "wedau build" in error.hint


@pytest.mark.parametrize(
    "name", ["", "../boot.py", "a/../c.mpy", "/b.mpy", "a\\b.mpy", "x.wedau-new", ".."]
)
def test_push_refuses_what_is_no_plain_name(sim_board: Board, name: str) -> None:
    error = refused(sim_board, {name: b"x"})
    assert isinstance(error, DataError)
    assert error.message == f"'{name}' is not a plain file name"
    assert error.hint


@pytest.mark.parametrize("first", ["/saw.py", "/saw.mpy", "/saw/__init__.py", "/lib/saw.py"])
def test_push_refuses_a_model_that_another_file_hides(
    sim_board: Board, tmp_path: Path, first: str
) -> None:
    folders = ["/lib", "/saw"] if "__init__" in first else ["/lib"]
    sim_board.run(f"import os\nfor folder in {folders}: os.mkdir(folder)")
    sim_board.run(f"open({first!r}, 'w').close()")
    with pytest.raises(DeviceError) as caught:
        push.push(sim_board, {"saw.mpy": small_models.model(1, tmp_path)})
    hides = first.removesuffix("/__init__.py")
    assert caught.value.message == (
        f"'import saw' would not find /lib/saw.mpy: {hides} comes first"
    )
    assert f"rm :{hides}" in caught.value.hint
    assert "saw.mpy" not in sim_board.list("/lib")


def test_push_refuses_the_name_of_a_module_of_the_firmware(
    sim_board: Board, tmp_path: Path
) -> None:
    error = refused(sim_board, {"math.mpy": small_models.model(1, tmp_path)})
    assert (
        error.message == "'import math' would not find math.mpy: the firmware has a module 'math'"
    )
    assert error.hint == "give the model another name"


def test_push_refuses_a_model_that_is_too_big_for_the_heap(
    sim_board: Board, tmp_path: Path
) -> None:
    needs = sim_board.info.heap_total_bytes + 1
    data = small_models.model(1, tmp_path)
    error = refused(sim_board, {"saw.mpy": data}, needs_heap_bytes=needs)
    assert isinstance(error, DeviceError)
    assert error.message.startswith(f"saw.mpy needs {needs} bytes of heap, the board at ")
    assert f"free of {sim_board.info.heap_total_bytes}" in error.message
    assert "PSRAM" in error.hint


def test_push_frees_the_heap_before_it_calls_a_model_too_big(
    sim_board: Board, tmp_path: Path
) -> None:
    needs = sim_board.probe().heap_free_bytes - 4096
    sim_board.run("held = bytearray(20000)")
    push.push(sim_board, {"saw.mpy": small_models.model(1, tmp_path)}, needs_heap_bytes=needs)
    assert "saw.mpy" in sim_board.list("/lib")
