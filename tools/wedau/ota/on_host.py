"""The node's own code, modules/frozen/wedau/ota, in this process: it is plain Python."""

import asyncio
import importlib
import sys
import threading
from types import ModuleType, SimpleNamespace
from typing import Any

from wedau.paths import resource

_PACKAGE = "wedau"
_lock = threading.Lock()
_loaded: dict[str, ModuleType] = {}


def load(name: str) -> ModuleType:
    """Return a module of the node's, such as "trust"; it and ours of the same names stay apart."""
    with _lock:
        if name not in _loaded:
            ours = _taken_out()
            try:
                sys.modules.update(_package())
                sys.modules.update({m.__name__: m for m in _loaded.values()})
                importlib.import_module(f"{_PACKAGE}.ota.{name}")
                prefix = f"{_PACKAGE}.ota."
                found = {k: m for k, m in sys.modules.items() if k.startswith(prefix)}
                _loaded.update({k.removeprefix(prefix): m for k, m in found.items()})
                if "http" in _loaded:
                    _loaded["http"].__dict__["asyncio"] = _asyncio
            finally:
                _taken_out()
                sys.modules.update(ours)
        return _loaded[name]


def _taken_out() -> dict[str, ModuleType]:
    """Remove all of the package's modules from where Python looks for them."""
    names = [k for k in sys.modules if k == _PACKAGE or k.startswith(f"{_PACKAGE}.")]
    return {name: sys.modules.pop(name) for name in names}


def _package() -> dict[str, ModuleType]:
    """Return the node's package and its part for updates, empty but for where their files are."""
    found = {}
    for name, parts in ((_PACKAGE, ()), (f"{_PACKAGE}.ota", ("ota",))):
        module = ModuleType(name)
        module.__path__ = [str(resource("modules", "frozen", "wedau", *parts))]
        found[name] = module
    return found


class _Reader:
    """Reads into a buffer, as MicroPython's streams do."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    async def readinto(self, view: memoryview) -> int:
        data = await self._reader.read(len(view))
        view[: len(data)] = data
        return len(data)


async def _open_connection(host: str, port: int, ssl: Any = None) -> tuple[_Reader, Any]:
    reader, writer = await asyncio.open_connection(host, port, ssl=ssl)
    return _Reader(reader), writer


# Of asyncio what wedau.ota.http uses, as MicroPython has it.
_asyncio = SimpleNamespace(
    open_connection=_open_connection, wait_for=asyncio.wait_for, TimeoutError=asyncio.TimeoutError
)
