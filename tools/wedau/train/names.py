"""Names that people give: of models, of columns."""

import difflib
import keyword
from collections.abc import Sequence

from wedau.errors import DataError

# Modules of MicroPython (docs/library) and of Wedau: a model of that name could not be imported,
# or would hide the module.
_MODULES = """
_thread aioble array asyncio binascii bluetooth boot btree builtins cmath collections
cryptolib deflate dht ds18x20 errno esp esp32 espnow flashbdev framebuf gc gzip hashlib heapq
inisetup io json lwip machine main marshal math micropython mip neopixel network ntptime
onewire os platform random re requests select sim socket ssl struct sys time tls uctypes umqtt
upysh urequests vfs webrepl websocket wedau wedau_features wedau_trees zlib
"""
RESERVED = frozenset(_MODULES.split())
_MAX_NAME = 32


def check_model_name(name: str) -> None:
    """Raise DataError unless `name` can be a module's name on the board."""
    if not (name.isidentifier() and name.isascii()) or keyword.iskeyword(name):
        raise DataError(
            f"the model's name {name!r} is not a Python identifier",
            "use letters, digits and _ only, such as --name saw",
        )
    if len(name) > _MAX_NAME:
        raise DataError(
            f"the model's name has {len(name)} characters, at most {_MAX_NAME} are possible",
            "choose a shorter one with --name",
        )
    if name.lower() in RESERVED:
        raise DataError(
            f"the model cannot be named {name!r}: that is a module of MicroPython or Wedau",
            f"choose another name, such as --name {name.lower()}_model",
        )


def nearest(name: str, choices: Sequence[str]) -> str | None:
    """Return the choice that is most like `name`, ignoring case, or None if none is."""
    folded = {c.casefold(): c for c in choices}
    found = difflib.get_close_matches(name.casefold(), folded, n=1)
    return folded[found[0]] if found else None
