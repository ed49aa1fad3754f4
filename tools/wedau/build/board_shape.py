"""The fields that a board.json and the chip's file have to have, and of which kind."""

from collections.abc import Iterator, Mapping
from typing import Any

_TEXTS = {str: str}  # any names
BOARD: dict[str, Any] = {
    "product": str,
    "vendor": str,
    "mcu": str,
    "url": str,
    "hardware": {
        "module": str,
        "flash_mb": int,
        "psram_mb": int,
        "psram": str,
        "usb": {"connector": str, "ids": _TEXTS},
        "leds": _TEXTS,
        "buttons": _TEXTS,
        "sensors": [_TEXTS],
    },
    "sources": {"data_sheet": str, "checked_against": [str]},
}
BOARD_OPTIONAL: dict[str, Any] = {"notes": [str], "disagreements": [str]}
CHIP: dict[str, Any] = {"gpio": [(int, int)], "taken": {str: (int, int)}, "usb_ids": _TEXTS}

_NAMES = {str: "text", int: "number", dict: "table", list: "list", tuple: "pair"}


def board_problems(document: Mapping[str, Any]) -> list[str]:
    """Say what a board.json lacks or has of another kind, one line each."""
    given = {name: kind for name, kind in BOARD_OPTIONAL.items() if name in document}
    found = list(_problems(document, BOARD | given, ""))
    if found:
        return found
    sensors = document["hardware"]["sensors"]
    return [f"a sensor needs part and what: {s}" for s in sensors if not {"part", "what"} <= set(s)]


def chip_problems(document: Mapping[str, Any]) -> list[str]:
    """Say what the chip's file lacks or has of another kind, one line each."""
    return list(_problems(document, CHIP, ""))


def _problems(value: Any, kind: Any, where: str) -> Iterator[str]:
    wanted = kind if isinstance(kind, type) else type(kind)
    is_kind = isinstance(value, (list, tuple) if wanted in (list, tuple) else wanted)
    if not is_kind or isinstance(value, bool) or (wanted is tuple and len(value) != len(kind)):
        yield f"{where} is missing or no {_NAMES[wanted]}"
        return
    if isinstance(kind, dict):
        names = value if str in kind else kind
        for name in names:
            path = f"{where}.{name}" if where else name
            yield from _problems(value.get(name), kind.get(str, kind.get(name)), path)
    elif isinstance(kind, (list, tuple)):
        kinds = kind if isinstance(kind, tuple) else kind * len(value)
        for i, (each, its_kind) in enumerate(zip(value, kinds, strict=True)):
            yield from _problems(each, its_kind, f"{where}[{i}]")
