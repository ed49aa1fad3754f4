"""The checks of the device suite: all of them, and those of the board and its interpreter."""

import hashlib
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from wedau.cli import selftest_models
from wedau.cli.selftest_check import Answer, Check, Step

NATIVE = "wedau_native"

_MIN_PSRAM_SHARE = 0.9  # of the chip's; ESP-IDF keeps a part for itself


def checks(psram_bytes: int | None, *, long: bool) -> list[Check]:
    """Return all checks.

    Args:
        psram_bytes: what the board's definition says it has; None if it is not known.
        long: many more soft resets.
    """
    return [
        _interpreter(),
        _files(),
        _clock(),
        _memory(),
        _native(50 if long else 5),
        selftest_models.model(),
        selftest_models.trees_file(),
        selftest_models.features(),
        selftest_models.pipeline(),
        selftest_models.baseline(),
        _flash(),
        _radio(),
        _psram(psram_bytes),
        _ota(),
        _comes_back("restart", "reset", "machine.reset()"),
        _comes_back("deep-sleep", "deepsleep", "machine.deepsleep(500)", only_long=True),
        _comes_back("light-sleep", "lightsleep", "machine.lightsleep(500)", only_long=True),
        _watchdog(),
    ]


def _interpreter() -> Check:
    random = np.random.default_rng(1)
    a = random.normal(size=24).astype(np.float32) * np.float32(1e3)
    b = random.normal(size=24).astype(np.float32)
    expected = {
        "sums": (a + b).tobytes(),
        "products": (a * b).tobytes(),
        "quotients": (a / b).tobytes(),
        "slice": np.array([0, 0.1, 0], np.float32).tobytes(),
        "int16": np.array([-32768, -1, 0, 32767], "<i2").tobytes(),
        "crc32": zlib.crc32(a.tobytes()),
        "sha256": hashlib.sha256(a.tobytes()).digest(),
        "locked": "MemoryError",
        "allocates": None,
    }
    step = Step("interpreter", {"a": a.tobytes(), "b": b.tobytes()}, expected)
    return Check("interpreter", "float32, arrays, checksums and a locked heap are exact", [step])


def _files() -> Check:
    data = np.random.default_rng(2).bytes(3000)
    first = {"written": 3000, "size": 3000, "left": ["selftest.bin"], "missing": "OSError"}
    steps = [Step("files", {"data": data}, first), Step("files_again", {}, {"data": data})]
    return Check("files", "what is written and renamed is there after a soft reset", steps)


def _clock() -> Check:
    def rule(answers: Sequence[Answer]) -> str | None:
        us, ms = answers[0]["slept_us"], answers[0]["slept_ms"]
        if not 195_000 <= us < 2_000_000:
            return f"a sleep of 200 ms took {us} us"
        return f"{us} us and {ms} ms disagree" if abs(us / 1000 - ms) > 3 else None

    step = Step("clock", {"sleep_ms": 200}, {"backwards": 0})
    return Check("clock", "time runs forwards, at its pace", [step], rule=rule)


def _memory() -> Check:
    step = Step("memory", {"step": 512}, {"wrong_blocks": 0})
    return Check("memory", "the heap keeps what is written into it", [step])


def native_answer(row: Sequence[int]) -> int:
    """Answer as modules/selftest/wedau_native.py has to."""
    total = sum(value * (i + 3) for i, value in enumerate(row))
    return (5, 1, 4, 0, 3, 6, 2)[total % 7] * 1000 + total


def _native_given() -> dict[str, Any]:
    rows = np.random.default_rng(3).integers(-300, 300, (7, 5)).tolist()
    answers = [native_answer(row) for row in rows]
    return {"native": NATIVE, "native_rows": rows, "native_answers": answers}


def _native(times: int) -> Check:
    def rule(answers: Sequence[Answer]) -> str | None:
        free = [answer["instruction_memory_bytes"] for answer in answers]
        if free[0] is None or free[-1] >= free[1] - 1024:
            return None
        return f"instruction memory sinks with soft resets: {free[1]}, then {free[-1]} bytes"

    given = _native_given()
    step = Step("native", given, {"answers": given["native_answers"]}, times=times)
    what = f"native code answers the same after each of {times} soft resets"
    return Check("native", what, [step], (NATIVE,), rule)


def _flash() -> Check:
    def rule(answers: Sequence[Answer]) -> str | None:
        return (
            "native code in another thread answered wrongly"
            if False in answers[0]["beside"]
            else None
        )

    step = Step("flash", _native_given() | {"rounds": 8}, {"same": True})
    what = "native code answers the same while the flash is written and read"
    return Check("flash", what, [step], (NATIVE,), rule)


def _radio() -> Check:
    given = _native_given()
    right = given["native_answers"]
    step = Step("radio", given, {"before": right, "during": right, "after": right})
    return Check("radio", "native code answers the same while the radio is on", [step], (NATIVE,))


def _psram(expected_bytes: int | None) -> Check:
    def rule(answers: Sequence[Answer]) -> str | None:
        found = answers[0]["found_bytes"]
        if expected_bytes is None or found >= expected_bytes * _MIN_PSRAM_SHARE:
            return None
        return (
            f"the board has {expected_bytes} bytes of PSRAM, its firmware finds {found}: it is "
            "made for another kind of PSRAM"
        )

    step = Step("psram", {"known": expected_bytes is not None}, {})
    return Check("psram", "the PSRAM that the board has is found", [step], rule=rule)


def _ota() -> Check:
    expected = {"magic": 0xE9, "same_size": True, "differ": True}
    step = Step("ota", {}, expected)
    return Check("ota", "two slots for firmware, the running one holds an image", [step])


def _comes_back(name: str, function: str, call: str, only_long: bool = False) -> Check:
    given = _native_given() | {"data": name.encode(), "function": function}
    right = {"answers": given["native_answers"]}
    way, restarts = f"import machine\n{call}", function != "lightsleep"
    back = Step("machine_back", given, right | {"data": given["data"]}, way, restarts)
    what = f"files and native code are there after {call}"
    steps = [Step("machine_has", given, right), back]
    return Check(name, what, steps, (NATIVE,), only_long=only_long)


def _watchdog() -> Check:
    given = _native_given() | {"data": b"watchdog", "function": "WDT", "rounds": 20}
    right = {"answers": given["native_answers"]}
    steps = [
        Step("machine_has", given, right),
        Step("watchdog", given, {"same": True}),
        Step("machine_back", given, right, way="import machine\nmachine.reset()"),
    ]
    what = "a watchdog of 2 s is fed in time"
    return Check("watchdog", what, steps, (NATIVE,), only_long=True)
