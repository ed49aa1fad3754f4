"""The numbers that the firmware, the counting plugin and the runner share, read from C headers."""

import functools
import re

from wedau.errors import SimError
from wedau.paths import resource

_DEFINE = re.compile(r"^#define (SIM_\w+) (\d+)$", re.MULTILINE)


@functools.cache
def _numbers() -> dict[str, int]:
    headers = (
        resource("firmware", "sim", "simboard.h"),
        resource("boards", "SIM", "mpconfigboard.h"),
    )
    found: dict[str, int] = {}
    for header in headers:
        for name, value in _DEFINE.findall(header.read_text(encoding="utf-8")):
            found[name] = int(value)
    return found


def number(name: str) -> int:
    """Return a number that the C side defines, such as ``number("SIM_HEAP_BYTES")``.

    Raises:
        SimError: no header of the simulated board defines it.
    """
    try:
        return _numbers()[name]
    except KeyError:
        raise SimError(
            f"the simulated board's headers do not define {name}",
            "the installation is incomplete: pip install --force-reinstall wedau",
        ) from None
