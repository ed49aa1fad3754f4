"""What a signed update says of itself: the node's own list, modules/frozen/wedau/ota/fields.py."""

import importlib.util
from types import ModuleType
from typing import Any

from wedau.paths import resource


def load(name: str) -> ModuleType:
    """Load a file of the node's own Python, from modules/frozen/wedau/ota."""
    path = resource("modules", "frozen", "wedau", "ota", f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"wedau_ota_{name}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


node: Any = load("fields")
